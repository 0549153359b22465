/* SPDX-License-Identifier: MIT */
/* orchestrator/core/wait_look.c: see the header. */
#include "orchestrator/core/wait_look.h"
#include "base/mem.h"
#include "orchestrator/core/db.h"
#include "orchestrator/core/waiters.h"
#include "tk_sql.h"

int orch_wait_look(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        size_t n;
        TK_AUTOFREE struct tk_uuid *tasks = orch_waiters_long(app->waiters, &n);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_pg_args args;
        struct tk_err err = {0};
        (void)arg;
        int r = 0;
        if (pg && n) {
                tk_pg_args_init(&args, arena);
                tk_pg_arg_uuid_array(&args, tasks, n);
                orch_count(app, wait_looks_total);
                r = tk_pg_query(pg, &tk_sql_task_states, &args, &res, &err);
                if (r)
                        orch_db_failed(app, "wait_look", r, &err);
        }
        for (int row = 0; res && row < tk_pg_rows(res); row++) {
                if (!orch_state_rests(tk_pg_str(res, row, 1)))
                        continue;
                struct tk_uuid task = tk_pg_uuid(res, row, 0);
                orch_count(app, wait_found_total);
                orch_waiters_notify(app->waiters, &task);
        }
        orch_waiters_looked(app->waiters);
        return r == TK_PG_E_DOWN ? r : 0;
}
