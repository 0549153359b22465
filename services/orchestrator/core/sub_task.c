/* SPDX-License-Identifier: MIT */
/* orchestrator/core/sub_task.c: see the header. */
#include "orchestrator/core/sub_task.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "model/sub_task.h"
#include "orchestrator/core/after.h"
#include "orchestrator/core/apart.h"
#include "orchestrator/core/db.h"
#include "orchestrator/core/rows.h"
#include "orchestrator/core/template.h"
#include "orchestrator/core/waiters.h"
#include "tk_sql.h"

enum { TEMPLATE_TRIES = 3, CREDIT = 20, SETTLE_MAX = 256 };

struct starting {
        struct orch_app *app;
        struct tk_pg *pg;
        struct tk_arena *arena;
        struct orch_result *result;
        struct tk_sub_task sub;
        struct orch_template_ref tpl;
        struct tk_uuid child;
        char answer[32], why[32]; /* the row about the execution: its kind, and what it says */
        int found;
};

static void start_row(void *user, const struct orch_row *row)
{
        struct starting *s = user;
        if (tk_streq(row->kind, "created"))
                orch_count(s->app, tasks_created_total);
        if (*s->answer)
                return;
        (void)tk_str_copy(s->answer, sizeof s->answer, row->kind);
        (void)tk_str_copy(s->why, sizeof s->why, row->text);
        s->found = row->idx;
}

static int query(struct starting *s, struct tk_err *err)
{
        struct orch_app *app = s->app;
        const struct orch_result *result = s->result;
        const struct tk_task_request *req = &s->sub.req;
        uint8_t identity[32];
        struct tk_uuid *steps = TK_ARENA_ARRAY(s->arena, struct tk_uuid, s->tpl.steps_at_start + 1);
        for (uint32_t i = 0; i < s->tpl.steps_at_start; i++)
                tk_uuid_v7(&steps[i]);
        tk_uuid_v7(&s->child);
        tk_sub_task_identity(&result->step, result->attempt, identity);
        struct tk_pg_args args;
        tk_pg_args_init(&args, s->arena);
        tk_pg_arg_uuid(&args, &result->step);
        tk_pg_arg_uuid(&args, &result->task);
        tk_pg_arg_i32(&args, (int32_t)result->attempt);
        tk_pg_arg_i64(&args, result->token);
        tk_pg_arg_text(&args, result->worker);
        tk_pg_arg_i32(&args, result->exec_ms);
        tk_pg_arg_i64_array(&args, result->stages, ORCH_STAGES);
        tk_pg_arg_bool(&args, s->sub.wait_blocked);
        tk_pg_arg_i32(&args, (int32_t)app->conf.sub_task_depth_max);
        tk_pg_arg_i32(&args, (int32_t)app->conf.sub_task_count_max);
        tk_pg_arg_uuid(&args, &s->child);
        tk_pg_arg_text(&args, s->tpl.digest);
        tk_pg_arg_bytea(&args, identity, sizeof identity);
        tk_pg_arg_text(&args, req->context);
        if (s->sub.has_priority)
                tk_pg_arg_i32(&args, req->priority);
        else
                tk_pg_arg_null(&args);
        tk_pg_arg_uuid(&args, &req->correlation_id);
        tk_pg_arg_text(&args, req->initiator);
        tk_pg_arg_text(&args, req->source_system);
        tk_pg_arg_text(&args, req->reason);
        tk_pg_arg_text(&args, req->tags);
        tk_pg_arg_time(&args, req->requested_at_ns);
        tk_pg_arg_uuid_array(&args, steps, s->tpl.steps_at_start);
        struct orch_reservation *credit = orch_credit_reserve(app->sessions, &req->ns, 1, CREDIT, ORCH_CREDIT_EAGER);
        orch_rows_credit_args(&args, credit, &req->ns, 1);
        tk_pg_arg_i32(&args, (int32_t)(app->conf.lease / TK_NS_PER_MS));
        tk_pg_arg_uuid(&args, &app->processor);

        orch_waiters_related(app->waiters, &s->child); /* first: it may come to rest before this returns */
        orch_waiters_related(app->waiters, &result->task);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int64_t start = tk_time_mono_ns();
        int r = tk_pg_query(s->pg, &tk_sql_engine_start_sub_task, &args, &res, err);
        *s->answer = '\0';
        if (!r) {
                tk_metric_observe(app->metrics, ORCH_M_sub_task_transaction_seconds, tk_time_mono_ns() - start);
                orch_count_l(app, transactions_total, "sub_task");
                orch_rows_apply(app, res, credit, "eager", start_row, s);
        }
        orch_reservation_free(credit);
        return r;
}

static void tell_started(const struct starting *s)
{
        char child[TK_UUID_TEXT], correlation[TK_UUID_TEXT], parent[TK_UUID_TEXT], step[TK_UUID_TEXT];
        if (!tk_log_enabled(TK_LOG_DEBUG))
                return;
        tk_uuid_format(&s->child, child);
        tk_uuid_format(&s->sub.req.correlation_id, correlation);
        tk_uuid_format(&s->result->task, parent);
        tk_uuid_format(&s->result->step, step);
        tk_log_debug("sub_task.created", NULL, TK_STR("task_uuid", child), TK_STR("correlation_id", correlation), TK_STR("parent_task_uuid", parent),
                     TK_STR("step_uuid", step), TK_STR("namespace", s->sub.req.ns), TK_STR("name", s->sub.req.name),
                     TK_STR("version", s->sub.req.version));
}

/* The step fails for good. */
static int refuse(struct starting *s, const char *reason, const struct tk_err *why, struct tk_err *err)
{
        char task[TK_UUID_TEXT];
        tk_uuid_format(&s->result->task, task);
        tk_log_warn("sub_task.refused", tk_err_text(why), TK_STR("task_uuid", task), TK_STR("worker", s->result->worker));
        orch_count_l(s->app, sub_tasks_refused_total, reason);
        orch_settle_refuse(s->result, s->arena, "invalid_sub_task", why);
        return orch_settle(s->app, s->pg, s->arena, s->result, 1, NULL, NULL, err);
}

static int refuse_limit(struct starting *s, struct tk_err *err)
{
        struct tk_err why = {0};
        const struct orch_conf *conf = &s->app->conf;
        if (tk_streq(s->why, "depth"))
                (void)TK_ERR(&why, 1, "sub-task: tasks may start tasks %u deep (sub_task.depth_max), this would be level %d",
                             conf->sub_task_depth_max, s->found);
        else if (tk_streq(s->why, "count"))
                (void)TK_ERR(&why, 1, "sub-task: the steps of a task may start %u (sub_task.count_max), this would be number %d",
                             conf->sub_task_count_max, s->found);
        else
                (void)TK_ERR(&why, 1, "sub-task: a step that decides or analyzes cannot wait for a task, its own result is needed");
        return refuse(s, s->why, &why, err);
}

/* 0: s->tpl is set; ORCH_TEMPLATE_E_UNKNOWN with why; else as orch_template_load. */
static int find_template(struct starting *s, bool fresh, struct tk_err *why, struct tk_err *err)
{
        const struct tk_task_request *req = &s->sub.req;
        orch_template_ref_deinit(&s->tpl);
        if (!fresh && orch_templates_get(s->app->templates, req->ns, req->name, req->version, &s->tpl))
                return 0;
        int r = orch_template_load(s->app, s->pg, req->ns, req->name, req->version, fresh, &s->tpl, err);
        if (r == ORCH_TEMPLATE_E_UNKNOWN)
                (void)TK_ERR(why, 1, "sub-task: there is no template %s/%s in version %s", req->ns, req->name, req->version);
        else if (!r && !s->tpl.steps_at_start) {
                (void)TK_ERR(why, 1, "sub-task: template %s has no step to start with", req->name);
                return ORCH_TEMPLATE_E_UNKNOWN;
        }
        return r;
}

static int start(struct starting *s, struct tk_err *err)
{
        struct tk_err why = {0};
        if (tk_sub_task_parse(s->result->json, s->result->json_len, s->result->ns, s->arena, &s->sub, &why)) {
                struct tk_err told = {0};
                (void)TK_ERR(&told, 1, "sub-task: %s", tk_err_text(&why));
                return refuse(s, "request", &told, err);
        }
        for (unsigned tries = 0, stale = 0; stale < TEMPLATE_TRIES;) {
                int r = find_template(s, stale > 0, &why, err);
                if (r == ORCH_TEMPLATE_E_UNKNOWN)
                        return refuse(s, "template", &why, err);
                if (!r && !orch_template_fits(&s->tpl, s->sub.req.context, NULL, &why)) {
                        tk_err_prefix(&why, "sub-task: context does not fit input_schema of template %s/%s", s->sub.req.ns, s->sub.req.name);
                        return refuse(s, "schema", &why, err);
                }
                if (!r)
                        r = query(s, err);
                if (tk_pg_one_row(r)) {
                        (void)TK_ERR(&why, 1, "sub-task: the database refuses it: %s", tk_err_text(err));
                        return refuse(s, "request", &why, err);
                }
                if (orch_db_again(s->app, "start_sub_task", r, &tries, err))
                        continue;
                if (r)
                        return r;
                if (tk_streq(s->answer, "refused"))
                        return refuse_limit(s, err);
                if (!tk_streq(s->answer, "unmade")) {
                        s->result->settled = tk_streq(s->answer, "stale")     ? ORCH_SETTLED_STALE
                                             : tk_streq(s->answer, "already") ? ORCH_SETTLED_ALREADY
                                                                              : ORCH_SETTLED_STORED;
                        orch_count_l(s->app, steps_settled_total, s->answer);
                        if (s->result->settled == ORCH_SETTLED_STORED) {
                                orch_count(s->app, sub_tasks_started_total);
                                tell_started(s);
                        }
                        return 0;
                }
                stale++; /* the template was replaced meanwhile */
        }
        (void)TK_ERR(&why, 1, "sub-task: template %s is being replaced", s->sub.req.name);
        return refuse(s, "template", &why, err);
}

int orch_sub_tasks_start(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct orch_result *results, size_t n,
                         struct tk_err *err)
{
        for (size_t i = 0; i < n; i++) {
                struct starting s = {.app = app, .pg = pg, .arena = arena, .result = &results[i]};
                int r = start(&s, err);
                orch_template_ref_deinit(&s.tpl);
                if (r)
                        return r;
        }
        return 0;
}

struct settling {
        struct orch_app *app;
        unsigned n;
};

static void settled_row(void *user, const struct orch_row *row)
{
        struct settling *s = user;
        struct orch_app *app = s->app;
        if (tk_streq(row->kind, "sub_task")) {
                s->n++;
                orch_count_l(app, sub_tasks_ended_total, row->text);
        } else if (tk_streq(row->kind, "called_off")) {
                orch_sessions_cancel(app->sessions, &row->step, (uint32_t)row->attempt, "the step that started its task does not wait any more");
        } else {
                if (tk_streq(row->kind, "retry") && row->due_ns)
                        app->after->timer(app, row->due_ns);
                orch_count_l(app, steps_settled_total, row->kind);
        }
}

int orch_sub_tasks_settle(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, unsigned *ret_n, struct tk_err *err)
{
        char names[ORCH_SESSION_NAMESPACES_MAX][ORCH_NAMESPACE_MAX];
        size_t n = orch_sessions_namespaces(app->sessions, names, ORCH_SESSION_NAMESPACES_MAX);
        const char **ns = TK_ARENA_ARRAY(arena, const char *, n + 1);
        for (size_t i = 0; i < n; i++)
                ns[i] = names[i];
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_i32(&args, SETTLE_MAX);
        tk_pg_arg_i32(&args, (int32_t)app->conf.sub_task_result_max);
        struct orch_reservation *credit = orch_credit_reserve(app->sessions, ns, n, SETTLE_MAX, ORCH_CREDIT_EAGER);
        orch_rows_credit_args(&args, credit, ns, n);
        tk_pg_arg_i32(&args, (int32_t)(app->conf.lease / TK_NS_PER_MS));
        tk_pg_arg_uuid(&args, &app->processor);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct settling s = {.app = app};
        bool apart = false;
        unsigned tries = 0;
        int r;
        do
                r = orch_apart_query(app, pg, &tk_sql_engine_settle_sub_tasks, &tk_sql_engine_settle_sub_tasks_apart, &args, &res, &apart, err);
        while (orch_db_again(app, "settle_sub_tasks", r, &tries, err));
        if (!r)
                orch_rows_apply(app, res, credit, "eager", settled_row, &s);
        if (s.n)
                orch_count_l(app, transactions_total, "sub_tasks");
        orch_reservation_free(credit);
        *ret_n = s.n + (!r && apart); /* there may be more of them */
        return r;
}
