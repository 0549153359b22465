/* SPDX-License-Identifier: MIT */
/* orchestrator/core/advance.h: takes the results of a batch where they belong: those of decisions and analyzers to core/grow.h, with what
 * they bring into being; those that want another task to core/sub_task.h; all others to core/settle.h. */
#pragma once
#include "orchestrator/core/bodies.h"
#include "orchestrator/core/settle.h"

/* As orch_settle, for results of every kind; `stored` is called once, when all of them are. */
TK_MUST int orch_advance(struct orch_app *app, struct tk_pg *pg, struct orch_bodies *bodies, struct tk_arena *arena,
                         struct orch_result *results, size_t n, orch_stored_fn *stored, void *user, struct tk_err *err);
