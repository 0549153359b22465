/* SPDX-License-Identifier: MIT */
/* Frames of the dispatch stream, as a peer that is not one of ours might send them: in one go to the orchestrator's end of a stream and to
 * the worker's. Input: frames, each after its length in two bytes, low byte first. What is real is everything from the bytes to the
 * mailboxes: decoding, checks, sessions, ledger, and the frames that go back. The stream itself and the actors behind the mailboxes are
 * here (-Wl,--wrap), and take what they get as the real ones would. */
#include "fuzz/fuzz.h"
#include "base/mem.h"
#include "base/time.h"
#include "orchestrator/actor/dispatch.h"
#include "orchestrator/actor/results.h"
#include "orchestrator/app.h"
#include "orchestrator/feed/stream.h"
#include "rpc/pack.h"
#include "tasker/dispatch/v1/dispatch.pb-c.h"
#include "worker/actor/watch.h"
#include "worker/app.h"
#include "worker/feed/frame.h"
#include <stdlib.h>
#include <string.h>

enum { FRAMES_MAX = 64, ARENA_BLOCK = 16 * 1024, LEDGER_PERMITS = 2, LEDGER_TOTAL = 8, LEDGER_UNACKED = 8 };
#define ARENA_MAX ((size_t)64 << 20)

/* ---- in place of the stream and of the actors ---- */

static bool ended; /* the stream was closed by our side */

void __wrap_tk_rpc_stream_ref(struct tk_rpc_stream *stream);
void __wrap_tk_rpc_stream_unref(struct tk_rpc_stream *stream);
void __wrap_tk_rpc_stream_wake(struct tk_rpc_stream *stream);
void __wrap_tk_rpc_stream_resume(struct tk_rpc_stream *stream);
const char *__wrap_tk_rpc_stream_peer(const struct tk_rpc_stream *stream);
void __wrap_tk_rpc_stream_close(struct tk_rpc_stream *stream, enum tk_rpc_status status, const char *message);
void __wrap_orch_results_post(struct orch_app *app, struct orch_results_msg *results);
void __wrap_orch_dispatch_release(struct orch_app *app, const struct orch_held *held, size_t n, const bool *lost);
void __wrap_orch_dispatch_give_back(struct orch_app *app, struct orch_session *session, const struct orch_held *held, size_t n);
int __wrap_tk_actor_post_always(struct tk_actor *to, struct tk_msg *msg);

void __wrap_tk_rpc_stream_ref(struct tk_rpc_stream *stream)
{
        (void)stream;
}

void __wrap_tk_rpc_stream_unref(struct tk_rpc_stream *stream)
{
        (void)stream;
}

void __wrap_tk_rpc_stream_wake(struct tk_rpc_stream *stream)
{
        (void)stream;
}

void __wrap_tk_rpc_stream_resume(struct tk_rpc_stream *stream)
{
        (void)stream;
}

const char *__wrap_tk_rpc_stream_peer(const struct tk_rpc_stream *stream)
{
        (void)stream;
        return "fuzz";
}

void __wrap_tk_rpc_stream_close(struct tk_rpc_stream *stream, enum tk_rpc_status status, const char *message)
{
        (void)stream;
        (void)status;
        TK_CHECK(*message);
        ended = true;
}

/* What the settling functions rely on. */
void __wrap_orch_results_post(struct orch_app *app, struct orch_results_msg *results)
{
        (void)app;
        for (size_t i = 0; i < results->n; i++) {
                const struct orch_result *result = &results->results[i];
                TK_CHECK(result->attempt > 0 && result->attempt <= INT16_MAX && *result->ns && result->json_len && result->delay_ms >= -1 &&
                         result->exec_ms >= 0 && !(result->success && result->retryable));
                volatile char last = result->json[result->json_len - 1]; /* all of it is there to read */
                (void)last;
        }
        results->taken(results->session, results->user, results->n);
        orch_session_unref(results->session);
        tk_arena_free(results->arena);
        tk_free(results);
}

void __wrap_orch_dispatch_release(struct orch_app *app, const struct orch_held *held, size_t n, const bool *lost)
{
        (void)app;
        (void)lost;
        for (size_t i = 0; i < n; i++)
                TK_CHECK(memchr(held[i].ns, 0, sizeof held[i].ns));
}

void __wrap_orch_dispatch_give_back(struct orch_app *app, struct orch_session *session, const struct orch_held *held, size_t n)
{
        __wrap_orch_dispatch_release(app, held, n, NULL);
        orch_session_ack(session, held, n, false);
}

/* The execute actor: a job in the ledger, its handler not yet begun. */
int __wrap_tk_actor_post_always(struct tk_actor *to, struct tk_msg *msg)
{
        struct work_job *job = (struct work_job *)msg;
        (void)to;
        TK_CHECK(*job->assign->step_name && job->assign->attempt);
        work_job_free(job);
        return 0;
}

/* ---- the two ends ---- */

static const struct tk_metric_row orch_rows[] = {
#define METRIC(id, kind, label, help) {"o_" #id, TK_METRIC_##kind, label, help},
#include "orchestrator/tbl/metrics.h"
#undef METRIC
};
static const struct tk_metric_row work_rows[] = {
#define METRIC(id, kind, label, help) {"w_" #id, TK_METRIC_##kind, label, help},
#include "worker/tbl/metrics.h"
#undef METRIC
};

struct frame {
        const uint8_t *data;
        size_t len;
};

static size_t split(const uint8_t *data, size_t len, struct frame frames[FRAMES_MAX])
{
        size_t n = 0;
        for (size_t at = 0; n < FRAMES_MAX && len - at > 2; n++) {
                size_t want = (size_t)data[at] | (size_t)data[at + 1] << 8, left = len - at - 2;
                frames[n] = (struct frame){data + at + 2, want < left ? want : left};
                at += 2 + frames[n].len;
        }
        return n;
}

static void want_work(void *user)
{
        (void)user;
}

static void to_orchestrator(const struct frame *frames, size_t n)
{
        struct orch_app *app = TK_NEW(struct orch_app);
        const struct tk_rpc_stream_ops *ops;
        void *user;
        TK_AUTOBUF struct tk_buf out;
        app->conf.lease = 30 * TK_NS_PER_S;
        app->conf.heartbeat = 2 * TK_NS_PER_S;
        app->metrics = tk_metrics_new(orch_rows, ORCH_METRICS);
        app->sessions = orch_sessions_new(&(struct orch_sessions_ops){.want_work = want_work});
        ended = false;
        TK_CHECK(orch_stream_accept((struct tk_rpc_stream *)app, app, &ops, &user) == TK_RPC_OK);
        tk_buf_init(&out, SIZE_MAX / 2);
        for (size_t i = 0; i < n && !ended; i++) {
                (void)ops->message((struct tk_rpc_stream *)app, user, frames[i].data, frames[i].len);
                tk_buf_reset(&out);
                if (!ended && ops->next_frame((struct tk_rpc_stream *)app, user, &out)) {
                        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
                        TK_CHECK(tk_rpc_unpack(&tasker__dispatch__v1__orchestrator_frame__descriptor, arena, out.data, out.len));
                }
        }
        ops->closed((struct tk_rpc_stream *)app, user, TK_RPC_OK, "the end");
        orch_sessions_free(app->sessions);
        tk_metrics_free(app->metrics);
        tk_free(app);
}

static void to_worker(const struct frame *frames, size_t n)
{
        struct work_app *app = TK_NEW(struct work_app);
        TK_AUTOBUF struct tk_buf out;
        const char *why = NULL;
        app->metrics = tk_metrics_new(work_rows, WORK_METRICS);
        app->ledger = work_ledger_new(2, LEDGER_PERMITS, LEDGER_TOTAL, LEDGER_UNACKED);
        app->watch = work_watch_new(app);
        work_ledger_up(app->ledger, 0, true);
        work_ledger_up(app->ledger, 1, true);
        tk_buf_init(&out, SIZE_MAX / 2);
        for (size_t i = 0; i < n && !why; i++) {
                struct tk_arena *arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
                struct work_frame *owner = work_frame_new(arena, &app->in_hand);
                unsigned link = i % 2;
                const Tasker__Dispatch__V1__OrchestratorFrame *frame =
                        tk_rpc_unpack(&tasker__dispatch__v1__orchestrator_frame__descriptor, arena, frames[i].data, frames[i].len);
                if (frame) {
                        bool waits;
                        int64_t oldest_ns;
                        why = work_frame_assigns(app, link, TK_NS_PER_S, owner, frame, &waits);
                        if (frame->recalled)
                                work_ledger_recalled(app->ledger, link, frame->recalled);
                        work_frame_cancels(app, frame);
                        (void)work_frame_acks(app, frame);
                        if (frame->drain)
                                work_ledger_hand_over(app->ledger, link);
                        (void)work_ledger_give_back(app->ledger, TK_TIME_NEVER, &oldest_ns);
                        unsigned credit;
                        tk_buf_reset(&out);
                        (void)work_ledger_collect(app->ledger, link, &out, 65536, &credit);
                        (void)work_frame_put_untold(app, link, &out);
                        TK_CHECK(credit <= LEDGER_TOTAL);
                }
                work_frame_unref(owner);
        }
        work_watch_free(app->watch);
        work_ledger_free(app->ledger);
        tk_metrics_free(app->metrics);
        tk_free(app);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
        struct frame frames[FRAMES_MAX];
        size_t n = split(data, len, frames);
        to_orchestrator(frames, n);
        to_worker(frames, n);
        return 0;
}
