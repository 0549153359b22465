/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/query.h: reads and rare writes for the API: a few threads, each with a connection. A query is a
 * function; the thread runs it and frees the message. */
#pragma once
#include "base/arena.h"
#include "pg/pg.h"
#include "run/actor.h"

struct orch_app;
struct orch_query; /* opaque to the poster */
/* Runs in a query thread; `pg` is NULL when the database is not reachable or the service stops: answer 503. The function
 * owns what `arg` points at. arena lives until it returns. A TK_PG_E_DOWN it met is returned, else 0. */
typedef int orch_query_fn(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg);
extern const struct tk_actor_type orch_query_actor;
/* 0, or TK_MBOX_E_FULL / E_CLOSED: nothing was taken. */
TK_MUST int orch_query_post(struct orch_app *app, orch_query_fn *fn, void *arg);
