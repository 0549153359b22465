/* SPDX-License-Identifier: MIT */
/* orchestrator/core/apart.h: one task whose data makes a statement about many raise must not hold up the others (docs/design/dispatch.md).
 * Where a statement chooses its tasks itself, its twin `…_apart` does the same task by task and sets those aside that raise alone; where a
 * caller has a list, it goes through it one by one and sets aside here. Once per such task: what was set aside is in nobody's way any more.
 * Any thread, with a connection of its own. */
#pragma once
#include "orchestrator/app.h"
#include "pg/pg.h"

/* As tk_pg_query of `batch`; when one of its tasks may be why that raised (tk_pg_one_row), as tk_pg_query of `apart`, which takes the same arguments.
 * *ret_apart, unless NULL: whether it came to that. */
TK_MUST int orch_apart_query(struct orch_app *app, struct tk_pg *pg, const struct tk_sql *batch, const struct tk_sql *apart,
                             const struct tk_pg_args *args, struct tk_pg_result **ret_res, bool *ret_apart, struct tk_err *err);

/* The last statement on this connection, `what`, raised because of this step alone: its error is in err. 0: the step or its task is set aside, and
 * what followed told; else the outcome of that. */
TK_MUST int orch_apart_set_aside(struct orch_app *app, struct tk_pg *pg, const struct tk_uuid *task, const struct tk_uuid *step, const char *what,
                                 struct tk_err *err);

/* Logs and counts what was set aside: how is 'step', 'task' or 'later' (tasker.set_aside); step may be "". */
void orch_apart_tell(struct orch_app *app, const char *task, const char *step, const char *how, const char *why);
