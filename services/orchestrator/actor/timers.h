/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/timers.h: what time brings: retries, starts, deadlines, steps that nobody takes. Sleeps until the earliest it knows of;
 * a slow look finds those that other orchestrators left behind. The rows are shared: whoever looks first fires them. */
#pragma once
#include "run/actor.h"
#include <stdint.h>

extern const struct tk_actor_type orch_timers_actor;
struct orch_app;
/* A timer was stored that is due at this wall-clock time. */
void orch_timers_due(struct orch_app *app, int64_t due_wall_ns);
