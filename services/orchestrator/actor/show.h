/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/show.h: the most frequent read, one task as the REST contract shows it, apart from the others: every
 * request that waits is answered from one statement, and no slow list is before it. */
#pragma once
#include "base/uuid.h"
#include "http/http.h"
#include "pg/pg.h"
#include "run/actor.h"

struct orch_app;
/* Answers every one of `reqs` with the task at the same place in `tasks`; `pg` is NULL while there is no database. Runs in the
 * actor's thread, arena lives until it returns. */
typedef void orch_show_fn(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct tk_http_req **reqs,
                          const struct tk_uuid *tasks, unsigned n);
extern const struct tk_actor_type orch_show_actor;
/* fn: the same for all. 0, or TK_MBOX_E_FULL / E_CLOSED: nothing was taken. Any thread. */
TK_MUST int orch_show_post(struct orch_app *app, orch_show_fn *fn, struct tk_http_req *req, const struct tk_uuid *task);
