/* SPDX-License-Identifier: MIT */
/* orchestrator/core/wait_look.h: the slow look for requests that wait for a task whose end nobody announced. */
#pragma once
#include "base/arena.h"
#include "orchestrator/app.h"
#include "pg/pg.h"

/* To be posted as a query, without an argument. */
int orch_wait_look(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg);
