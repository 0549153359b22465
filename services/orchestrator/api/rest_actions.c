/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rest_actions.c: what people decide about steps. */
#include "base/str.h"
#include "base/mem.h"
#include "model/growth.h"
#include "model/step_action.h"
#include "orchestrator/api/reply.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/app.h"
#include "orchestrator/core/decide.h"
#include "orchestrator/core/edit.h"
#include "orchestrator/core/grow.h"
#include "tk_sql.h"

/* ---- PATCH /v1/tasks/{uuid}/workflow_steps/{step_uuid} ---- */

struct step_act { /* in the request's arena */
        struct tk_http_req *req;
        struct tk_step_action action;
        struct tk_uuid task, step;
};

static int reply_step(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct step_act *act)
{
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &act->task);
        tk_pg_arg_uuid(&args, &act->step);
        return orch_rest_reply_query(act->req, app, pg, &tk_sql_step_get, &args, "Resource not found");
}

static void put_args(struct tk_pg_args *args, struct orch_app *app, const struct step_act *act, const char *data)
{
        bool rerun = tk_streq(act->action.type, "rerun");
        tk_pg_arg_uuid(args, &act->task);
        tk_pg_arg_uuid(args, &act->step);
        tk_pg_arg_text(args, rerun ? data : act->action.type);
        tk_pg_arg_text(args, act->action.actor);
        tk_pg_arg_text(args, act->action.reason);
        if (!rerun)
                tk_pg_arg_text(args, data);
        tk_pg_arg_uuid(args, &app->processor);
}

/* Within the transaction. *ret stays NULL when there is no such task. */
static int edit_and_rerun(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, const struct step_act *act, struct tk_pg_result **ret,
                          struct tk_err *err)
{
        TK_CLEANUP(orch_bodies_free) struct orch_bodies *bodies = orch_bodies_new();
        const struct orch_edit edit = {.task = act->task, .context = act->action.data, .patch = act->action.patch};
        struct tk_pg_args args;
        const char *context;
        int r = orch_edit_context(bodies, pg, arena, &edit, &context, err);
        if (r || !context)
                return r;
        tk_pg_args_init(&args, arena);
        put_args(&args, app, act, context);
        return tk_pg_query(pg, &tk_sql_engine_rerun_step, &args, ret, err);
}

static int rerun_edited(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, const struct step_act *act, struct orch_decision *ret,
                        struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        *ret = (struct orch_decision){.outcome = "unknown"};
        int r = tk_pg_begin(pg, err);
        if (r)
                return r;
        r = edit_and_rerun(app, pg, arena, act, &res, err);
        if (!r)
                r = tk_pg_commit(pg, err);
        if (r)
                tk_pg_rollback(pg);
        else if (res)
                orch_decide_tell(app, res, ret);
        return r;
}

/* As orch_decide; a result that may be an outcome is carried out as if the handler had found it. */
static int decide(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, const struct step_act *act, struct orch_decision *ret,
                  struct tk_err *err)
{
        const char *data = act->action.data;
        bool rerun = tk_streq(act->action.type, "rerun");
        struct tk_pg_args args;
        if (rerun && data)
                return rerun_edited(app, pg, arena, act, ret, err);
        tk_pg_args_init(&args, arena);
        put_args(&args, app, act, data);
        if (!data || !tk_growth_suspected(data, strlen(data)))
                return orch_decide(app, pg, rerun ? &tk_sql_engine_rerun_step : &tk_sql_engine_act_on_step, &args, ret, err);
        const struct orch_by_hand hand = {.task = act->task, .step = act->step, .data = data, .sql = &tk_sql_engine_act_on_step, .args = &args};
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = orch_grow_by_hand(app, pg, arena, &hand, &res, err);
        if (!r)
                orch_decide_tell(app, res, ret);
        return r;
}

static int step_act(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct step_act *act = arg;
        struct orch_decision decision;
        struct tk_err err = {0};
        if (orch_rest_no_database(act->req, pg))
                return 0;
        int r = decide(app, pg, arena, act, &decision, &err);
        if (r == ORCH_GROW_E_OUTCOME) {
                orch_reply_error(act->req, ORCH_E_BAD_REQUEST, "completion_data.result: %s", tk_err_text(&err));
                return 0;
        }
        if (r == ORCH_EDIT_E_MISFIT) {
                orch_reply_error(act->req, ORCH_E_BAD_REQUEST, "%s", tk_err_text(&err));
                return 0;
        }
        if (r) {
                orch_reply_db(act->req, app, "act_on_step", r, &err);
                return r;
        }
        if (tk_streq(decision.outcome, "acted"))
                orch_count_l(app, step_actions_total, act->action.type);
        if (tk_streq(decision.outcome, "acted") || tk_streq(decision.outcome, "unchanged"))
                return reply_step(app, pg, arena, act);
        if (tk_streq(decision.outcome, "unknown"))
                orch_reply_error(act->req, ORCH_E_NOT_FOUND, "Resource not found");
        else if (tk_streq(decision.outcome, "foreign"))
                orch_reply_error(act->req, ORCH_E_NOT_FOUND, "Step does not belong to the specified task");
        else if (tk_streq(decision.outcome, "ended"))
                orch_reply_error(act->req, ORCH_E_BAD_REQUEST, "Cannot manually resolve step: its task has ended: %s", decision.text);
        else
                orch_reply_error(act->req, ORCH_E_BAD_REQUEST, "Cannot manually resolve step: invalid transition from %s to %s", decision.text,
                                 act->action.event);
        return 0;
}

void orch_rest_step_act(struct tk_http_req *req, void *app)
{
        struct step_act *act = TK_ARENA_NEW(tk_http_req_arena(req), struct step_act);
        act->req = req;
        if (orch_rest_uuid(req, 0, "task", &act->task) && orch_rest_uuid(req, 1, "step", &act->step) &&
            ORCH_REST_PARSE(req, tk_step_action_parse, &act->action))
                orch_rest_post(app, req, step_act, act);
}
