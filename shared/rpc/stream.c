/* SPDX-License-Identifier: MIT */
/* rpc/stream.c: a bidirectional stream, the same object on both sides.
 *
 * gRPC's rules: one receive and one send outstanding per call; the call may be released when every started operation has
 * completed. Each started operation holds a reference. The life of a call ends with one event (the close on a server, the
 * status on a client); `closed` is called when that event and the last receive are both in.
 *
 * Fields below the lock may be touched by any thread under it; the others belong to the completion-queue thread. */
#include "base/check.h"
#include "base/mem.h"
#include "base/probe.h"
#include "base/str.h"
#include "base/time.h"
#include "fault/fault.h"
#include "rpc/internal.h"
#include "run/meter.h"
#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>

#define FAULT_LATE_NS (20 * TK_NS_PER_MS)

struct op {
        struct tk_rpc_tag tag; /* first */
        struct tk_rpc_stream *stream;
};

struct tk_rpc_stream {
        grpc_call *call;
        bool server; /* never changes */
        atomic_uint refs;
        char peer[TK_RPC_TEXT_MAX];
        const struct tk_rpc_stream_ops *ops;
        void *user;
        void (*gone)(void *owner);
        void *owner;
        struct tk_meter *meter;
        struct op op_start, op_headers, op_recv, op_send, op_finish, op_end;

        grpc_byte_buffer *received;
        grpc_metadata_array headers, trailers;
        grpc_status_code end_status;
        grpc_slice end_details;
        int cancelled;
        bool end_seen, recv_done, reported;

        struct tk_lock lock;
        grpc_byte_buffer *sending;     /* the frame on its way */
        grpc_byte_buffer *again;       /* by a fault: goes out once more; belongs to who is `busy` */
        bool busy;                     /* somebody is in next_frame, or a send is outstanding */
        unsigned taking;               /* threads that ask the user for a frame, or have just done so */
        struct tk_cond taken;          /* none is left, after the end */
        bool wanted;                   /* woken since next_frame was last asked */
        int64_t blocked_ns;            /* monotonic; since when something waits for the frame on its way; 0: nothing does */
        bool paused, resumed;          /* the user wants no messages now */
        bool open;                     /* the first operations are started: frames may follow */
        bool close_asked, close_sent;
        bool dead;                     /* no further operation may be started */
        enum tk_rpc_status close_status;
        char close_text[TK_RPC_TEXT_MAX];
};

static void pump(struct tk_rpc_stream *s);
static void receive(struct tk_rpc_stream *s);

void tk_rpc_stream_ref(struct tk_rpc_stream *s)
{
        if (s)
                atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
}

void tk_rpc_stream_unref(struct tk_rpc_stream *s)
{
        if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
                return;
        grpc_call_unref(s->call);
        grpc_metadata_array_destroy(&s->headers);
        grpc_metadata_array_destroy(&s->trailers);
        grpc_slice_unref(s->end_details);
        grpc_byte_buffer_destroy(s->again);
        tk_cond_deinit(&s->taken);
        tk_lock_deinit(&s->lock);
        tk_free(s);
}

const char *tk_rpc_stream_peer(const struct tk_rpc_stream *s)
{
        return s->peer;
}

/* Starts operations that complete as one event of `op`. False: the call is over. */
static bool start(struct tk_rpc_stream *s, struct op *op, const grpc_op *ops, size_t n)
{
        tk_rpc_stream_ref(s);
        grpc_call *call = s->call;
        void *tag = tk_rpc_tag_out(&op->tag);
        if (grpc_call_start_batch(call, ops, n, tag, NULL) == GRPC_CALL_OK)
                return true;
        tk_rpc_stream_unref(s);
        return false;
}

/* Both the end and the last receive are in: tell the user, once. */
static void report_end(struct tk_rpc_stream *s)
{
        if (!s->end_seen || !s->recv_done || s->reported)
                return;
        s->reported = true;
        tk_meter_add(s->meter, TK_STREAM_OPEN, -1);
        tk_lock_take(&s->lock);
        s->dead = true;
        while (s->taking) /* `closed` is the last that the user hears: no other thread is still in next_frame */
                (void)tk_cond_wait(&s->taken, &s->lock, TK_TIME_NEVER);
        bool asked = s->close_asked;
        tk_lock_give(&s->lock);
        char text[TK_RPC_TEXT_MAX] = "";
        enum tk_rpc_status status =
                s->server ? (s->cancelled ? TK_RPC_CANCELLED : TK_RPC_OK) : (enum tk_rpc_status)s->end_status;
        if (!s->server)
                tk_rpc_slice_text(s->end_details, text, sizeof text);
        else if (asked)
                status = s->close_status;
        if (s->server && asked)
                (void)tk_str_copy(text, sizeof text, s->close_text);
        s->ops->closed(s, s->user, status, text);
        if (s->gone)
                s->gone(s->owner);
        tk_rpc_stream_unref(s); /* that of the open stream */
}

static void started(struct tk_rpc_tag *tag, bool ok)
{
        struct tk_rpc_stream *s = ((struct op *)tag)->stream;
        (void)ok;
        tk_rpc_stream_unref(s);
}

static void ended(struct tk_rpc_tag *tag, bool ok)
{
        struct tk_rpc_stream *s = ((struct op *)tag)->stream;
        (void)ok;
        s->end_seen = true;
        tk_lock_take(&s->lock);
        s->dead = true;
        bool idle = s->paused; /* nobody will receive any more: the end is all that is left to tell */
        tk_lock_give(&s->lock);
        s->recv_done |= idle;
        report_end(s);
        tk_rpc_stream_unref(s);
}

/* The peer sends no more. A server then ends the call itself; a client waits for the status. */
static void no_more_messages(struct tk_rpc_stream *s)
{
        s->recv_done = true;
        if (s->server && !s->end_seen)
                tk_rpc_stream_close(s, TK_RPC_OK, "");
        report_end(s);
}

static void received(struct tk_rpc_tag *tag, bool ok)
{
        struct tk_rpc_stream *s = ((struct op *)tag)->stream;
        grpc_byte_buffer *bytes = s->received;
        struct tk_rpc_view view;
        s->received = NULL;
        if (!ok || !bytes) {
                no_more_messages(s);
        } else if (!tk_rpc_view_open(bytes, &view)) {
                tk_rpc_stream_close(s, TK_RPC_INTERNAL, "a message could not be decoded");
                s->recv_done = true;
                report_end(s);
        } else {
                TK_PROBE(frame_received, s, s->server, view.len);
                tk_meter_add(s->meter, TK_STREAM_FRAMES_IN, 1);
                tk_meter_add(s->meter, TK_STREAM_BYTES_IN, (int64_t)view.len);
                bool more = s->ops->message(s, s->user, view.data, view.len);
                tk_rpc_view_close(&view);
                tk_lock_take(&s->lock);
                s->paused = !more && !s->resumed;
                s->resumed = false;
                more = !s->paused;
                tk_lock_give(&s->lock);
                if (more)
                        receive(s);
                else if (s->end_seen)
                        no_more_messages(s);
        }
        if (bytes)
                grpc_byte_buffer_destroy(bytes);
        tk_rpc_stream_unref(s);
}

static void receive(struct tk_rpc_stream *s)
{
        grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &s->received};
        if (!start(s, &s->op_recv, &op, 1))
                no_more_messages(s);
}

void tk_rpc_stream_resume(struct tk_rpc_stream *s)
{
        tk_lock_take(&s->lock);
        bool go = s->paused && !s->dead;
        s->resumed = !s->paused; /* asked while the message callback still runs */
        s->paused = false;
        /* Started under the lock: the end of the call must not be reported between the look and the start. */
        if (go) {
                grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &s->received};
                if (!start(s, &s->op_recv, &op, 1))
                        s->paused = true;
        }
        tk_lock_give(&s->lock);
}

static void sent(struct tk_rpc_tag *tag, bool ok)
{
        struct tk_rpc_stream *s = ((struct op *)tag)->stream;
        (void)ok;
        grpc_byte_buffer_destroy(s->sending);
        tk_meter_add(s->meter, TK_STREAM_IN_FLIGHT, -1);
        tk_lock_take(&s->lock);
        if (s->blocked_ns)
                tk_meter_add(s->meter, TK_STREAM_BLOCKED_NS, tk_time_mono_ns() - s->blocked_ns);
        s->blocked_ns = 0;
        s->sending = NULL;
        s->busy = false;
        s->wanted = true; /* what came meanwhile leaves now */
        tk_lock_give(&s->lock);
        pump(s);
        tk_rpc_stream_unref(s);
}

/* Under the lock, nothing outstanding: says goodbye to the peer. */
static void send_close(struct tk_rpc_stream *s)
{
        s->close_sent = true;
        if (!s->server) {
                grpc_op op = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
                (void)start(s, &s->op_finish, &op, 1);
                return;
        }
        grpc_slice details = grpc_slice_from_copied_string(s->close_text);
        grpc_op op = {.op = GRPC_OP_SEND_STATUS_FROM_SERVER,
                      .data.send_status_from_server = {.status = (grpc_status_code)s->close_status,
                                                       .status_details = &details}};
        (void)start(s, &s->op_finish, &op, 1);
        grpc_slice_unref(details);
}

static void break_off(struct tk_rpc_stream *s)
{
        grpc_call_cancel_with_status(s->call, GRPC_STATUS_UNAVAILABLE, "a fault", NULL);
}

/* What a test lets go wrong with the frame that is about to leave. */
static void fault_before(struct tk_rpc_stream *s)
{
        if (tk_fault(TK_FAULT_PUSH_LATE))
                tk_time_sleep(FAULT_LATE_NS);
        if (tk_fault(TK_FAULT_PUSH_TWICE))
                s->again = grpc_byte_buffer_copy(s->sending);
        if (tk_fault(TK_FAULT_PUSH_LOSE))
                break_off(s);
}

/* Takes the next frame from the user. False: there is none. */
static bool take_frame(struct tk_rpc_stream *s)
{
        struct tk_buf buf;
        if (s->again) {
                s->sending = s->again;
                s->again = NULL;
                return true;
        }
        tk_buf_init(&buf, SIZE_MAX / 2);
        if (!s->ops->next_frame(s, s->user, &buf)) {
                tk_buf_deinit(&buf);
                return false;
        }
        s->sending = tk_rpc_bytes_take(&buf);
        if (tk_fault_on)
                fault_before(s);
        return true;
}

/* One frame from the user to the call. False: there was none. */
static bool send_frame(struct tk_rpc_stream *s)
{
        if (!take_frame(s))
                return false;
        int64_t len = (int64_t)grpc_byte_buffer_length(s->sending);
        TK_PROBE(frame_sent, s, s->server, len);
        tk_meter_add(s->meter, TK_STREAM_IN_FLIGHT, 1); /* before it can be sent */
        grpc_op op = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = s->sending};
        if (start(s, &s->op_send, &op, 1)) {
                if (tk_fault(TK_FAULT_PUSH_CLOSE))
                        break_off(s);
                tk_meter_add(s->meter, TK_STREAM_FRAMES_OUT, 1);
                tk_meter_add(s->meter, TK_STREAM_BYTES_OUT, len);
                return true;
        }
        tk_meter_add(s->meter, TK_STREAM_IN_FLIGHT, -1);
        grpc_byte_buffer_destroy(s->sending);
        s->sending = NULL;
        return false;
}

/* Sends while there is something to send and nothing on its way. Any thread; the one that sets `busy` does it. */
static void pump(struct tk_rpc_stream *s)
{
        tk_lock_take(&s->lock);
        while (s->wanted && s->open && !s->busy && !s->dead && !s->close_sent) {
                bool frames = !s->close_asked || s->close_status == TK_RPC_OK;
                s->wanted = false;
                s->busy = true;
                s->taking++;
                tk_lock_give(&s->lock);
                bool on_its_way = frames && send_frame(s);
                tk_lock_take(&s->lock);
                if (!--s->taking && s->dead)
                        tk_cond_broadcast(&s->taken);
                if (on_its_way)
                        break; /* `sent` goes on */
                s->busy = false;
                if (s->close_asked && !s->close_sent && !s->dead)
                        send_close(s);
        }
        tk_lock_give(&s->lock);
}

void tk_rpc_stream_wake(struct tk_rpc_stream *s)
{
        tk_lock_take(&s->lock);
        s->wanted = true;
        if (s->busy && !s->blocked_ns)
                s->blocked_ns = tk_time_mono_ns();
        tk_lock_give(&s->lock);
        pump(s);
}

void tk_rpc_stream_close(struct tk_rpc_stream *s, enum tk_rpc_status status, const char *message)
{
        tk_lock_take(&s->lock);
        bool again = s->close_asked && (s->close_status != TK_RPC_OK || status == TK_RPC_OK);
        if (!again) {
                s->close_asked = true;
                s->close_status = status;
                (void)tk_str_copy(s->close_text, sizeof s->close_text, message ? message : "");
                s->wanted = true;
        }
        /* A frame that is stuck with a peer that does not read, or a client that gives up: the call is cut. */
        bool cut = !again && !s->dead && status != TK_RPC_OK && (!s->server || s->busy || s->close_sent);
        tk_lock_give(&s->lock);
        if (cut)
                grpc_call_cancel_with_status(s->call, (grpc_status_code)status, message ? message : "", NULL);
        else if (!again)
                pump(s);
}

static void op_init(struct op *op, struct tk_rpc_stream *s, void (*fn)(struct tk_rpc_tag *tag, bool ok))
{
        op->stream = s;
        op->tag.fn = fn;
}

struct tk_rpc_stream *tk_rpc_stream_new(grpc_call *call, bool server, const char *name)
{
        struct tk_rpc_stream *s = tk_zalloc(sizeof *s);
        s->server = server;
        s->call = call;
        atomic_init(&s->refs, 1);
        s->meter = tk_meter_get(TK_METER_STREAM, name);
        s->end_details = grpc_empty_slice();
        grpc_metadata_array_init(&s->headers);
        grpc_metadata_array_init(&s->trailers);
        tk_lock_init(&s->lock, "rpc-stream");
        tk_cond_init(&s->taken);
        char *peer = grpc_call_get_peer(call);
        (void)tk_str_copy(s->peer, sizeof s->peer, peer);
        gpr_free(peer);
        op_init(&s->op_start, s, started);
        op_init(&s->op_headers, s, started);
        op_init(&s->op_finish, s, started);
        op_init(&s->op_recv, s, received);
        op_init(&s->op_send, s, sent);
        op_init(&s->op_end, s, ended);
        return s;
}

void tk_rpc_stream_start(struct tk_rpc_stream *s, const struct tk_rpc_stream_ops *ops, void *user,
                         void (*gone)(void *owner), void *owner)
{
        s->ops = ops;
        s->user = user;
        s->gone = gone;
        s->owner = owner;
        tk_rpc_stream_ref(s); /* released when the end was reported */
        tk_meter_add(s->meter, TK_STREAM_OPEN, 1);

        grpc_op headers = {.op = GRPC_OP_SEND_INITIAL_METADATA};
        (void)start(s, &s->op_start, &headers, 1);
        grpc_op end = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &s->cancelled};
        if (!s->server) {
                grpc_op recv_headers = {.op = GRPC_OP_RECV_INITIAL_METADATA,
                                        .data.recv_initial_metadata.recv_initial_metadata = &s->headers};
                (void)start(s, &s->op_headers, &recv_headers, 1);
                end = (grpc_op){.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
                                .data.recv_status_on_client = {.trailing_metadata = &s->trailers,
                                                               .status = &s->end_status,
                                                               .status_details = &s->end_details}};
        }
        TK_CHECK(start(s, &s->op_end, &end, 1));
        receive(s);
        tk_lock_take(&s->lock);
        s->open = true; /* `accept` may have shown the stream to a thread that woke it before this */
        s->wanted = true;
        tk_lock_give(&s->lock);
        pump(s);
}
