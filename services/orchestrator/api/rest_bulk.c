/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rest_bulk.c: POST /v1/tasks/bulk: decisions about many tasks, or their steps, by filter. A page is a transaction; the answer says
 * where to go on, so that a request never takes long. */
#include "base/str.h"
#include "model/growth.h"
#include "orchestrator/api/bulk.h"
#include "orchestrator/api/reply.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/app.h"
#include "orchestrator/core/decide.h"
#include "orchestrator/core/edit.h"
#include "orchestrator/core/grow.h"
#include "tk_sql.h"

enum { PAGE = 500, STEPS_MAX = 1000, ONE_BY_ONE_PAGE = 100 };

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

/* ---- Each task in a transaction of its own: completing what may be a decision or an analyzer, with what it brings; another input ---- */

struct found {
        struct orch_bulk *bulk;
        struct orch_bodies *bodies;
        struct tk_uuid task[ONE_BY_ONE_PAGE], step[ONE_BY_ONE_PAGE]; /* the first step of each task */
        unsigned n;
};

static void find(void *user, const struct orch_row *row)
{
        struct found *found = user;
        bool first = tk_streq(row->kind, "step") && (!found->n || memcmp(&found->task[found->n - 1], &row->task, sizeof row->task));
        if (first && found->n < ONE_BY_ONE_PAGE) {
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

/* Within the transaction; *ret stays NULL when it is not to be done. */
static int edit_and_rerun(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, const struct found *found, unsigned at,
                          struct tk_pg_result **ret, struct tk_err *err)
{
        struct tk_decision decision = *found->bulk->decision;
        const struct orch_edit edit = {.task = found->task[at], .context = decision.data, .patch = true};
        const struct tk_uuid after = before(found->task[at]);
        struct tk_pg_args args;
        int r = orch_edit_context(found->bodies, pg, arena, &edit, &decision.data, err);
        if (r || !decision.data || decision.dry_run)
                return r;
        tk_pg_args_init(&args, arena);
        put_args(&args, app, &decision, false, &after, 1);
        return tk_pg_query(pg, &tk_sql_engine_bulk_tasks, &args, ret, err);
}

static int rerun_one(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, const struct found *found, unsigned at, struct tk_err *err)
{
        struct tk_decision decision = *found->bulk->decision;
        struct orch_bulk one = {.decision = &decision};
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = tk_pg_begin(pg, err);
        if (r)
                return r;
        r = edit_and_rerun(app, pg, arena, found, at, &res, err);
        bool done = !r && res && orch_decided(res, &found->task[at]) == ORCH_DECIDED;
        if (done)
                r = tk_pg_commit(pg, err);
        if (r || !done)
                tk_pg_rollback(pg);
        else
                orch_rows_apply(app, res, NULL, "queue", orch_bulk_row, &one);
        found->bulk->changed_n += one.changed_n;
        found->bulk->steps_n += decision.dry_run ? 1 : one.steps_n;
        return r;
}

static bool refused(struct orch_bulk *bulk, int r, const struct tk_err *err)
{
        if (r != ORCH_GROW_E_OUTCOME)
                return false;
        tk_buf_deinit(&bulk->matched);
        tk_buf_deinit(&bulk->skipped);
        orch_reply_error(bulk->req, ORCH_E_BAD_REQUEST, "completion_data.result: %s", tk_err_text(err));
        return true;
}

static int one_by_one(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct orch_bulk *bulk)
{
        TK_CLEANUP(orch_bodies_free) struct orch_bodies *bodies = orch_bodies_new();
        bool rerun = tk_streq(bulk->decision->action, "rerun");
        struct found found = {.bulk = bulk, .bodies = bodies};
        struct tk_pg_args args;
        struct tk_err err = {0};
        unsigned at = 0;
        tk_pg_args_init(&args, arena);
        put_args(&args, app, bulk->decision, true, &bulk->decision->after, ONE_BY_ONE_PAGE);
        int r = orch_bulk_page(app, pg, bulk, &tk_sql_engine_bulk_tasks, &args, find, &found);
        if (r)
                return r;
        for (; !r && at < found.n; at++) {
                tk_arena_reset(arena); /* what is left of the page is not in it */
                orch_bodies_trim(bodies);
                r = (rerun ? rerun_one : complete_one)(app, pg, arena, &found, at, &err);
                if (r == ORCH_EDIT_E_MISFIT) {
                        tk_err_prefix(&err, "context_patch");
                        orch_bulk_skip(bulk, &found.task[at], &err);
                        r = 0;
                }
        }
        count(app, bulk);
        if (r && refused(bulk, r, &err))
                return 0;
        if (r)
                orch_bulk_fail(bulk, "bulk_tasks", r, &err);
        else
                orch_bulk_reply(bulk);
        return r;
}

static bool goes_one_by_one(const struct tk_decision *decision)
{
        if (!decision->data)
                return false;
        return tk_streq(decision->action, "rerun") || (!decision->dry_run && tk_growth_suspected(decision->data, strlen(decision->data)));
}

static int page(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct orch_bulk *bulk = arg;
        const struct tk_decision *decision = bulk->decision;
        struct tk_pg_args args;
        if (orch_rest_no_database(bulk->req, pg))
                return 0;
        if (goes_one_by_one(decision))
                return one_by_one(app, pg, arena, bulk);
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
