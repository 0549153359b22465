/* SPDX-License-Identifier: MIT */
/* worker/feed/frame.c: see the header. */
#include "worker/feed/frame.h"
#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/probe.h"
#include "base/str.h"
#include "base/time.h"
#include "rpc/pack.h"
#include "worker/actor/bus.h"
#include "worker/actor/watch.h"
#include "worker/app.h"

#define WORK_SLOW_NS (100 * TK_NS_PER_MS)     /* a completion that takes longer is counted */
#define WORK_SLOW_TOLD_NS (10 * TK_NS_PER_S)  /* and told by health for so long */

/* ---- in ---- */

/* How long a result was on its way until it was stored; a slow one is a sign that somebody behind us is in trouble. */
static void completed(struct work_app *app, int64_t took_ns)
{
        tk_metric_observe(app->metrics, WORK_M_completion_seconds, took_ns);
        if (took_ns <= WORK_SLOW_NS)
                return;
        work_count(app, slow_completions_total);
        atomic_store(&app->slow_until_ns, tk_time_mono_ns() + WORK_SLOW_TOLD_NS);
}

static bool uuid_from(const ProtobufCBinaryData *bytes, struct tk_uuid *ret)
{
        if (bytes->len != sizeof ret->b)
                return false;
        memcpy(ret->b, bytes->data, sizeof ret->b);
        return true;
}

static const char *taken_from(const Tasker__Dispatch__V1__Assign *a, struct work_taken *ret)
{
        *ret = (struct work_taken){.key.attempt = a->attempt, .token = a->lease_token};
        if (!uuid_from(&a->step_uuid, &ret->key.step) || !uuid_from(&a->task_uuid, &ret->task))
                return "Assign: UUIDs must have 16 bytes";
        if (!a->attempt)
                return "Assign.attempt must be at least 1";
        if (!*a->namespace_ || tk_str_copy(ret->ns, sizeof ret->ns, a->namespace_))
                return "Assign.namespace must have 1 to 63 bytes";
        if (!*a->step_name)
                return "Assign.step_name is empty";
        return NULL;
}

static const char *assign(struct work_app *app, unsigned link, int64_t lease_ns, struct work_frame *owner,
                          const Tasker__Dispatch__V1__Assign *a, bool *waits)
{
        struct work_taken taken;
        const char *why = taken_from(a, &taken);
        if (why)
                return why;
        switch (work_ledger_take(app->ledger, link, &taken)) {
        case WORK_TAKE_E_FULL:
                return "more assignments than credit";
        case WORK_TAKE_E_KNOWN:
                work_count(app, steps_repeated_total);
                return NULL;
        case WORK_TAKE_WAITS:
                *waits = true;
                break;
        default:
                break;
        }
        struct work_job *job = work_job_new(owner, a, &taken.key, link);
        job->lease_ns = lease_ns;
        work_count(app, steps_taken_total);
        TK_PROBE(step_received, &taken.key.step, &taken.task, taken.key.attempt);
        /* Bounded by the ledger. Closed only after every stream was. */
        int r = tk_actor_post_always(app->execute, &job->msg);
        TK_CHECK(!r);
        return NULL;
}

static bool of_one_task(const Tasker__Dispatch__V1__OrchestratorFrame *frame)
{
        for (size_t i = 1; i < frame->n_assign; i++) {
                const ProtobufCBinaryData *a = &frame->assign[0]->task_uuid, *b = &frame->assign[i]->task_uuid;
                if (a->len != b->len || (a->len && memcmp(a->data, b->data, a->len) != 0)) /* empty bytes have no address */
                        return false;
        }
        return true;
}

const char *work_frame_assigns(struct work_app *app, unsigned link, int64_t lease_ns, struct work_frame *owner,
                               const Tasker__Dispatch__V1__OrchestratorFrame *frame, bool *ret_waits)
{
        *ret_waits = false;
        owner->company.siblings = of_one_task(frame);
        for (size_t i = 0; i < frame->n_assign; i++) {
                const char *why = assign(app, link, lease_ns, owner, frame->assign[i], ret_waits);
                if (why)
                        return why;
        }
        return NULL;
}

void work_frame_cancels(struct work_app *app, const Tasker__Dispatch__V1__OrchestratorFrame *frame)
{
        for (size_t i = 0; i < frame->n_cancel; i++) {
                const Tasker__Dispatch__V1__Cancel *cancel = frame->cancel[i];
                struct work_key key = {.attempt = cancel->attempt};
                if (!uuid_from(&cancel->step_uuid, &key.step))
                        continue;
                work_ledger_cancel(app->ledger, &key);
                work_watch_cancel(app->watch, &key);
                char step[TK_UUID_TEXT];
                tk_uuid_format(&key.step, step);
                tk_log_info("step.cancelled", cancel->reason, TK_STR("step_uuid", step), TK_INT("attempt", key.attempt));
        }
}

bool work_frame_acks(struct work_app *app, const Tasker__Dispatch__V1__OrchestratorFrame *frame)
{
        bool more_credit = false;
        for (size_t i = 0; i < frame->n_acks; i++) {
                struct work_key key = {.attempt = frame->acks[i]->attempt};
                if (!uuid_from(&frame->acks[i]->step_uuid, &key.step))
                        continue;
                int64_t took_ns;
                struct work_events *events;
                more_credit |= work_ledger_ack(app->ledger, &key, &took_ns, &events);
                if (events)
                        work_bus_settled(app->bus, events, frame->acks[i]->stale, frame->acks[i]->refused);
                if (took_ns < 0)
                        continue; /* given back, or here twice */
                TK_PROBE(result_acknowledged, &key.step, key.attempt, took_ns);
                completed(app, took_ns);
                work_count_l(app, results_acked_total, frame->acks[i]->stale ? "stale" : "stored");
        }
        return more_credit;
}

/* ---- out ---- */

/* protobuf-c wants char * where it only reads. */
static char *text(const char *constant)
{
        return (char *)(uintptr_t)constant;
}

static void put_frame(const Tasker__Dispatch__V1__WorkerFrame *frame, struct tk_buf *buf)
{
        tk_rpc_pack(&frame->base, buf);
}

static Tasker__Dispatch__V1__Held **held_messages(struct tk_arena *arena, struct work_taken *taken, size_t n)
{
        Tasker__Dispatch__V1__Held **list = TK_ARENA_ARRAY(arena, Tasker__Dispatch__V1__Held *, n + 1);
        for (size_t i = 0; i < n; i++, taken++) {
                list[i] = TK_ARENA_NEW(arena, Tasker__Dispatch__V1__Held);
                tasker__dispatch__v1__held__init(list[i]);
                list[i]->step_uuid = (ProtobufCBinaryData){sizeof taken->key.step.b, taken->key.step.b};
                list[i]->task_uuid = (ProtobufCBinaryData){sizeof taken->task.b, taken->task.b};
                list[i]->attempt = taken->key.attempt;
                list[i]->lease_token = taken->token;
                list[i]->namespace_ = taken->ns;
        }
        return list;
}

bool work_frame_put_untold(struct work_app *app, unsigned link, struct tk_buf *buf)
{
        struct work_untold untold;
        if (!work_ledger_untold(app->ledger, link, &untold))
                return false;
        TK_AUTOFREE struct work_taken *taken = untold.held;
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(16 * 1024, (size_t)64 << 20);
        Tasker__Dispatch__V1__WorkerFrame frame = TASKER__DISPATCH__V1__WORKER_FRAME__INIT;
        frame.held = held_messages(arena, taken, untold.held_n);
        frame.n_held = untold.held_n;
        frame.returned = held_messages(arena, untold.returned, untold.returned_n);
        frame.n_returned = untold.returned_n;
        frame.recall = untold.recall;
        put_frame(&frame, buf);
        return true;
}

static void put_names(struct work_app *app, struct tk_arena *arena, Tasker__Dispatch__V1__Hello *hello)
{
        hello->n_namespaces = app->sources.namespaces_n;
        hello->namespaces = TK_ARENA_ARRAY(arena, char *, hello->n_namespaces + 1);
        for (size_t i = 0; i < hello->n_namespaces; i++)
                hello->namespaces[i] = text(app->sources.namespaces[i]);
        hello->n_handlers = work_registry_count(app->registry);
        hello->handlers = TK_ARENA_ARRAY(arena, char *, hello->n_handlers + 1);
        for (size_t i = 0; i < hello->n_handlers; i++)
                hello->handlers[i] = text(work_registry_name(app->registry, i));
}

void work_frame_put_hello(struct work_app *app, unsigned link, struct tk_buf *buf)
{
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(16 * 1024, (size_t)64 << 20);
        Tasker__Dispatch__V1__Hello hello = TASKER__DISPATCH__V1__HELLO__INIT;
        hello.worker_id = app->worker_id;
        hello.version = text(TASKER_VERSION);
        hello.hostname = app->hostname;
        hello.permits = app->conf.permits;
        put_names(app, arena, &hello);
        TK_AUTOFREE struct work_taken *held = work_ledger_adopt(app->ledger, link, &hello.n_held);
        hello.held = held_messages(arena, held, hello.n_held);
        Tasker__Dispatch__V1__WorkerFrame frame = TASKER__DISPATCH__V1__WORKER_FRAME__INIT;
        frame.hello = &hello;
        put_frame(&frame, buf);
}

void work_frame_put_credit(unsigned steps, uint64_t granted, struct tk_buf *buf)
{
        Tasker__Dispatch__V1__Credit credit = TASKER__DISPATCH__V1__CREDIT__INIT;
        Tasker__Dispatch__V1__Credit *list[] = {&credit};
        Tasker__Dispatch__V1__WorkerFrame frame = TASKER__DISPATCH__V1__WORKER_FRAME__INIT;
        credit.steps = steps;
        credit.granted = granted;
        frame.n_credit = 1;
        frame.credit = list;
        put_frame(&frame, buf);
}

void work_frame_put_heartbeat(struct work_app *app, uint64_t sequence, struct tk_buf *buf)
{
        struct work_ledger_numbers numbers;
        Tasker__Dispatch__V1__Heartbeat beat = TASKER__DISPATCH__V1__HEARTBEAT__INIT;
        Tasker__Dispatch__V1__WorkerFrame frame = TASKER__DISPATCH__V1__WORKER_FRAME__INIT;
        work_ledger_numbers(app->ledger, &numbers);
        beat.sequence = sequence;
        beat.running = numbers.running + numbers.overruns;
        beat.queued = numbers.queued;
        beat.unacknowledged = numbers.unacknowledged;
        frame.heartbeat = &beat;
        put_frame(&frame, buf);
}

void work_frame_put_goodbye(struct tk_buf *buf)
{
        Tasker__Dispatch__V1__WorkerFrame frame = TASKER__DISPATCH__V1__WORKER_FRAME__INIT;
        frame.goodbye = true;
        put_frame(&frame, buf);
}
