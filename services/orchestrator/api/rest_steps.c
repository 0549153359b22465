/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rest_steps.c: reads of steps and their results. */
#include "base/str.h"
#include "orchestrator/api/reply.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/app.h"
#include "orchestrator/core/rows.h"
#include "tk_sql.h"

static int step_list(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct tk_http_req *req = arg;
        struct tk_uuid task;
        struct tk_pg_args args;
        if (orch_rest_no_database(req, pg) || !orch_rest_uuid(req, 0, "task", &task))
                return 0;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &task);
        tk_pg_arg_null(&args);
        return orch_rest_reply_query(req, app, pg, &tk_sql_step_list, &args, "Resource not found");
}

/* Both ids of the path; false: replied. */
static bool step_ids(struct tk_http_req *req, struct tk_uuid *task, struct tk_uuid *step)
{
        return orch_rest_uuid(req, 0, "task", task) && orch_rest_uuid(req, 1, "step", step);
}

/* Tells an unknown step from one of another task; true: it is of this one. Replies otherwise. */
static bool step_belongs(struct tk_http_req *req, struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena,
                         const struct tk_uuid *task, const struct tk_uuid *step)
{
        struct tk_pg_args args;
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_err err = {0};
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, step);
        int r = tk_pg_query(pg, &tk_sql_step_task, &args, &res, &err);
        if (r) {
                orch_reply_db(req, app, "step.task", r, &err);
                return false;
        }
        if (!tk_pg_rows(res)) {
                orch_reply_error(req, ORCH_E_NOT_FOUND, "Resource not found");
                return false;
        }
        struct tk_uuid owner = tk_pg_uuid(res, 0, 0);
        if (tk_uuid_eq(&owner, task))
                return true;
        orch_reply_error(req, ORCH_E_NOT_FOUND, "Step does not belong to the specified task");
        return false;
}

static int step_get(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct tk_http_req *req = arg;
        struct tk_uuid task, step;
        struct tk_pg_args args;
        if (orch_rest_no_database(req, pg) || !step_ids(req, &task, &step) ||
            !step_belongs(req, app, pg, arena, &task, &step))
                return 0;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &task);
        tk_pg_arg_uuid(&args, &step);
        return orch_rest_reply_query(req, app, pg, &tk_sql_step_get, &args, "Resource not found");
}

static int step_audit(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct tk_http_req *req = arg;
        struct tk_uuid task, step;
        struct tk_pg_args args;
        if (orch_rest_no_database(req, pg) || !step_ids(req, &task, &step) ||
            !step_belongs(req, app, pg, arena, &task, &step))
                return 0;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &step);
        return orch_rest_reply_query(req, app, pg, &tk_sql_step_audit, &args, "Resource not found");
}

void orch_rest_step_list(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, step_list);
}

void orch_rest_step_get(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, step_get);
}

void orch_rest_step_audit(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, step_audit);
}
