/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/hint.h: tells the other orchestrators and caches what a commit changed: queued work, tasks at rest,
 * template versions. Best effort and after the commit; a full mailbox drops (others find out by their slow polls).
 * Redis pub/sub when it answers, else NOTIFY in a transaction of its own. */
#pragma once
#include "base/uuid.h"
#include "run/actor.h"
#include "tbl/channels.h"


extern const struct tk_actor_type orch_hint_actor;
struct orch_app;
void orch_hint_queue(struct orch_app *app, const char *ns);
void orch_hint_done(struct orch_app *app, const struct tk_uuid *task);
void orch_hint_template(struct orch_app *app, const char *ns, const char *name, const char *version);
