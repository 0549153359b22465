/* SPDX-License-Identifier: MIT */
/* rpc/client.c: channels, blocking unary calls, opening streams. */
#include "base/mem.h"
#include "base/time.h"
#include "rpc/internal.h"
#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <stdio.h>

/* gRPC's "minimal reconnect backoff" is how long one attempt to connect may take, up to the peer's SETTINGS; nothing waits for it
 * after a refusal. */
enum { CONNECT_TIMEOUT_MS = 5000, RECONNECT_MIN_MS = 100, RECONNECT_MAX_MS = 2000, RECEIVE_MAX = 64 * 1024 * 1024 };

struct tk_rpc_channel {
        struct tk_rpc *rpc;
        grpc_channel *channel;
        char *target;
};

struct tk_rpc_channel *tk_rpc_channel_new(struct tk_rpc *rpc, const char *target)
{
        grpc_arg args[] = {
                {.type = GRPC_ARG_INTEGER,
                 .key = (char *)(uintptr_t)(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS),
                 .value.integer = RECONNECT_MIN_MS},
                {.type = GRPC_ARG_INTEGER,
                 .key = (char *)(uintptr_t)(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS),
                 .value.integer = CONNECT_TIMEOUT_MS},
                {.type = GRPC_ARG_INTEGER,
                 .key = (char *)(uintptr_t)(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS),
                 .value.integer = RECONNECT_MAX_MS},
                {.type = GRPC_ARG_INTEGER,
                 .key = (char *)(uintptr_t)(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH),
                 .value.integer = RECEIVE_MAX},
                {.type = GRPC_ARG_INTEGER,
                 .key = (char *)(uintptr_t)(GRPC_ARG_ENABLE_HTTP_PROXY),
                 .value.integer = 0},
                {.type = GRPC_ARG_INTEGER,
                 .key = (char *)(uintptr_t)(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL),
                 .value.integer = 1},
        };
        struct tk_rpc_channel *channel = TK_NEW(struct tk_rpc_channel);
        grpc_channel_credentials *plain = grpc_insecure_credentials_create();
        channel->rpc = rpc;
        channel->target = tk_strdup(target);
        channel->channel = grpc_channel_create(target, plain, &(grpc_channel_args){tk_countof(args), args});
        grpc_channel_credentials_release(plain);
        return channel;
}

struct tk_rpc_channel *tk_rpc_channel_free(struct tk_rpc_channel *channel)
{
        if (!channel)
                return NULL;
        grpc_channel_destroy(channel->channel);
        tk_free(channel->target);
        return tk_free(channel);
}

static grpc_call *call_new(struct tk_rpc_channel *channel, const char *method, gpr_timespec deadline)
{
        grpc_slice path = grpc_slice_from_copied_string(method);
        grpc_call *call = grpc_channel_create_call(channel->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                                   channel->rpc->cq, path, NULL, deadline, NULL);
        grpc_slice_unref(path);
        return call;
}

struct unary {
        struct tk_rpc_tag tag; /* first */
        struct tk_lock lock;
        struct tk_cond done_cond;
        bool done;
};

static void unary_done(struct tk_rpc_tag *tag, bool ok)
{
        struct unary *unary = (struct unary *)tag;
        (void)ok;
        TK_LOCKED(&unary->lock);
        unary->done = true;
        tk_cond_signal(&unary->done_cond);
}

static void unary_wait(struct unary *unary)
{
        tk_lock_take(&unary->lock);
        while (!unary->done)
                (void)tk_cond_wait(&unary->done_cond, &unary->lock, TK_TIME_NEVER);
        tk_lock_give(&unary->lock);
        tk_cond_deinit(&unary->done_cond);
        tk_lock_deinit(&unary->lock);
}

static void copy_reply(grpc_byte_buffer *reply, struct tk_buf *ret)
{
        struct tk_rpc_view view;
        if (!reply || !tk_rpc_view_open(reply, &view))
                return;
        tk_buf_put(ret, view.data, view.len);
        tk_rpc_view_close(&view);
}

enum tk_rpc_status tk_rpc_unary(struct tk_rpc_channel *channel, const char *method, const void *data, size_t len,
                                int64_t timeout_ns, struct tk_buf *ret, struct tk_err *err)
{
        struct unary unary = {.tag.fn = unary_done};
        grpc_byte_buffer *request = tk_rpc_bytes_copy(data, len), *reply = NULL;
        grpc_metadata_array headers, trailers;
        grpc_status_code status = GRPC_STATUS_UNKNOWN;
        grpc_slice details = grpc_empty_slice();
        grpc_call *call =
                call_new(channel, method,
                         gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(timeout_ns, GPR_TIMESPAN)));
        tk_lock_init(&unary.lock, "rpc-unary");
        tk_cond_init(&unary.done_cond);
        grpc_metadata_array_init(&headers);
        grpc_metadata_array_init(&trailers);
        grpc_op ops[] = {
                {.op = GRPC_OP_SEND_INITIAL_METADATA},
                {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = request},
                {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
                {.op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &headers},
                {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &reply},
                {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
                 .data.recv_status_on_client = {.trailing_metadata = &trailers,
                                                .status = &status,
                                                .status_details = &details}},
        };
        if (grpc_call_start_batch(call, ops, tk_countof(ops), tk_rpc_tag_out(&unary.tag), NULL) != GRPC_CALL_OK)
                unary_done(&unary.tag, false);
        unary_wait(&unary);
        if (status == GRPC_STATUS_OK) {
                copy_reply(reply, ret);
        } else {
                char text[TK_RPC_TEXT_MAX];
                tk_rpc_slice_text(details, text, sizeof text);
                (void)TK_ERR(err, (int)status, "%s of %s: %s: %s", method, channel->target,
                             tk_rpc_status_name((enum tk_rpc_status)status), text);
        }
        if (reply)
                grpc_byte_buffer_destroy(reply);
        grpc_byte_buffer_destroy(request);
        grpc_metadata_array_destroy(&headers);
        grpc_metadata_array_destroy(&trailers);
        grpc_slice_unref(details);
        grpc_call_unref(call);
        return (enum tk_rpc_status)status;
}

struct tk_rpc_stream *tk_rpc_stream_open(struct tk_rpc_channel *channel, const char *method,
                                         const struct tk_rpc_stream_ops *ops, void *user)
{
        grpc_call *call = call_new(channel, method, gpr_inf_future(GPR_CLOCK_MONOTONIC));
        struct tk_rpc_stream *stream = tk_rpc_stream_new(call, false, channel->target);
        tk_rpc_stream_start(stream, ops, user, NULL, NULL);
        return stream;
}
