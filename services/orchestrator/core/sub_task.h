/* SPDX-License-Identifier: MIT */
/* orchestrator/core/sub_task.h: tasks that steps start and wait for, and what becomes of them for their steps (docs/sub-tasks.md). */
#pragma once
#include "orchestrator/app.h"
#include "orchestrator/core/settle.h"
#include "pg/pg.h"

/* As orch_settle, for results that are sub_task: each is a transaction in which its task is created and its step begins to wait. One that
 * cannot be created makes its step a permanent error "invalid_sub_task". */
TK_MUST int orch_sub_tasks_start(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct orch_result *results, size_t n,
                                 struct tk_err *err);
/* Carries over what is due between parents and children, at most a few hundred; *ret_n: how many it was. Say it again until it is 0: a
 * child that was called off may have children of its own. 0, or an outcome of pg/pg.h. */
TK_MUST int orch_sub_tasks_settle(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, unsigned *ret_n, struct tk_err *err);
