/* SPDX-License-Identifier: MIT */
/* orchestrator/core/retention.h: applies the policies of the namespaces by itself, a batch at a time, as "tasker retention apply" does. Of several
 * orchestrators one has the turn (tasker.retention_turn); when it dies in the middle, another goes on behind what was deleted. */
#pragma once
#include "archive/expire.h"
#include "base/arena.h"
#include "orchestrator/app.h"

struct orch_retention { /* zero it, then set next_ns; of one thread */
        int64_t next_ns;                  /* monotonic: when there is something to do */
        struct tk_archive_expire *expire; /* with the file this run writes; NULL: it is not our turn */
};
/* Does a batch when it is time and our turn, and sets next_ns; what fails is logged and tried again later. */
void orch_retention_look(struct orch_retention *look, struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, int64_t now_ns);
void orch_retention_end(struct orch_retention *look);
