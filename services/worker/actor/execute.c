/* SPDX-License-Identifier: MIT */
/* worker/actor/execute.c: one assignment from mailbox to result: template, handler, permit, call, result.
 *
 * The permit is given back before the result goes out. The mailbox is bounded by the credit this worker granted. */
#include "worker/actor/execute.h"
#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/probe.h"
#include "base/str.h"
#include "base/time.h"
#include "worker/abi/context.h"
#include "worker/actor/checkpoint.h"
#include "worker/actor/job.h"
#include "worker/actor/publish.h"
#include "worker/actor/watch.h"
#include "worker/app.h"
#include "worker/feed/links.h"
#include "worker/handler/resolver.h"

enum { ARENA_BLOCK = 8 * 1024, CHECKPOINT_MAX = 64 << 20 };
#define ARENA_MAX ((size_t)256 << 20)

struct execution {
        struct work_app *app;
        struct work_job *job;
        struct tk_arena *arena;
        const struct tk_template *tpl;
        unsigned step;
        tkw_handler_fn *fn;
        struct tk_buf checkpoint; /* the last one stored */
};

static bool stopped(const struct execution *x)
{
        return atomic_load(&x->app->giving_up);
}

/* Of a batch: named after its step of the template and its batch. */
static bool is_instance(const struct execution *x, const Tasker__Dispatch__V1__Assign *a)
{
        const struct tk_template_step *step = &x->tpl->steps[a->step_no];
        return step->type == TK_STEP_BATCH_WORKER && tk_str_starts(a->step_name, step->name);
}

static bool find_step(struct execution *x)
{
        const Tasker__Dispatch__V1__Assign *a = x->job->assign;
        int found = (int)a->step_no;
        if (a->step_no >= x->tpl->steps_n || !(tk_streq(x->tpl->steps[a->step_no].name, a->step_name) || is_instance(x, a)))
                found = tk_template_step_find(x->tpl, a->step_name);
        if (found < 0)
                return false;
        x->step = (unsigned)found;
        if (x->tpl->steps[found].events_n) {
                x->job->tpl = x->tpl;
                x->job->step = x->step;
        }
        return true;
}

/* Template, step, function. False: the step has failed. */
static bool prepare(struct execution *x)
{
        struct work_job *job = x->job;
        struct tk_err err = {0};
        const struct work_handler *found;
        if (work_templates_take(x->app->templates, job->assign->template_digest, job->received_ns + job->lease_ns,
                                &x->tpl, &err)) {
                work_job_fail(x->app, job, WORK_RETRYABLE, stopped(x) ? "worker_shutdown" : "template_unavailable",
                              tk_err_text(&err), false);
                return false;
        }
        if (!find_step(x)) {
                work_job_fail(x->app, job, WORK_PERMANENT, "step_not_found",
                              "the task's template has no step of this name", false);
                return false;
        }
        const struct tk_template_step *step = &x->tpl->steps[x->step];
        int r = work_resolve(x->app->registry,
                             &(struct work_definition){
                                     .callable = step->handler.callable,
                                     .method = step->handler.method,
                                     .resolver = step->handler.resolver,
                                     .step_name = step->name,
                             },
                             &x->fn, &found, &err);
        if (r) {
                work_job_fail(x->app, job, WORK_PERMANENT, work_resolve_error_type(r), tk_err_text(&err), false);
                return false;
        }
        job->handler_version = found->module->version;
        return true;
}

static const char *uuid_text(struct tk_arena *arena, const ProtobufCBinaryData *bytes)
{
        struct tk_uuid uuid;
        char text[TK_UUID_TEXT] = "";
        if (bytes->len == sizeof uuid.b) {
                memcpy(uuid.b, bytes->data, sizeof uuid.b);
                tk_uuid_format(&uuid, text);
        }
        return tk_arena_strdup(arena, text);
}

static struct tkw_info info_of(const struct execution *x)
{
        const Tasker__Dispatch__V1__Assign *a = x->job->assign;
        const struct tk_template_step *step = &x->tpl->steps[x->step];
        return (struct tkw_info){
                .task_uuid = uuid_text(x->arena, &a->task_uuid), .step_uuid = uuid_text(x->arena, &a->step_uuid),
                .correlation_id = uuid_text(x->arena, &a->correlation_id),
                .parent_correlation_id = uuid_text(x->arena, &a->parent_correlation_id),
                .namespace_name = a->namespace_, .template_name = x->tpl->name, .template_version = x->tpl->version,
                .step_name = a->step_name, .callable = step->handler.callable, .method = step->handler.method,
                .initiator = a->initiator, .source_system = a->source_system, .reason = a->reason,
                .worker_id = x->app->worker_id, .requested_at_us = a->requested_at_us, .priority = a->priority,
                .attempt = a->attempt, .retry_count = a->retry_count, .max_attempts = a->max_attempts,
                .retryable = a->retryable, .timeout_ms = x->job->timeout_ms,
        };
}

/* Who asks for results: the execution on whose behalf. */
static json_t *fetch(void *user, const char *const *names, size_t n, int64_t deadline_ns)
{
        const struct execution *x = user;
        return work_links_fetch(x->app->links, x->job->link, &x->job->assign->task_uuid, names, n, deadline_ns);
}

/* The same input would give the same result: no retry. Here and not where results are settled: a worker has processors to spare, and the step's
 * template in hand. */
static void check_result(struct work_app *app, const struct tk_schema *schema, struct tkw_result *result)
{
        struct tk_err err;
        if (tk_schema_check(schema, result->whole ? result->whole : result->members, &err))
                return;
        work_count(app, results_misfit_total);
        tk_err_prefix(&err, "the result does not fit the step's result_schema");
        work_result_fail(result, WORK_PERMANENT, "result_schema_violation", tk_err_text(&err));
}

static void conclude(const struct execution *x, struct tkw_result *result, int returned)
{
        const struct tk_template_step *step = &x->tpl->steps[x->step];
        enum tk_step_type type = step->type;
        work_result_conclude(result, returned);
        if (step->result_schema && result->verdict == WORK_SUCCESS)
                check_result(x->app, step->result_schema, result);
        if (type == TK_STEP_DECISION || type == TK_STEP_BATCHABLE)
                work_result_require(result, type == TK_STEP_DECISION ? "decision_point_outcome" : "batch_processing_outcome");
}

static int call(struct execution *x, struct tkw_result *result)
{
        const Tasker__Dispatch__V1__Assign *a = x->job->assign;
        struct tkw_context ctx = {
                .info = info_of(x), .arena = x->arena, .deadline_ns = x->job->deadline_ns, .cancelled = &x->job->cancelled,
                .tpl = x->tpl, .step = x->step,
                .input_json = {(const char *)a->context_json.data, a->context_json.len},
                .dependencies_json = {(const char *)a->dependency_results_json.data, a->dependency_results_json.len},
                .step_inputs_json = {(const char *)a->step_inputs_json.data, a->step_inputs_json.len},
                .checkpoint_json = {x->checkpoint.data, x->checkpoint.len},
                .dependencies_complete = a->dependencies_complete, .fetch = fetch, .user = x,
        };
        int r = x->fn(&ctx, result);
        if (ctx.unanswered && (result->verdict == WORK_SUCCESS || result->verdict == WORK_YIELD || result->verdict == WORK_SUB_TASK))
                work_result_fail(result, WORK_RETRYABLE, "results_unavailable", "results of earlier steps could not be fetched");
        conclude(x, result, r);
        if (x->job->tpl && result->verdict != WORK_YIELD && result->verdict != WORK_SUB_TASK)
                work_publish_ask(x->app, x->job, &ctx, result);
        work_context_deinit(&ctx);
        return r;
}

/* The time of one call begins; a handler that yields has it again. */
static void begin(struct execution *x)
{
        struct work_job *job = x->job;
        int64_t now_ns = tk_time_mono_ns();
        if (!job->started_ns) {
                job->started_ns = now_ns;
                job->started_wall_ns = tk_time_wall_ns();
                tk_metric_observe(x->app->metrics, WORK_M_wait_seconds, now_ns - job->received_ns);
        }
        job->deadline_ns = now_ns + (int64_t)job->timeout_ms * TK_NS_PER_MS;
        work_watch_enter(x->app->watch, job);
        if (work_ledger_cancelled(x->app->ledger, &job->key) || stopped(x)) /* said between the start and the watch */
                atomic_store(&job->cancelled, true);
}

/* One call, and its checkpoint if it yields one. False: the watch has failed the step meanwhile. */
static bool turn(struct execution *x, struct tkw_result *result)
{
        struct work_app *app = x->app;
        begin(x);
        int64_t start_ns = tk_time_mono_ns();
        TK_PROBE(handler_start, &x->job->key.step, x->job->key.attempt, x->tpl->steps[x->step].handler.callable);
        int r = call(x, result);
        int64_t took_ns = tk_time_mono_ns() - start_ns;
        TK_PROBE(handler_end, &x->job->key.step, x->job->key.attempt, took_ns, r);
        if (result->verdict == WORK_YIELD)
                (void)work_checkpoint(app, x->job, result, &x->checkpoint);
        tk_metric_observe(app->metrics, WORK_M_handler_seconds, took_ns);
        work_ledger_set_total(app->ledger, work_pace_learn(app->pace, took_ns));
        return !work_watch_leave(app->watch, x->job);
}

static void run(struct execution *x)
{
        struct work_app *app = x->app;
        struct work_job *job = x->job;
        const struct tk_template_step *step = &x->tpl->steps[x->step];
        struct tkw_result result = {0};
        bool in_time;
        TK_CHECK(tk_permits_take(app->permits, TK_TIME_NEVER)); /* one per thread: never waits */
        job->timeout_ms = step->timeout_ms ? step->timeout_ms : (uint32_t)(app->conf.handler_timeout / TK_NS_PER_MS);
        tk_buf_put(&x->checkpoint, job->assign->checkpoint_json.data, job->assign->checkpoint_json.len);
        do {
                work_result_deinit(&result);
                work_result_init(&result);
                tk_arena_reset(x->arena);
                in_time = turn(x, &result);
        } while (in_time && result.verdict == WORK_YIELD);
        tk_permits_give(app->permits);
        if (in_time)
                (void)work_job_report(app, job, &result, false, false);
        else
                work_count(app, results_dropped_total);
        work_result_deinit(&result);
}

static void execute(struct work_app *app, struct tk_arena *arena, struct work_job *job)
{
        struct execution x = {.app = app, .job = job, .arena = arena};
        tk_buf_init(&x.checkpoint, CHECKPOINT_MAX);
        int r = work_ledger_start(app->ledger, &job->key);
        if (r == WORK_START_E_DONE)
                ;
        else if (r == WORK_START_E_CANCELLED)
                work_job_fail(app, job, WORK_PERMANENT, "cancelled",
                              "the step was cancelled before its handler started", false);
        else if (stopped(&x))
                work_job_fail(app, job, WORK_RETRYABLE, "worker_shutdown",
                              "the worker was stopped before the handler started", false);
        else if (prepare(&x))
                run(&x);
        if (x.tpl)
                work_templates_give(app->templates, x.tpl);
        tk_buf_deinit(&x.checkpoint);
}

struct executor {
        struct work_app *app;
        struct tk_arena *arena; /* of the call that runs */
};

static int start(void *self, void *app)
{
        struct executor *executor = self;
        executor->app = app;
        executor->arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        return 0;
}

static int handle(void *self, struct tk_list *msgs, unsigned n)
{
        struct executor *executor = self;
        (void)n;
        for (struct tk_list *node; (node = tk_list_pop(msgs));) {
                struct work_job *job = tk_container_of(tk_list_entry(node, struct tk_msg, link), struct work_job, msg);
                execute(executor->app, executor->arena, job);
                tk_arena_reset(executor->arena);
                work_job_free(job);
        }
        return 0;
}

static void stop(void *self)
{
        struct executor *executor = self;
        executor->arena = tk_arena_free(executor->arena);
}

const struct tk_actor_type work_execute_actor = {
        .name = "execute", .state_size = sizeof(struct executor), .mailbox_max = 64, .threads = 10, .batch_max = 1,
        TK_ACTOR_MESSAGES("assignment"),
        .start = start, .handle = handle, .stop = stop,
};
