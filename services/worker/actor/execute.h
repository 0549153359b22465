/* SPDX-License-Identifier: MIT */
/* worker/actor/execute.h: the dispatch mailbox and the threads that run handlers, one per permit. */
#pragma once
#include "run/actor.h"

extern const struct tk_actor_type work_execute_actor; /* messages: struct work_job; app: struct work_app */
