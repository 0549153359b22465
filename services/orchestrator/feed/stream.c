/* SPDX-License-Identifier: MIT */
/* orchestrator/feed/stream.c: see the header. Runs on the completion-queue thread: decode, check, hand on.
 *
 * A peer that breaks the protocol loses its stream, with the reason; the process goes on. A worker that sends results
 * faster than they are settled is not read from until some are. */
#include "orchestrator/feed/stream.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/probe.h"
#include "base/str.h"
#include "base/time.h"
#include "orchestrator/actor/dispatch.h"
#include "orchestrator/actor/results.h"
#include "orchestrator/app.h"
#include "rpc/pack.h"
#include "tasker/dispatch/v1/dispatch.pb-c.h"
#include <stdatomic.h>
#include <stdio.h>

enum { FRAME_ARENA_BLOCK = 16 * 1024, UNSETTLED_MAX = 8192, WORKER_ID_MAX = 127, EVENTS_MAX = 64, EVENT_BYTES_MAX = 4 << 20 };
#define FRAME_ARENA_MAX ((size_t)64 << 20)
#define PLAUSIBLE_MAX_US INT64_C(4102444800000000) /* the year 2100 */

typedef Tasker__Dispatch__V1__WorkerFrame worker_frame;

struct connection {
        struct orch_app *app;
        struct tk_rpc_stream *stream;
        struct orch_session *session;
        atomic_uint refs;
        atomic_uint unsettled; /* results handed on and not acked */
        atomic_bool paused;
        bool greeted;
        uint64_t granted; /* the credit that came on this stream */
};

static void connection_unref(struct connection *c)
{
        if (atomic_fetch_sub(&c->refs, 1) != 1)
                return;
        tk_rpc_stream_unref(c->stream);
        tk_free(c);
}

/* Results were settled: read on if we had stopped. */
static void results_taken(struct orch_session *session, void *user, size_t n)
{
        struct connection *c = user;
        (void)session;
        atomic_fetch_sub(&c->unsettled, (unsigned)n);
        if (atomic_load(&c->unsettled) < UNSETTLED_MAX && atomic_exchange(&c->paused, false))
                tk_rpc_stream_resume(c->stream);
        connection_unref(c);
}

static void refuse(struct connection *c, const char *why)
{
        tk_log_warn("worker.refused", why, TK_STR("peer", tk_rpc_stream_peer(c->stream)),
                    TK_STR("worker", orch_session_worker(c->session)));
        tk_rpc_stream_close(c->stream, TK_RPC_INVALID_ARGUMENT, why);
}

static bool uuid_from(const ProtobufCBinaryData *bytes, struct tk_uuid *ret)
{
        if (bytes->len != sizeof ret->b)
                return false;
        memcpy(ret->b, bytes->data, sizeof ret->b);
        return true;
}

/* A name goes into statements together with those of others: one that is no text would fail them all. */
static bool is_name(const char *text, size_t max)
{
        size_t len = strlen(text);
        return len && len <= max && tk_str_utf8_valid(text, len);
}

static void welcome(struct connection *c)
{
        Tasker__Dispatch__V1__Welcome w = TASKER__DISPATCH__V1__WELCOME__INIT;
        Tasker__Dispatch__V1__OrchestratorFrame frame = TASKER__DISPATCH__V1__ORCHESTRATOR_FRAME__INIT;
        char version[] = TASKER_VERSION;
        w.orchestrator_id = c->app->instance_id;
        w.version = version;
        w.lease_ms = (uint32_t)(c->app->conf.lease / TK_NS_PER_MS);
        w.takes_returned = true;
        w.heartbeat_ms = (uint32_t)(c->app->conf.heartbeat / TK_NS_PER_MS);
        frame.welcome = &w;
        frame.drain = atomic_load(&c->app->stopping);
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, SIZE_MAX / 2);
        tk_rpc_pack(&frame.base, &buf);
        orch_session_send(c->session, buf.data, buf.len);
}

/* What the worker says it holds; NULL, or why not. */
static const char *take_held(struct connection *c, Tasker__Dispatch__V1__Held *const *list, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct orch_held held = {.attempt = list[i]->attempt, .token = list[i]->lease_token};
                if (!uuid_from(&list[i]->step_uuid, &held.step) || !uuid_from(&list[i]->task_uuid, &held.task))
                        return "Held: UUIDs must have 16 bytes";
                if (!is_name(list[i]->namespace_, ORCH_NAMESPACE_MAX - 1))
                        return "Held.namespace must be UTF-8 of 1 to 63 bytes";
                (void)tk_str_copy(held.ns, sizeof held.ns, list[i]->namespace_);
                orch_session_hold(c->session, &held);
        }
        return NULL;
}

/* What the worker will not begin; NULL, or why not. Only what this session holds goes back, and as this process knows it; of the rest nothing is
 * done but to let the worker forget it: it is over, or somebody else's. */
static const char *take_returned(struct connection *c, Tasker__Dispatch__V1__Held *const *list, size_t n)
{
        if (n > ORCH_CREDIT_MAX)
                return "WorkerFrame.returned has more than 100000 entries";
        TK_AUTOFREE struct orch_held *returned = tk_calloc(n, sizeof *returned);
        TK_AUTOFREE struct orch_held *unknown = tk_calloc(n, sizeof *unknown);
        size_t returned_n = 0, unknown_n = 0;
        for (size_t i = 0; i < n; i++)
                if (list[i]->step_uuid.len != sizeof(struct tk_uuid))
                        return "WorkerFrame.returned: UUIDs must have 16 bytes";
        for (size_t i = 0; i < n; i++) {
                struct orch_held *held = &unknown[unknown_n];
                (void)uuid_from(&list[i]->step_uuid, &held->step);
                held->attempt = list[i]->attempt;
                if (orch_session_take_back(c->session, &held->step, held->attempt, &returned[returned_n]))
                        returned_n++;
                else
                        unknown_n++;
        }
        orch_session_ack(c->session, unknown, unknown_n, true);
        orch_dispatch_give_back(c->app, c->session, returned, returned_n);
        return NULL;
}

/* NULL, or why not. */
static const char *greet(struct connection *c, const Tasker__Dispatch__V1__Hello *hello)
{
        if (c->greeted)
                return "a second Hello on one stream";
        if (!is_name(hello->worker_id, WORKER_ID_MAX))
                return "Hello.worker_id must be UTF-8 of 1 to 127 bytes";
        if (!hello->n_namespaces || hello->n_namespaces > ORCH_SESSION_NAMESPACES_MAX)
                return "Hello.namespaces must have 1 to 256 entries";
        for (size_t i = 0; i < hello->n_namespaces; i++)
                if (!is_name(hello->namespaces[i], ORCH_NAMESPACE_MAX - 1))
                        return "Hello.namespaces: each must be UTF-8 of 1 to 63 bytes";
        const char *why = take_held(c, hello->held, hello->n_held);
        if (why)
                return why;
        c->greeted = true;
        orch_session_hello(c->session, hello->worker_id, (const char *const *)hello->namespaces, hello->n_namespaces);
        welcome(c);
        tk_log_info("worker.connected", NULL, TK_STR("worker", hello->worker_id),
                    TK_STR("peer", tk_rpc_stream_peer(c->stream)), TK_INT("namespaces", hello->n_namespaces),
                    TK_INT("permits", hello->permits), TK_INT("held", hello->n_held));
        return NULL;
}

/* What a peer says of time is for people; what cannot be is unknown. */
static int64_t plausible(int64_t us)
{
        return us > 0 && us < PLAUSIBLE_MAX_US ? us : 0;
}

static void stages_from(const Tasker__Dispatch__V1__Result *in, int64_t now_us, int64_t ret[ORCH_STAGES])
{
        ret[ORCH_STAGE_COMMITTED] = plausible(in->committed_at_us);
        ret[ORCH_STAGE_RECEIVED] = plausible(in->received_at_us);
        ret[ORCH_STAGE_PERMIT] = plausible(in->permit_us);
        ret[ORCH_STAGE_HANDLER] = plausible(in->handler_us);
        ret[ORCH_STAGE_RETURNED] = now_us;
}

/* NULL, or why not. */
static const char *events_from(const Tasker__Dispatch__V1__Result *in, struct tk_arena *arena, struct orch_result *ret)
{
        static const char *const whens[] = {NULL, "success", "failure", "retryable_failure", "permanent_failure", "always"};
        if (in->n_events > EVENTS_MAX)
                return "Result.events has more than 64 events";
        struct orch_event *events = TK_ARENA_ARRAY(arena, struct orch_event, in->n_events);
        for (size_t i = 0; i < in->n_events; i++) {
                const Tasker__Dispatch__V1__Event *event = in->events[i];
                if (event->when <= 0 || (size_t)event->when >= tk_countof(whens))
                        return "Event.when is missing or unknown";
                if (!event->event_json.len || event->event_json.len > EVENT_BYTES_MAX)
                        return "Event.event_json must have 1 byte to 4 MiB";
                events[i] = (struct orch_event){whens[event->when], (const char *)event->event_json.data, event->event_json.len};
        }
        ret->events = events;
        ret->events_n = (unsigned)in->n_events;
        return NULL;
}

/* Fills one result from the wire; NULL, or why not. Texts stay in the frame's arena. */
static const char *result_from(const Tasker__Dispatch__V1__Result *in, const struct connection *c, int64_t now_us,
                               struct tk_arena *arena, struct orch_result *ret)
{
        if (!uuid_from(&in->step_uuid, &ret->step) || !uuid_from(&in->task_uuid, &ret->task))
                return "Result: UUIDs must have 16 bytes";
        if (in->outcome < TASKER__DISPATCH__V1__OUTCOME__OUTCOME_SUCCESS ||
            in->outcome > TASKER__DISPATCH__V1__OUTCOME__OUTCOME_SUB_TASK)
                return "Result.outcome is missing or unknown";
        if (!in->attempt || in->attempt > INT16_MAX)
                return "Result.attempt must be between 1 and 32767";
        if (!is_name(in->namespace_, sizeof ret->ns - 1))
                return "Result.namespace must be UTF-8 of 1 to 63 bytes";
        ret->attempt = in->attempt;
        ret->token = in->lease_token;
        ret->success = in->outcome == TASKER__DISPATCH__V1__OUTCOME__OUTCOME_SUCCESS;
        ret->retryable = in->outcome == TASKER__DISPATCH__V1__OUTCOME__OUTCOME_RETRYABLE_ERROR;
        ret->sub_task = in->outcome == TASKER__DISPATCH__V1__OUTCOME__OUTCOME_SUB_TASK;
        ret->delay_ms = in->retry_delay_ms < 0
                                ? -1
                                : (int32_t)(in->retry_delay_ms > INT32_MAX ? INT32_MAX : in->retry_delay_ms);
        ret->exec_ms = in->execution_time_ms < 0
                               ? 0
                               : (int32_t)(in->execution_time_ms > INT32_MAX ? INT32_MAX : in->execution_time_ms);
        stages_from(in, now_us, ret->stages);
        ret->json = (const char *)in->result_json.data;
        ret->json_len = in->result_json.len;
        ret->worker = orch_session_worker(c->session);
        (void)tk_str_copy(ret->ns, sizeof ret->ns, in->namespace_);
        if (!ret->json_len)
                return "Result.result_json is empty";
        return in->n_events ? events_from(in, arena, ret) : NULL;
}

/* Hands the results of a frame on; takes over the arena. NULL, or why not (then the arena is the caller's). */
static const char *take_results(struct connection *c, const worker_frame *frame, struct tk_arena *arena)
{
        struct orch_result *list = TK_ARENA_ARRAY(arena, struct orch_result, frame->n_results);
        int64_t now_us = tk_time_wall_ns() / TK_NS_PER_US;
        for (size_t i = 0; i < frame->n_results; i++) {
                const char *why = result_from(frame->results[i], c, now_us, arena, &list[i]);
                if (why)
                        return why;
        }
        /* From here on the results are ours: a stream that closes now must not take these steps for lost. */
        for (size_t i = 0; i < frame->n_results; i++) {
                TK_PROBE(result_received, &list[i].step, list[i].attempt, list[i].success);
                (void)orch_session_forget(c->session, &list[i].step, list[i].attempt);
        }
        struct orch_results_msg *results = TK_NEW(struct orch_results_msg);
        orch_session_ref(c->session);
        atomic_fetch_add(&c->refs, 1);
        atomic_fetch_add(&c->unsettled, (unsigned)frame->n_results);
        results->session = c->session;
        results->arena = arena;
        results->results = list;
        results->n = frame->n_results;
        results->taken = results_taken;
        results->user = c;
        orch_results_post(c->app, results);
        return NULL;
}

/* A worker that counts is believed once; one that does not count, each time. */
static void credit(struct connection *c, const Tasker__Dispatch__V1__Credit *credit)
{
        if (credit->granted && credit->granted <= c->granted)
                return;
        if (credit->granted)
                c->granted = credit->granted;
        orch_session_grant(c->session, credit->steps);
}

static void heartbeat(struct connection *c, const Tasker__Dispatch__V1__Heartbeat *beat)
{
        Tasker__Dispatch__V1__OrchestratorFrame frame = TASKER__DISPATCH__V1__ORCHESTRATOR_FRAME__INIT;
        uint8_t bytes[32];
        frame.heartbeat_ack = beat->sequence;
        size_t len = tasker__dispatch__v1__orchestrator_frame__pack(&frame, bytes);
        orch_session_send(c->session, bytes, len);
}

/* NULL, or why the peer is refused. *arena is set to NULL when it was taken over. */
static const char *take_frame(struct connection *c, const worker_frame *frame, struct tk_arena **arena)
{
        if (frame->hello) {
                const char *why = greet(c, frame->hello);
                if (why)
                        return why;
        }
        if (!c->greeted)
                return "the first frame must be a Hello";
        for (size_t i = 0; i < frame->n_credit; i++)
                credit(c, frame->credit[i]);
        if (frame->heartbeat)
                heartbeat(c, frame->heartbeat);
        if (frame->n_held) {
                const char *why = take_held(c, frame->held, frame->n_held);
                if (why)
                        return why;
        }
        if (frame->recall) /* before what is returned, which would come back by it */
                orch_session_recall(c->session);
        if (frame->n_returned) {
                const char *why = take_returned(c, frame->returned, frame->n_returned);
                if (why)
                        return why;
        }
        bool goodbye = frame->goodbye;
        if (frame->n_results) {
                const char *why = take_results(c, frame, *arena);
                if (why)
                        return why;
                *arena = NULL; /* and the frame with it */
        }
        if (goodbye)
                tk_rpc_stream_close(c->stream, TK_RPC_OK, "goodbye");
        return NULL;
}

static bool message(struct tk_rpc_stream *stream, void *user, const void *data, size_t len)
{
        struct connection *c = user;
        (void)stream;
        orch_count_l(c->app, stream_frames_total, "received");
        tk_metric_add_l(c->app->metrics, ORCH_M_stream_bytes_total, "received", (int64_t)len);
        struct tk_arena *arena = tk_arena_new(FRAME_ARENA_BLOCK, FRAME_ARENA_MAX);
        const worker_frame *frame = tk_rpc_unpack(&tasker__dispatch__v1__worker_frame__descriptor, arena, data, len);
        const char *why = frame ? take_frame(c, frame, &arena) : "not a WorkerFrame";
        tk_arena_free(arena);
        if (why) {
                refuse(c, why);
                return false;
        }
        orch_session_seen(c->session, tk_time_mono_ns());
        if (atomic_load(&c->unsettled) < UNSETTLED_MAX)
                return true;
        atomic_store(&c->paused, true);
        /* Settled between the look and the mark: nobody else would resume. */
        return atomic_load(&c->unsettled) < UNSETTLED_MAX && atomic_exchange(&c->paused, false);
}

static bool next_frame(struct tk_rpc_stream *stream, void *user, struct tk_buf *buf)
{
        struct connection *c = user;
        (void)stream;
        if (!orch_session_next_frame(c->session, buf))
                return false;
        orch_count_l(c->app, stream_frames_total, "sent");
        tk_metric_add_l(c->app->metrics, ORCH_M_stream_bytes_total, "sent", (int64_t)buf->len);
        return true;
}

/* It is us who leave, not the worker: what it was sent it goes on with. Who takes over the lease: dispatch.proto. */
static size_t only_unsent(struct orch_held *held, bool *sent, size_t n)
{
        size_t kept = 0;
        for (size_t i = 0; i < n; i++)
                if (!sent[i])
                        held[kept++] = held[i];
        memset(sent, false, kept);
        return kept;
}

static void closed(struct tk_rpc_stream *stream, void *user, enum tk_rpc_status status, const char *why)
{
        struct connection *c = user;
        bool *sent;
        size_t n;
        (void)stream;
        tk_log_info("worker.disconnected", why, TK_STR("worker", orch_session_worker(c->session)),
                    TK_STR("status", tk_rpc_status_name(status)));
        struct orch_held *held = orch_session_closed(c->session, &sent, &n);
        if (atomic_load(&c->app->stopping))
                n = only_unsent(held, sent, n);
        orch_dispatch_release(c->app, held, n, sent);
        tk_free(held);
        tk_free(sent);
        connection_unref(c);
}

static const struct tk_rpc_stream_ops ops = {.message = message, .next_frame = next_frame, .closed = closed};

enum tk_rpc_status orch_stream_accept(struct tk_rpc_stream *stream, void *app_,
                                      const struct tk_rpc_stream_ops **ret_ops, void **ret_user)
{
        struct orch_app *app = app_;
        if (atomic_load(&app->stopping))
                return TK_RPC_UNAVAILABLE;
        struct connection *c = TK_NEW(struct connection);
        c->app = app;
        c->stream = stream;
        tk_rpc_stream_ref(stream);
        atomic_init(&c->refs, 1);
        c->session = orch_session_new(app->sessions, stream);
        *ret_ops = &ops;
        *ret_user = c;
        return TK_RPC_OK;
}
