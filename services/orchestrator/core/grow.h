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
