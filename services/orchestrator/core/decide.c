/* SPDX-License-Identifier: MIT */
/* orchestrator/core/decide.c: see the header. */
#include "orchestrator/core/decide.h"
#include "base/str.h"
#include "orchestrator/core/db.h"

int orch_decide_rows(struct orch_app *app, struct tk_pg *pg, const struct tk_sql *sql, const struct tk_pg_args *args,
                     orch_row_fn *each, void *user, struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = orch_db_query(app, pg, sql, args, &res, err);
        if (!r)
                orch_rows_apply(app, res, NULL, "queue", each, user);
        return r;
}

static void first(void *user, const struct orch_row *row)
{
        struct orch_decision *decision = user;
        if (*decision->outcome)
                return;
        (void)tk_str_copy(decision->outcome, sizeof decision->outcome, row->kind);
        (void)tk_str_copy(decision->text, sizeof decision->text, row->text);
        decision->idx = row->idx;
}

int orch_decide(struct orch_app *app, struct tk_pg *pg, const struct tk_sql *sql, const struct tk_pg_args *args,
                struct orch_decision *ret, struct tk_err *err)
{
        *ret = (struct orch_decision){0};
        return orch_decide_rows(app, pg, sql, args, first, ret, err);
}

void orch_decide_tell(struct orch_app *app, const struct tk_pg_result *res, struct orch_decision *ret)
{
        *ret = (struct orch_decision){0};
        orch_rows_apply(app, res, NULL, "queue", first, ret);
}

enum orch_decided orch_decided(const struct tk_pg_result *res, const struct tk_uuid *task)
{
        int kind = tk_pg_column(res, "kind"), task_col = tk_pg_column(res, "task_uuid");
        for (int row = 0; row < tk_pg_rows(res); row++) {
                struct tk_uuid found = tk_pg_uuid(res, row, task_col);
                if (tk_streq(tk_pg_str(res, row, kind), "acted") || tk_streq(tk_pg_str(res, row, kind), "changed"))
                        return memcmp(&found, task, sizeof found) ? ORCH_DECIDED_ANOTHER : ORCH_DECIDED;
        }
        return ORCH_DECIDED_NOTHING;
}
