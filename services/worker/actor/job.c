/* SPDX-License-Identifier: MIT */
/* worker/actor/job.c: see the header. */
#include "worker/actor/job.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/probe.h"
#include "base/time.h"
#include "rpc/pack.h"
#include "worker/actor/publish.h"
#include "worker/app.h"
#include "worker/core/document.h"
#include "worker/feed/links.h"
#include <stdio.h>

enum { FRAME_MAX = 64 << 20 };

struct work_frame *work_frame_new(struct tk_arena *arena, atomic_uint *in_hand)
{
        struct work_frame *frame = TK_NEW(struct work_frame);
        atomic_init(&frame->refs, 1);
        frame->arena = arena;
        work_together_init(&frame->company, in_hand);
        return frame;
}

void work_frame_unref(struct work_frame *frame)
{
        if (atomic_fetch_sub(&frame->refs, 1) != 1)
                return;
        tk_arena_free(frame->arena);
        work_together_deinit(&frame->company);
        tk_free(frame);
}

struct work_job *work_job_new(struct work_frame *frame, const Tasker__Dispatch__V1__Assign *assign,
                              const struct work_key *key, unsigned link)
{
        struct work_job *job = TK_NEW(struct work_job);
        atomic_fetch_add(&frame->refs, 1);
        work_together_join(&frame->company);
        job->frame = frame;
        job->assign = assign;
        job->key = *key;
        job->link = link;
        job->received_ns = tk_time_mono_ns();
        tk_list_init(&job->running);
        atomic_init(&job->cancelled, false);
        return job;
}

static void leave(struct work_job *job, int64_t deadline_ns)
{
        if (!job->left)
                work_together_leave(&job->frame->company, deadline_ns);
        job->left = true;
}

void work_job_free(struct work_job *job)
{
        leave(job, 0);
        work_frame_unref(job->frame);
        tk_free(job);
}

static int64_t execution_ms(const struct work_job *job)
{
        return job->started_ns ? (tk_time_mono_ns() - job->started_ns) / TK_NS_PER_MS : 0;
}

static void write_document(struct work_app *app, const struct work_job *job, const struct tkw_result *result,
                           bool by_worker, struct tk_buf *buf)
{
        int64_t now_ns = tk_time_wall_ns();
        if (result->verdict == WORK_SUB_TASK) {
                tk_json_dump(result->task, buf);
                return;
        }
        work_document_write(&(struct work_execution){
                .step = job->key.step, .worker_id = app->worker_id, .worker_hostname = app->hostname,
                .handler_version = job->handler_version, .started_ns = job->started_ns ? job->started_wall_ns : now_ns,
                .completed_ns = now_ns, .execution_ms = execution_ms(job), .by_worker = by_worker,
        }, result, buf);
}

/* A document beyond the limit becomes a failure that says so. */
static bool bounded_document(struct work_app *app, const struct work_job *job, struct tkw_result *result,
                             bool by_worker, struct tk_buf *buf)
{
        char message[128];
        tk_buf_init(buf, app->conf.result_max);
        write_document(app, job, result, by_worker, buf);
        if (!tk_buf_failed(buf))
                return by_worker;
        snprintf(message, sizeof message, "the result document has more than %llu bytes (worker.result_max)",
                 (unsigned long long)app->conf.result_max);
        work_result_deinit(result);
        work_result_init(result);
        work_result_fail(result, WORK_PERMANENT, "result_too_large", message);
        tk_buf_deinit(buf);
        tk_buf_init(buf, FRAME_MAX);
        write_document(app, job, result, true, buf);
        return true;
}

/* By this worker's clock, for the timeline. What failed before a permit has waited until now. */
static void put_stages(const struct work_job *job, Tasker__Dispatch__V1__Result *r)
{
        int64_t now_ns = tk_time_mono_ns(), begun_ns = job->started_ns ? job->started_ns : now_ns;
        r->committed_at_us = job->assign->committed_at_us;
        r->received_at_us = (tk_time_wall_ns() - (now_ns - job->received_ns)) / TK_NS_PER_US;
        r->permit_us = (begun_ns - job->received_ns) / TK_NS_PER_US;
        r->handler_us = (now_ns - begun_ns) / TK_NS_PER_US;
}

static void encode(const struct work_job *job, const struct tkw_result *result, const struct tk_buf *document,
                   const struct work_publication *publication, struct tk_buf *fields)
{
        static const Tasker__Dispatch__V1__Outcome outcomes[] = {
                [WORK_SUCCESS] = TASKER__DISPATCH__V1__OUTCOME__OUTCOME_SUCCESS,
                [WORK_RETRYABLE] = TASKER__DISPATCH__V1__OUTCOME__OUTCOME_RETRYABLE_ERROR,
                [WORK_PERMANENT] = TASKER__DISPATCH__V1__OUTCOME__OUTCOME_PERMANENT_ERROR,
                [WORK_SUB_TASK] = TASKER__DISPATCH__V1__OUTCOME__OUTCOME_SUB_TASK,
        };
        Tasker__Dispatch__V1__Result r = TASKER__DISPATCH__V1__RESULT__INIT;
        r.step_uuid = job->assign->step_uuid;
        r.task_uuid = job->assign->task_uuid;
        r.attempt = job->assign->attempt;
        r.lease_token = job->assign->lease_token;
        r.namespace_ = job->assign->namespace_;
        r.outcome = outcomes[result->verdict];
        r.retry_delay_ms = result->verdict == WORK_RETRYABLE ? result->retry_after_ms : -1;
        r.result_json = (ProtobufCBinaryData){document->len, (uint8_t *)document->data};
        r.execution_time_ms = execution_ms(job);
        r.events = publication->durable;
        r.n_events = publication->durable_n;
        put_stages(job, &r);
        Tasker__Dispatch__V1__Result *list[] = {&r};
        Tasker__Dispatch__V1__WorkerFrame frame = TASKER__DISPATCH__V1__WORKER_FRAME__INIT;
        frame.n_results = 1;
        frame.results = list;
        tk_buf_init(fields, FRAME_MAX);
        tk_rpc_pack(&frame.base, fields);
}

/* "" when it is no UUID. */
static void id_text(const ProtobufCBinaryData *bytes, char ret_text[TK_UUID_TEXT])
{
        struct tk_uuid uuid;
        ret_text[0] = '\0';
        if (bytes->len != sizeof uuid.b)
                return;
        memcpy(uuid.b, bytes->data, sizeof uuid.b);
        tk_uuid_format(&uuid, ret_text);
}

static void tell(struct work_app *app, const struct work_job *job, const struct tkw_result *result, bool by_worker)
{
        static const char *const outcomes[] = {
                [WORK_SUCCESS] = "success", [WORK_RETRYABLE] = "retryable", [WORK_PERMANENT] = "permanent", [WORK_SUB_TASK] = "sub_task"};
        bool failed = result->verdict == WORK_RETRYABLE || result->verdict == WORK_PERMANENT;
        work_count_l(app, steps_finished_total, outcomes[result->verdict]);
        if (by_worker)
                work_count_l(app, steps_failed_total, result->type);
        if (!tk_log_enabled(failed ? TK_LOG_INFO : TK_LOG_DEBUG))
                return;
        char step[TK_UUID_TEXT], task[TK_UUID_TEXT], correlation[TK_UUID_TEXT], parent[TK_UUID_TEXT];
        const char *above = job->assign->parent_correlation_id.len ? parent : NULL;
        tk_uuid_format(&job->key.step, step);
        id_text(&job->assign->task_uuid, task);
        id_text(&job->assign->correlation_id, correlation);
        id_text(&job->assign->parent_correlation_id, parent);
        if (!failed)
                tk_log_debug(result->verdict == WORK_SUB_TASK ? "step.waits" : "step.succeeded", NULL,
                             TK_STR("task_uuid", task), TK_STR("step_uuid", step),
                             TK_STR("correlation_id", correlation), TK_STR("parent_correlation_id", above),
                             TK_STR("step_name", job->assign->step_name), TK_INT("attempt", job->key.attempt), TK_INT("ms", execution_ms(job)));
        else
                tk_log_info("step.failed", result->message, TK_STR("task_uuid", task), TK_STR("step_uuid", step),
                            TK_STR("correlation_id", correlation), TK_STR("parent_correlation_id", above),
                            TK_STR("step_name", job->assign->step_name), TK_INT("attempt", job->key.attempt), TK_STR("error_type", result->type),
                            TK_BOOL("retryable", result->verdict == WORK_RETRYABLE),
                            TK_INT("ms", execution_ms(job)));
}

/* Until when the result waits for those of its company: not at all where handlers take longer than that anyway. */
static int64_t company_until(const struct work_app *app, const struct work_job *job)
{
        int64_t now_ns = tk_time_mono_ns(), wait_ns = app->conf.results_together;
        return job->started_ns && now_ns - job->started_ns < wait_ns ? now_ns + wait_ns : 0;
}

bool work_job_report(struct work_app *app, struct work_job *job, struct tkw_result *result, bool by_worker,
                     bool overrun)
{
        TK_AUTOBUF struct tk_buf document;
        struct tk_buf fields;
        int link;
        struct work_publication publication = {0};
        by_worker = bounded_document(app, job, result, by_worker, &document);
        if (job->tpl && result->verdict != WORK_SUB_TASK) /* how that ends is yet to come */
                work_publish(app, job, result, &document, &publication);
        encode(job, result, &document, &publication, &fields);
        tk_arena_free(publication.arena);
        TK_PROBE(result_reported, &job->key.step, job->key.attempt, fields.len);
        if (!work_ledger_done(app->ledger, &job->key, &fields, publication.events, overrun, &link)) {
                work_count(app, results_dropped_total);
                return false;
        }
        tell(app, job, result, by_worker);
        leave(job, company_until(app, job));
        if (link != WORK_NO_LINK)
                work_links_wake(app->links, (unsigned)link);
        return true;
}

bool work_job_fail(struct work_app *app, struct work_job *job, enum work_verdict verdict, const char *type,
                   const char *message, bool overrun)
{
        struct tkw_result result;
        work_result_init(&result);
        work_result_fail(&result, verdict, type, message);
        bool reported = work_job_report(app, job, &result, true, overrun);
        work_result_deinit(&result);
        return reported;
}
