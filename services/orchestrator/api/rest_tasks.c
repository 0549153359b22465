/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rest_tasks.c: reads, waits and cancels of tasks. The JSON of an answer is made by its query. */
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "orchestrator/actor/hint.h"
#include "orchestrator/actor/show.h"
#include "orchestrator/actor/timers.h"
#include "orchestrator/api/reply.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/app.h"
#include "orchestrator/core/rows.h"
#include "orchestrator/core/sessions.h"
#include "orchestrator/core/staleness.h"
#include "orchestrator/core/waiters.h"
#include "tk_sql.h"

enum { NAMESPACES_MAX = 1024, CHILDREN_MAX = 1000 };

/* ---- GET /v1/tasks/{uuid} ---- */

/* A request answered is taken out; what is left then has failed, or names no task. */
static void show_all(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct tk_http_req **reqs,
                     const struct tk_uuid *tasks, unsigned n)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_err err = {0};
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid_array(&args, tasks, n);
        int r = pg ? tk_pg_query(pg, &tk_sql_task_get, &args, &res, &err) : 0;
        for (int row = 0; pg && !r && row < tk_pg_rows(res); row++) {
                struct tk_http_req **req = &reqs[tk_pg_i64(res, row, 0) - 1];
                orch_reply_json(*req, tk_pg_str(res, row, 1), tk_pg_len(res, row, 1));
                *req = NULL;
        }
        for (unsigned i = 0; i < n; i++) {
                if (!reqs[i] || orch_rest_no_database(reqs[i], pg))
                        continue;
                if (r)
                        orch_reply_db(reqs[i], app, tk_sql_task_get.name, r, &err);
                else
                        orch_reply_error(reqs[i], ORCH_E_NOT_FOUND, "Resource not found");
        }
}

/* Answers with the task as it is now, with 404, or with 503. */
static void task_show(struct orch_app *app, struct tk_http_req *req, const struct tk_uuid *task)
{
        if (orch_show_post(app, show_all, req, task))
                orch_reply_busy(req, "show");
}

struct task_read { /* in the request's arena */
        struct orch_app *app;
        struct tk_http_req *req;
        struct tk_uuid task;
};

/* The task came to rest, or the time is up: answer what is there now. */
static void task_waited(void *request)
{
        struct task_read *read = request;
        task_show(read->app, read->req, &read->task);
}

/* A look at the state when a wait begins. The request behind it may be answered (and gone) meanwhile: only whoever takes
 * the ticket may touch it. */
struct task_probe {
        struct task_read *read;
        struct tk_uuid task;
        uint64_t ticket;
};

static int task_probe(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        TK_AUTOFREE struct task_probe *probe = arg;
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &probe->task);
        bool moving = pg && !tk_pg_query(pg, &tk_sql_task_state, &args, &res, NULL) && tk_pg_rows(res) &&
                      !orch_state_rests(tk_pg_str(res, 0, 0));
        if (!moving && orch_waiters_take(app->waiters, probe->ticket))
                task_show(app, probe->read->req, &probe->task);
        return 0;
}

static void task_wait(struct orch_app *app, struct task_read *read, int64_t wait_ns)
{
        struct task_probe *probe = TK_NEW(struct task_probe);
        probe->read = read;
        probe->task = read->task;
        struct tk_http_req *req = read->req;
        /* Registered before the state is looked at, so that no completion falls between. */
        bool moving;
        probe->ticket = orch_waiters_add(app->waiters, &read->task, tk_time_mono_ns() + wait_ns, task_waited, read,
                                         &moving);
        if (moving) {
                tk_free(probe);
                return;
        }
        if (orch_query_post(app, task_probe, probe)) {
                if (orch_waiters_take(app->waiters, probe->ticket))
                        orch_reply_busy(req, "query");
                tk_free(probe);
        }
}

void orch_rest_task_get(struct tk_http_req *req, void *app_)
{
        struct orch_app *app = app_;
        struct task_read *read = TK_ARENA_NEW(tk_http_req_arena(req), struct task_read);
        int64_t wait_ns = 0;
        const char *wait = tk_http_req_query(req, "wait");
        read->app = app;
        read->req = req;
        if (!orch_rest_uuid(req, 0, NULL, &read->task))
                return;
        if (wait && (tk_time_duration_parse(wait, &wait_ns) || wait_ns < 0)) {
                orch_reply_error(req, ORCH_E_BAD_REQUEST,
                                 "wait must be a duration such as 30s or 500ms, found '%.40s'", wait);
                return;
        }
        if (wait_ns > app->conf.wait_max)
                wait_ns = app->conf.wait_max;
        if (wait_ns)
                task_wait(app, read, wait_ns);
        else
                task_show(app, req, &read->task);
}

/* ---- GET /v1/tasks/{uuid}/explain ---- */

static int task_explain(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct tk_http_req *req = arg;
        struct tk_uuid task;
        if (orch_rest_no_database(req, pg) || !orch_rest_uuid(req, 0, NULL, &task))
                return 0;
        char(*served)[ORCH_NAMESPACE_MAX] = tk_arena_alloc(arena, NAMESPACES_MAX * sizeof *served);
        size_t n = orch_sessions_namespaces(app->sessions, served, NAMESPACES_MAX);
        const char **ns = TK_ARENA_ARRAY(arena, const char *, n + 1);
        int32_t *workers = TK_ARENA_ARRAY(arena, int32_t, n + 1), *credit = TK_ARENA_ARRAY(arena, int32_t, n + 1);
        for (size_t i = 0; i < n; i++) {
                struct orch_serving serving;
                orch_sessions_serving(app->sessions, served[i], &serving);
                ns[i] = served[i];
                workers[i] = (int32_t)serving.workers;
                credit[i] = (int32_t)serving.free;
        }
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &task);
        tk_pg_arg_text_array(&args, ns, n);
        tk_pg_arg_i32_array(&args, workers, n);
        tk_pg_arg_i32_array(&args, credit, n);
        orch_staleness_limits(app, &args);
        return orch_rest_reply_query(req, app, pg, &tk_sql_task_explain, &args, "Resource not found");
}

void orch_rest_task_explain(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, task_explain);
}

/* ---- GET /v1/tasks/{uuid}/timeline, …/summary and …/history ---- */

static int task_document(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct tk_http_req *req, const struct tk_sql *sql)
{
        struct tk_uuid task;
        struct tk_pg_args args;
        if (orch_rest_no_database(req, pg) || !orch_rest_uuid(req, 0, NULL, &task))
                return 0;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &task);
        return orch_rest_reply_query(req, app, pg, sql, &args, "Resource not found");
}

static int task_timeline(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *req)
{
        return task_document(app, pg, arena, req, &tk_sql_task_timeline);
}

static int task_summary(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *req)
{
        return task_document(app, pg, arena, req, &tk_sql_task_summary);
}

static int task_history(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *req)
{
        return task_document(app, pg, arena, req, &tk_sql_task_history);
}

void orch_rest_task_history(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, task_history);
}

void orch_rest_task_timeline(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, task_timeline);
}

void orch_rest_task_summary(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, task_summary);
}

/* ---- GET /v1/tasks/{uuid}/children ---- */

static int task_children(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct tk_http_req *req = arg;
        struct tk_uuid task;
        struct tk_pg_args args;
        if (orch_rest_no_database(req, pg) || !orch_rest_uuid(req, 0, NULL, &task))
                return 0;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &task);
        tk_pg_arg_i32(&args, CHILDREN_MAX);
        return orch_rest_reply_query(req, app, pg, &tk_sql_task_children, &args, "Resource not found");
}

void orch_rest_task_children(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, task_children);
}

/* ---- DELETE /v1/tasks/{uuid} ---- */

/* The workers that run a step of the task are told; everybody who waits for it is answered. */
static void cancelled(struct orch_app *app, const struct tk_uuid *task, const struct tk_pg_result *res)
{
        int step = tk_pg_column(res, "step_uuid"), attempt = tk_pg_column(res, "attempt");
        for (int row = 0; row < tk_pg_rows(res); row++) {
                if (tk_pg_is_null(res, row, step))
                        continue;
                struct tk_uuid id = tk_pg_uuid(res, row, step);
                orch_sessions_cancel(app->sessions, &id, (uint32_t)tk_pg_i64(res, row, attempt), "task cancelled");
        }
        orch_count_l(app, tasks_finished_total, "cancelled");
        orch_count_l(app, task_actions_total, "cancel");
        orch_waiters_notify(app->waiters, task);
        orch_hint_done(app, task);
        orch_timers_relatives(app); /* it may have started others */
}

/* Who cancels and why, as the query says; false: it is too long, which was replied. */
static bool cancel_words(struct tk_http_req *req, const char **ret_by, const char **ret_why)
{
        const char *by = tk_http_req_query(req, "by"), *why = tk_http_req_query(req, "reason");
        *ret_by = by && *by ? by : "api";
        *ret_why = why && *why ? why : "cancelled by request";
        if (strlen(*ret_by) > TK_ACTOR_MAX)
                orch_reply_error(req, ORCH_E_BAD_REQUEST, "by: must have 1 to %d bytes, found %zu", TK_ACTOR_MAX, strlen(*ret_by));
        else if (strlen(*ret_why) > TK_REASON_MAX)
                orch_reply_error(req, ORCH_E_BAD_REQUEST, "reason: must have 1 to %d bytes, found %zu", TK_REASON_MAX, strlen(*ret_why));
        else
                return true;
        return false;
}

static int task_cancel(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct tk_http_req *req = arg;
        struct task_read read = {.app = app, .req = req};
        struct tk_err err = {0};
        const char *by, *why;
        if (orch_rest_no_database(req, pg) || !orch_rest_uuid(req, 0, NULL, &read.task) || !cancel_words(req, &by, &why))
                return 0;
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &read.task);
        tk_pg_arg_text(&args, by);
        tk_pg_arg_text(&args, why);
        tk_pg_arg_uuid(&args, &app->processor);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = tk_pg_query(pg, &tk_sql_engine_cancel_task, &args, &res, &err);
        if (r) {
                orch_reply_db(req, app, "cancel_task", r, &err);
                return r;
        }
        const char *outcome = tk_pg_str(res, 0, tk_pg_column(res, "outcome"));
        if (tk_streq(outcome, "unknown")) {
                orch_reply_error(req, ORCH_E_NOT_FOUND, "Resource not found");
                return 0;
        }
        if (tk_streq(outcome, "terminal")) {
                orch_reply_error(req, ORCH_E_BAD_REQUEST, "Cannot cancel a completed task");
                return 0;
        }
        cancelled(app, &read.task, res);
        task_show(app, req, &read.task);
        return 0;
}

void orch_rest_task_cancel(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, task_cancel);
}
