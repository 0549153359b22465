/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/results.h: results that wait become one transaction; the ack goes out after its commit. */
#pragma once
#include "orchestrator/core/sessions.h"
#include "orchestrator/core/settle.h"
#include "run/actor.h"

extern const struct tk_actor_type orch_results_actor;
/* All results of one frame. Owns its arena and a reference to the session. While the database is away it is posted again
 * until the service stops: nothing a worker handed in is forgotten. */
struct orch_results_msg {
        struct tk_msg msg;
        struct orch_app *app;
        struct orch_session *session;
        struct tk_arena *arena;
        struct orch_result *results;
        size_t n;
        void (*taken)(struct orch_session *session, void *user, size_t n); /* settled and acked; the stream may read on */
        void *user;
};
/* Takes over the message. */
void orch_results_post(struct orch_app *app, struct orch_results_msg *results);
