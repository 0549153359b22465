/* SPDX-License-Identifier: MIT */
/* orchestrator/core/create.h: stores task requests with their graphs, one transaction for all that wait; each fails alone. */
#pragma once
#include "model/task_request.h"
#include "orchestrator/app.h"
#include "orchestrator/core/sessions.h"
#include "pg/pg.h"

enum orch_created {
        ORCH_CREATED_PENDING,
        ORCH_CREATED,
        ORCH_CREATED_DUPLICATE,
        ORCH_CREATED_STALE_TEMPLATE,
        ORCH_CREATED_FAILED,         /* it alone makes the engine fail; refusal says how */
        ORCH_CREATED_REFUSED
};

struct orch_create {
        struct tk_task_request req;
        char digest[65];
        uint32_t steps_n;               /* steps that exist from the start */
        uint8_t identity[32];
        struct tk_uuid task;            /* made by the caller; on DUPLICATE the task that is already there */
        enum orch_created outcome;      /* out */
        int64_t created_at_ns;          /* out: wall clock of the database */
        uint32_t in_progress_n, pending_n; /* out: steps already given to workers; steps that wait for others */
        bool held;                      /* out: its template or namespace is paused, or it starts later */
        struct tk_err refusal;          /* out, for REFUSED: what the database says */
};
/* 0: every outcome is set. Positive: an outcome of pg/pg.h, nothing is known. */
TK_MUST int orch_create(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena,
                        struct orch_create *const *items, size_t n, struct tk_err *err);
