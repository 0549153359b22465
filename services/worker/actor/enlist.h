/* SPDX-License-Identifier: MIT */
/* worker/actor/enlist.h: registers the worker's template files with an orchestrator, once one is connected. */
#pragma once
#include "run/actor.h"

extern const struct tk_actor_type work_enlist_actor; /* app: struct work_app */
