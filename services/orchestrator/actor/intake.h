/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/intake.h: task requests that wait become one transaction. */
#pragma once
#include "orchestrator/core/create.h"
#include "run/actor.h"

extern const struct tk_actor_type orch_intake_actor;
/* Embedded in what the API keeps per request; given back through msg.done with msg.status 0 (create.outcome is set) or
 * an outcome of pg/pg.h or -ECANCELED (not stored as far as is known: answer 503). */
struct orch_intake_msg {
        struct tk_msg msg;
        struct orch_create create;
};
