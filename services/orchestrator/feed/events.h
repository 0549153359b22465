/* SPDX-License-Identifier: MIT */
/* orchestrator/feed/events.h: what other orchestrators whisper: queued work, tasks at rest, changed templates. Both ears
 * are always open: Redis pub/sub and LISTEN (on a connection of its own); the same news twice does no harm. */
#pragma once
#include "base/attr.h"
#include <stdbool.h>

struct orch_app;
struct orch_events;
TK_MUST struct orch_events *orch_events_new(struct orch_app *app);
struct orch_events *orch_events_free(struct orch_events *events);
/* No other orchestrator was heard of lately, and it has listened for long enough to know. */
bool orch_events_alone(struct orch_events *events);
