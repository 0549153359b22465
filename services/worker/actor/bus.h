/* SPDX-License-Identifier: MIT */
/* worker/actor/bus.h: domain events inside this process. Every subscriber has a thread and a bounded mailbox: whoever publishes only
 * puts the event there, a subscriber that is slow or fails is nobody else's matter. Thread-safe. */
#pragma once
#include "base/attr.h"
#include "run/actor.h"
#include "worker/core/event.h"

struct work_app;
struct work_bus;
/* Starts a thread for each subscriber of app->parties. */
TK_MUST struct work_bus *work_bus_new(struct work_app *app);
/* The events' result was acknowledged: they are counted and told, unless somebody else settled its attempt (stale) or it was stored as
 * a failure of the orchestrator's making (refused). Takes over the events. */
void work_bus_settled(struct work_bus *bus, struct work_events *events, bool stale, bool refused);
/* Until every event was handed to its subscribers, or the deadline: what waits then is dropped and counted. False: a subscriber does not
 * return, the bus cannot be freed. */
TK_MUST bool work_bus_drain(struct work_bus *bus, int64_t deadline_ns);
struct work_bus *work_bus_free(struct work_bus *bus); /* drained; NULL is fine; returns NULL */
unsigned work_bus_patterns(const struct work_bus *bus);
/* Its actors, for the metrics; returns how many. */
unsigned work_bus_actors(const struct work_bus *bus, struct tk_actor **ret, unsigned max);
