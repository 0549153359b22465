/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/dispatch.h: the queue side of dispatch: claims queued steps when workers have credit, takes back
 * assignments that were lost, never sent or given back, renews leases in bulk, ends silent streams. */
#pragma once
#include "orchestrator/core/sessions.h"
#include "run/actor.h"

extern const struct tk_actor_type orch_dispatch_actor;
struct orch_app;
/* Takes assignments back. lost[i]: the worker may have run it; lost NULL: none of them was ever sent. Copies. */
void orch_dispatch_release(struct orch_app *app, const struct orch_held *held, size_t n, const bool *lost);
/* The same for what the session's worker has not begun and will not; acknowledged once they are back in the queue. */
void orch_dispatch_give_back(struct orch_app *app, struct orch_session *session, const struct orch_held *held, size_t n);
