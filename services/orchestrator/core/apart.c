/* SPDX-License-Identifier: MIT */
/* orchestrator/core/apart.c: see the header. */
#include "orchestrator/core/apart.h"
#include "base/log.h"
#include "base/str.h"
#include "orchestrator/core/db.h"
#include "orchestrator/core/rows.h"
#include "tk_sql.h"

enum { ARENA_BLOCK = 4096, ARENA_MAX = 1 << 20 };

int orch_apart_query(struct orch_app *app, struct tk_pg *pg, const struct tk_sql *batch, const struct tk_sql *apart,
                     const struct tk_pg_args *args, struct tk_pg_result **ret_res, bool *ret_apart, struct tk_err *err)
{
        int r = tk_pg_query(pg, batch, args, ret_res, err);
        if (ret_apart)
                *ret_apart = tk_pg_one_row(r);
        if (!tk_pg_one_row(r))
                return r;
        const char *name = strchr(batch->name, '.');
        orch_db_failed(app, batch->name, r, err);
        orch_count_l(app, batches_apart_total, name ? name + 1 : batch->name);
        return orch_db_query(app, pg, apart, args, ret_res, err);
}

static void settled_row(void *user, const struct orch_row *row)
{
        struct orch_app *app = user;
        orch_count_l(app, steps_settled_total, row->kind);
}

int orch_apart_set_aside(struct orch_app *app, struct tk_pg *pg, const struct tk_uuid *task, const struct tk_uuid *step, const char *what,
                         struct tk_err *err)
{
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, task);
        tk_pg_arg_uuid(&args, step);
        tk_pg_arg_text(&args, what);
        tk_pg_arg_text(&args, tk_pg_sqlstate(pg));
        tk_pg_arg_text(&args, tk_err_text(err));
        tk_pg_arg_uuid(&args, &app->processor);
        int r = orch_db_query(app, pg, &tk_sql_engine_set_aside, &args, &res, err);
        if (!r)
                orch_rows_apply(app, res, NULL, "queue", settled_row, app);
        return r;
}

void orch_apart_tell(struct orch_app *app, const char *task, const char *step, const char *how, const char *why)
{
        orch_count_l(app, tasks_set_aside_total, how);
        tk_log_error("task.set_aside", why, TK_STR("task_uuid", task), TK_STR("step_uuid", *step ? step : NULL), TK_STR("how", how));
}
