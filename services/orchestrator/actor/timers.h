/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/timers.h: what is due: retries, starts, deadlines, steps that nobody takes, what became of sub-tasks for those
 * who wait for them, and domain events of the orchestrator's own that wait for a look at their schemas. Sleeps until the earliest it
 * knows of, or until it is told; a slow look finds what other orchestrators left behind. The rows are shared: whoever looks first takes
 * them. */
#pragma once
#include "run/actor.h"
#include <stdint.h>

extern const struct tk_actor_type orch_timers_actor;
struct orch_app;
/* A timer was stored that is due at this wall-clock time. */
void orch_timers_due(struct orch_app *app, int64_t due_wall_ns);
/* A task that was started by a step, or whose steps have started some, came to an end. */
void orch_timers_relatives(struct orch_app *app);
/* A domain event waits for a look at its schema. */
void orch_timers_unchecked(struct orch_app *app);
