/* SPDX-License-Identifier: MIT */
/* orchestrator/core/grow.h: settles results of decisions and analyzers together with the steps they bring into being: one transaction holds
 * the tasks' locks from the look at what exists to the commit (docs/design/growth.md). */
#pragma once
#include "orchestrator/app.h"
#include "orchestrator/core/bodies.h"
#include "orchestrator/core/settle.h"
#include "pg/pg.h"

/* As orch_settle, for successes that tk_growth_suspected. An outcome that cannot be carried out makes its step a permanent error
 * "invalid_outcome" and creates nothing; one that is no outcome after all (a standard step's result) is settled as it is. */
TK_MUST int orch_grow(struct orch_app *app, struct tk_pg *pg, struct orch_bodies *bodies, struct tk_arena *arena,
                      struct orch_result *results, size_t n, struct tk_err *err);

/* A decision or an analyzer completed by a person, whose data may hold an outcome: what it brings and the action are one transaction. */
enum { ORCH_GROW_E_OUTCOME = 200 }; /* it cannot be carried out, err says why; nothing was changed */
struct orch_by_hand {
        struct tk_uuid task, step;
        const char *data;               /* JSON: {"result": …} */
        const struct tk_sql *sql;       /* of the action: answers with rows of the engine, one 'acted' or 'changed' if it did something */
        const struct tk_pg_args *args;
};
/* 0: *ret has the rows of the action, to be told (core/decide.h), or stays NULL when it was about another task, which is taken back;
 * ORCH_GROW_E_OUTCOME; or an outcome of pg/pg.h. */
TK_MUST int orch_grow_by_hand(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, const struct orch_by_hand *hand,
                              struct tk_pg_result **ret, struct tk_err *err);
