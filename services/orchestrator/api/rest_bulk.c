/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rest_bulk.c: POST /v1/tasks/bulk: decisions about many tasks, or their steps, by filter. A page is a transaction; the answer says
 * where to go on, so that a request never takes long. */
#include "base/str.h"
#include "model/growth.h"
#include "orchestrator/api/bulk.h"
#include "orchestrator/api/reply.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/app.h"
#include "orchestrator/core/grow.h"
#include "tk_sql.h"

enum { PAGE = 500, STEPS_MAX = 1000, GROWING_PAGE = 100 };

static const struct {
        const char *action, *step_action; /* as the metrics call it */
} of_steps[] = {
        {"reset", "reset_for_retry"}, {"resolve", "resolve_manually"}, {"complete", "complete_manually"}, {"skip", "skip"}, {"rerun", "rerun"}};

static const char *step_action(const struct tk_decision *decision)
{
        for (size_t i = 0; i < tk_countof(of_steps); i++)
                if (tk_streq(of_steps[i].action, decision->action))
                        return of_steps[i].step_action;
        return NULL;
}

static void put_args(struct tk_pg_args *args, struct orch_app *app, const struct tk_decision *d, bool dry, const struct tk_uuid *after, int limit)
{
        tk_pg_arg_text(args, d->action);
        const char *filters[] = {d->ns, d->name, d->version, d->state, d->initiator, d->tag};
        for (size_t i = 0; i < tk_countof(filters); i++)
                tk_pg_arg_text(args, filters[i]);
        tk_pg_arg_uuid(args, tk_uuid_is_nil(&d->correlation) ? NULL : &d->correlation);
        const int64_t times[] = {d->created_after_ns, d->created_before_ns};
        for (size_t i = 0; i < tk_countof(times); i++)
                if (times[i])
                        tk_pg_arg_time(args, times[i]);
                else
                        tk_pg_arg_null(args);
        tk_pg_arg_text(args, d->step);
        tk_pg_arg_text(args, d->step_state);
        tk_pg_arg_bool(args, dry);
        tk_pg_arg_text(args, d->actor);
        tk_pg_arg_text(args, d->reason);
        tk_pg_arg_text(args, d->data);
        tk_pg_arg_uuid(args, tk_uuid_is_nil(after) ? NULL : after);
        tk_pg_arg_i32(args, limit);
        tk_pg_arg_i32(args, STEPS_MAX);
        tk_pg_arg_uuid(args, &app->processor);
}

static void count(struct orch_app *app, const struct orch_bulk *bulk)
{
        const struct tk_decision *decision = bulk->decision;
        if (decision->dry_run)
                return;
        tk_metric_add_l(app->metrics, ORCH_M_task_actions_total, decision->action, bulk->changed_n);
        if (bulk->steps_n)
                tk_metric_add_l(app->metrics, ORCH_M_step_actions_total, step_action(decision), bulk->steps_n);
}

/* ---- Completing what may be a decision or an analyzer: each with what it brings, in a transaction of its own ---- */

struct found {
        struct orch_bulk *bulk;
        struct tk_uuid task[GROWING_PAGE], step[GROWING_PAGE]; /* the first step of each task */
        unsigned n;
};

static void find(void *user, const struct orch_row *row)
{
        struct found *found = user;
        bool first = tk_streq(row->kind, "step") && (!found->n || memcmp(&found->task[found->n - 1], &row->task, sizeof row->task));
        if (first && found->n < GROWING_PAGE) {
                found->task[found->n] = row->task;
                found->step[found->n++] = row->step;
        } else if (!tk_streq(row->kind, "step")) {
                orch_bulk_row(found->bulk, row);
        }
}

/* The id before: a page of one task after it is this task, if the filter still finds it. */
static struct tk_uuid before(struct tk_uuid uuid)
{
        for (size_t i = sizeof uuid.b; i-- > 0 && uuid.b[i]-- == 0;)
                ;
        return uuid;
}

static int complete_one(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, const struct found *found, unsigned at, struct tk_err *err)
{
        struct tk_decision decision = *found->bulk->decision;
        struct orch_bulk one = {.decision = &decision};
        const struct tk_uuid after = before(found->task[at]);
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        put_args(&args, app, &decision, false, &after, 1);
        const struct orch_by_hand hand = {.task = found->task[at], .step = found->step[at], .data = decision.data,
                                          .sql = &tk_sql_engine_bulk_tasks, .args = &args};
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = orch_grow_by_hand(app, pg, arena, &hand, &res, err);
        if (!r && res)
                orch_rows_apply(app, res, NULL, "queue", orch_bulk_row, &one);
        found->bulk->changed_n += one.changed_n;
        found->bulk->steps_n += one.steps_n;
        return r;
}

static int complete_growing(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct orch_bulk *bulk)
{
        struct found found = {.bulk = bulk};
        struct tk_pg_args args;
        struct tk_err err = {0};
        tk_pg_args_init(&args, arena);
        put_args(&args, app, bulk->decision, true, &bulk->decision->after, GROWING_PAGE);
        int r = orch_bulk_page(app, pg, bulk, &tk_sql_engine_bulk_tasks, &args, find, &found);
        if (r)
                return r;
        for (unsigned i = 0; !r && i < found.n; i++)
                r = complete_one(app, pg, arena, &found, i, &err);
        count(app, bulk);
        if (r == ORCH_GROW_E_OUTCOME) {
                tk_buf_deinit(&bulk->matched);
                orch_reply_error(bulk->req, ORCH_E_BAD_REQUEST, "completion_data.result: %s", tk_err_text(&err));
                return 0;
        }
        if (r)
                orch_bulk_fail(bulk, "bulk_tasks", r, &err);
        else
                orch_bulk_reply(bulk);
        return r;
}

static int page(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct orch_bulk *bulk = arg;
        const struct tk_decision *decision = bulk->decision;
        struct tk_pg_args args;
        if (orch_rest_no_database(bulk->req, pg))
                return 0;
        if (decision->data && !decision->dry_run && tk_growth_suspected(decision->data, strlen(decision->data)))
                return complete_growing(app, pg, arena, bulk);
        tk_pg_args_init(&args, arena);
        put_args(&args, app, decision, decision->dry_run, &decision->after, PAGE);
        int r = orch_bulk_page(app, pg, bulk, &tk_sql_engine_bulk_tasks, &args, orch_bulk_row, bulk);
        if (r)
                return r;
        count(app, bulk);
        orch_bulk_reply(bulk);
        return 0;
}

void orch_rest_task_bulk(struct tk_http_req *req, void *app)
{
        struct orch_bulk *bulk = TK_ARENA_NEW(tk_http_req_arena(req), struct orch_bulk);
        bulk->req = req;
        bulk->decision = TK_ARENA_NEW(tk_http_req_arena(req), struct tk_decision);
        if (!ORCH_REST_PARSE(req, tk_decision_parse_bulk, bulk->decision))
                return;
        bulk->tells_steps = step_action(bulk->decision);
        orch_rest_post(app, req, page, bulk);
}
