/* SPDX-License-Identifier: MIT */
/* orchestrator/core/decide.h: runs an engine function for a decision of a person, and does after the commit what follows from it: workers
 * are told to stop what was taken from them, timers are armed, queues are hinted, waits are answered. */
#pragma once
#include "base/attr.h"
#include "orchestrator/app.h"
#include "orchestrator/core/rows.h"
#include "pg/pg.h"

enum { ORCH_DECISION_TEXT_MAX = 64 };
struct orch_decision {
        char outcome[ORCH_DECISION_TEXT_MAX]; /* the kind of the first row that tells what became of it; "" when there was none */
        char text[ORCH_DECISION_TEXT_MAX];    /* its step_name: a state, mostly */
        int idx;                              /* what its kind says it is */
};
/* sql: answers with rows of the engine and needs no credit. 0, or an outcome of pg/pg.h with err. */
TK_MUST int orch_decide(struct orch_app *app, struct tk_pg *pg, const struct tk_sql *sql, const struct tk_pg_args *args,
                        struct orch_decision *ret, struct tk_err *err);
/* The same; each gets every row that tells what became of it. */
TK_MUST int orch_decide_rows(struct orch_app *app, struct tk_pg *pg, const struct tk_sql *sql, const struct tk_pg_args *args,
                             orch_row_fn *each, void *user, struct tk_err *err);
/* For who ran the function in a transaction of its own, which is committed. */
void orch_decide_tell(struct orch_app *app, const struct tk_pg_result *res, struct orch_decision *ret);
/* Whether something was done, and to that task: a page of one may have found another when this one does not match any more. */
enum orch_decided { ORCH_DECIDED_NOTHING, ORCH_DECIDED, ORCH_DECIDED_ANOTHER };
enum orch_decided orch_decided(const struct tk_pg_result *res, const struct tk_uuid *task);
