/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/sweeper.h: the safety net. Looks now and then for work that no message, timer or lease will ever move,
 * repairs it and counts it; in a healthy system it finds none. Once an hour it sees to it that the next months' history has its partitions.
 * And its connection serves the rare look for tasks that stand still (core/staleness.h), and retention (core/retention.h). */
#pragma once
#include "run/actor.h"

extern const struct tk_actor_type orch_sweeper_actor;
