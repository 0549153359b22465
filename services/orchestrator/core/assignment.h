/* SPDX-License-Identifier: MIT */
/* orchestrator/core/assignment.h: one row of the engine's answer → one encoded Assign. */
#pragma once
#include "base/buf.h"
#include "orchestrator/core/sessions.h"
#include "pg/pg.h"

struct orch_assignment_columns { /* looked up once per result */
        int step, task, attempt, token, ns, step_no, step_name, named_task, digest, correlation, parent, priority,
                retry_count, max_attempts, retryable, initiator, source, reason, requested_at, context, deps,
                deps_complete, inputs, checkpoint;
};
void orch_assignment_columns(const struct tk_pg_result *res, struct orch_assignment_columns *ret);
/* Appends the encoded field (a frame may hold many) and says what is held. Dependency results past 4 MiB stay behind:
 * the worker is told and fetches them by name. */
void orch_assignment_encode(const struct tk_pg_result *res, const struct orch_assignment_columns *cols, int row,
                            struct orch_held *ret_held, struct tk_buf *buf);
