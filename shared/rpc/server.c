/* SPDX-License-Identifier: MIT */
/* rpc/server.c: accepts calls, finds the method, runs unary calls and hands streams to stream.c.
 *
 * Every accepted call counts in `calls` until it is over; the server is gone when it is shut down and the count is 0. */
#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "rpc/internal.h"
#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <errno.h>
#include <stdio.h>

enum { ACCEPTS = 4, BIND_MAX = 256 };

struct accept {
        struct tk_rpc_tag tag; /* first */
        struct tk_rpc_server *server;
        grpc_call *call;
        grpc_call_details details;
        grpc_metadata_array metadata;
};

struct tk_rpc_call {
        struct tk_rpc_tag received, finished; /* `received` first */
        struct tk_rpc_server *server;
        const struct tk_rpc_method *method;
        void *app;
        grpc_call *call;
        grpc_metadata_array metadata;
        grpc_byte_buffer *request, *reply;
        grpc_slice details;
        int cancelled;
        enum tk_rpc_status status;
        int64_t started_ns;
};

struct tk_rpc_server {
        struct tk_rpc *rpc;
        struct tk_rpc_server_conf conf;
        grpc_server *server;
        struct tk_rpc_health *health;
        uint16_t port;
        struct accept accepts[ACCEPTS];
        struct tk_rpc_tag shutdown_tag;

        struct tk_lock lock;
        struct tk_cond changed;
        unsigned pending; /* accepts outstanding + calls alive */
        bool shut_down;
};

static void pending(struct tk_rpc_server *server, int n)
{
        TK_LOCKED(&server->lock);
        server->pending = (unsigned)((int)server->pending + n);
        tk_cond_broadcast(&server->changed);
}

/* ---- Unary ---- */

static void call_finished(struct tk_rpc_tag *tag, bool ok)
{
        struct tk_rpc_call *call = tk_container_of(tag, struct tk_rpc_call, finished);
        struct tk_rpc_server *server = call->server;
        (void)ok;
        if (server->conf.observe)
                server->conf.observe(server->conf.app, call->method->path, call->status,
                                     tk_time_mono_ns() - call->started_ns);
        grpc_slice_unref(call->details);
        if (call->reply)
                grpc_byte_buffer_destroy(call->reply);
        if (call->request)
                grpc_byte_buffer_destroy(call->request);
        grpc_metadata_array_destroy(&call->metadata);
        grpc_call_unref(call->call);
        tk_free(call);
        pending(server, -1);
}

void tk_rpc_reply(struct tk_rpc_call *call, enum tk_rpc_status status, const char *message, const void *data, size_t len)
{
        grpc_op ops[4] = {{.op = GRPC_OP_SEND_INITIAL_METADATA}};
        size_t n = 1;
        call->status = status;
        call->details = grpc_slice_from_copied_string(message ? message : "");
        if (status == TK_RPC_OK) {
                call->reply = tk_rpc_bytes_copy(data, len);
                ops[n++] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = call->reply};
        }
        ops[n++] = (grpc_op){.op = GRPC_OP_SEND_STATUS_FROM_SERVER,
                             .data.send_status_from_server = {.status = (grpc_status_code)status,
                                                              .status_details = &call->details}};
        ops[n++] = (grpc_op){.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &call->cancelled};
        grpc_call *to = call->call; /* what is handed out may be freed before the call below returns */
        void *tag = tk_rpc_tag_out(&call->finished);
        TK_CHECK(grpc_call_start_batch(to, ops, n, tag, NULL) == GRPC_CALL_OK);
}

static void request_received(struct tk_rpc_tag *tag, bool ok)
{
        struct tk_rpc_call *call = (struct tk_rpc_call *)tag;
        struct tk_rpc_view view;
        if (!ok || !call->request || !tk_rpc_view_open(call->request, &view)) {
                tk_rpc_reply(call, TK_RPC_INTERNAL, "the request message is missing", NULL, 0);
                return;
        }
        call->method->unary(call, call->app, view.data, view.len);
        tk_rpc_view_close(&view);
}

const char *tk_rpc_call_metadata(const struct tk_rpc_call *call, const char *key)
{
        for (size_t i = 0; i < call->metadata.count; i++)
                if (!grpc_slice_str_cmp(call->metadata.metadata[i].key, key))
                        return (const char *)GRPC_SLICE_START_PTR(call->metadata.metadata[i].value);
        return NULL;
}

static void unary_begin(struct accept *accept, const struct tk_rpc_method *method, void *app)
{
        struct tk_rpc_call *call = TK_NEW(struct tk_rpc_call);
        call->received.fn = request_received;
        call->finished.fn = call_finished;
        call->server = accept->server;
        call->method = method;
        call->app = app;
        call->call = accept->call;
        call->metadata = accept->metadata;
        grpc_metadata_array_init(&accept->metadata);
        call->started_ns = tk_time_mono_ns();
        grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->request};
        grpc_call *from = call->call;
        void *tag = tk_rpc_tag_out(&call->received);
        TK_CHECK(grpc_call_start_batch(from, &op, 1, tag, NULL) == GRPC_CALL_OK);
}

/* ---- Refusals and streams ---- */

struct refusal {
        struct tk_rpc_tag tag;
        struct tk_rpc_server *server;
        grpc_call *call;
        int cancelled;
};

static void refused(struct tk_rpc_tag *tag, bool ok)
{
        struct refusal *refusal = (struct refusal *)tag;
        (void)ok;
        grpc_call_unref(refusal->call);
        pending(refusal->server, -1);
        tk_free(refusal);
}

static void refuse(struct tk_rpc_server *server, grpc_call *call, enum tk_rpc_status status, const char *message)
{
        struct refusal *refusal = TK_NEW(struct refusal);
        grpc_slice details = grpc_slice_from_copied_string(message);
        refusal->tag.fn = refused;
        refusal->server = server;
        refusal->call = call;
        grpc_op ops[] = {
                {.op = GRPC_OP_SEND_INITIAL_METADATA},
                {.op = GRPC_OP_SEND_STATUS_FROM_SERVER,
                 .data.send_status_from_server = {.status = (grpc_status_code)status, .status_details = &details}},
                {.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &refusal->cancelled},
        };
        TK_CHECK(grpc_call_start_batch(call, ops, tk_countof(ops), tk_rpc_tag_out(&refusal->tag), NULL) == GRPC_CALL_OK);
        grpc_slice_unref(details);
}

static void stream_gone(void *owner)
{
        pending(owner, -1);
}

static void stream_begin(struct accept *accept, const struct tk_rpc_method *method, void *app)
{
        struct tk_rpc_stream *stream = tk_rpc_stream_new(accept->call, true, strrchr(method->path, '/') + 1);
        const struct tk_rpc_stream_ops *ops = NULL;
        void *user = NULL;
        enum tk_rpc_status status = method->stream(stream, app, &ops, &user);
        if (status == TK_RPC_OK) {
                tk_rpc_stream_start(stream, ops, user, stream_gone, accept->server);
        } else {
                grpc_call_ref(accept->call);
                refuse(accept->server, accept->call, status, "refused");
        }
        tk_rpc_stream_unref(stream);
}

/* ---- Accepting ---- */

static const struct tk_rpc_method *find(const struct tk_rpc_method *methods, size_t n, grpc_slice path)
{
        for (size_t i = 0; i < n; i++)
                if (!grpc_slice_str_cmp(path, methods[i].path))
                        return &methods[i];
        return NULL;
}

static void accept_next(struct accept *accept)
{
        struct tk_rpc_server *server = accept->server;
        void *tag = tk_rpc_tag_out(&accept->tag);
        if (grpc_server_request_call(server->server, &accept->call, &accept->details, &accept->metadata, server->rpc->cq, server->rpc->cq,
                                     tag) != GRPC_CALL_OK)
                pending(server, -1);
}

static void dispatch(struct accept *accept)
{
        struct tk_rpc_server *server = accept->server;
        void *app = server->conf.app;
        const struct tk_rpc_method *method = find(server->conf.methods, server->conf.methods_n, accept->details.method);
        if (!method) {
                method = find(tk_rpc_health_methods, tk_countof(tk_rpc_health_methods), accept->details.method);
                app = server->health;
        }
        pending(server, 1);
        if (!method)
                refuse(server, accept->call, TK_RPC_UNIMPLEMENTED, "unknown method");
        else if (method->unary)
                unary_begin(accept, method, app);
        else
                stream_begin(accept, method, app);
}

static void accepted(struct tk_rpc_tag *tag, bool ok)
{
        struct accept *accept = (struct accept *)tag;
        if (!ok) { /* shutting down */
                pending(accept->server, -1);
                return;
        }
        dispatch(accept);
        grpc_call_details_destroy(&accept->details);
        grpc_metadata_array_destroy(&accept->metadata);
        grpc_call_details_init(&accept->details);
        grpc_metadata_array_init(&accept->metadata);
        accept_next(accept);
}

/* ":9190" means all interfaces. */
static void address(const char *bind, char ret[BIND_MAX])
{
        snprintf(ret, BIND_MAX, "%s%s", *bind == ':' ? "0.0.0.0" : "", bind);
}

static void server_destroy(struct tk_rpc_server *server)
{
        for (size_t i = 0; i < ACCEPTS; i++) {
                grpc_call_details_destroy(&server->accepts[i].details);
                grpc_metadata_array_destroy(&server->accepts[i].metadata);
        }
        grpc_server_destroy(server->server);
        tk_rpc_health_free(server->health);
        tk_cond_deinit(&server->changed);
        tk_lock_deinit(&server->lock);
        tk_free(server);
}

static void shutdown_done(struct tk_rpc_tag *tag, bool ok)
{
        struct tk_rpc_server *server = tk_container_of(tag, struct tk_rpc_server, shutdown_tag);
        (void)ok;
        TK_LOCKED(&server->lock);
        server->shut_down = true;
        tk_cond_broadcast(&server->changed);
}

int tk_rpc_server_new(struct tk_rpc *rpc, const struct tk_rpc_server_conf *conf, struct tk_rpc_server **ret,
                      struct tk_err *err)
{
        struct tk_rpc_server *server = TK_NEW(struct tk_rpc_server);
        char bind[BIND_MAX];
        grpc_arg args[] = {
                {.type = GRPC_ARG_INTEGER,
                 .key = (char *)(uintptr_t)(GRPC_ARG_ALLOW_REUSEPORT),
                 .value.integer = 0},
                {.type = GRPC_ARG_INTEGER,
                 .key = (char *)(uintptr_t)(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH),
                 .value.integer = (int)(conf->message_max ? conf->message_max : TK_RPC_MESSAGE_MAX)},
                {.type = GRPC_ARG_INTEGER,
                 .key = (char *)(uintptr_t)(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH),
                 .value.integer = -1},
        };
        server->rpc = rpc;
        server->conf = *conf;
        server->shutdown_tag.fn = shutdown_done;
        server->health = tk_rpc_health_new(conf->services);
        tk_lock_init(&server->lock, "rpc-server");
        tk_cond_init(&server->changed);
        server->server = grpc_server_create(&(grpc_channel_args){tk_countof(args), args}, NULL);
        grpc_server_register_completion_queue(server->server, rpc->cq, NULL);
        address(conf->bind, bind);
        grpc_server_credentials *plain = grpc_insecure_server_credentials_create();
        int port = grpc_server_add_http2_port(server->server, bind, plain);
        grpc_server_credentials_release(plain);
        grpc_server_start(server->server);
        for (size_t i = 0; i < ACCEPTS; i++) {
                struct accept *accept = &server->accepts[i];
                accept->tag.fn = accepted;
                accept->server = server;
                grpc_call_details_init(&accept->details);
                grpc_metadata_array_init(&accept->metadata);
        }
        if (port <= 0) {
                tk_rpc_server_free(server, 0);
                return TK_ERR(err, -EADDRINUSE,
                              "gRPC cannot listen on %s: the address is in use or not of this machine", bind);
        }
        server->port = (uint16_t)port;
        for (size_t i = 0; i < ACCEPTS; i++) {
                pending(server, 1);
                accept_next(&server->accepts[i]);
        }
        *ret = server;
        return 0;
}

uint16_t tk_rpc_server_port(const struct tk_rpc_server *server)
{
        return server->port;
}

void tk_rpc_server_set_serving(struct tk_rpc_server *server, bool serving)
{
        tk_rpc_health_set(server->health, serving);
}

struct tk_rpc_server *tk_rpc_server_free(struct tk_rpc_server *server, int64_t deadline_ns)
{
        if (!server)
                return NULL;
        tk_rpc_health_set(server->health, false);
        grpc_server_shutdown_and_notify(server->server, server->rpc->cq, tk_rpc_tag_out(&server->shutdown_tag));
        tk_lock_take(&server->lock);
        while (!(server->shut_down && !server->pending) && tk_time_mono_ns() < deadline_ns)
                (void)tk_cond_wait(&server->changed, &server->lock, deadline_ns);
        bool late = !(server->shut_down && !server->pending);
        tk_lock_give(&server->lock);
        if (late)
                grpc_server_cancel_all_calls(server->server);
        tk_lock_take(&server->lock);
        while (!(server->shut_down && !server->pending))
                (void)tk_cond_wait(&server->changed, &server->lock, TK_TIME_NEVER);
        tk_lock_give(&server->lock);
        server_destroy(server);
        return NULL;
}
