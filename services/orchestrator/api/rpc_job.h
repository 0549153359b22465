/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rpc_job.h: a unary call on its way through the query actor. */
#pragma once
#include "orchestrator/actor/query.h"
#include "orchestrator/app.h"
#include "pg/pg.h"

struct orch_rpc_job {
        struct tk_rpc_call *call;
        size_t len;
        uint8_t data[]; /* the request: copied, because the callback must not block */
};
/* fn gets the job as its argument and frees it (tk_free); a full mailbox is answered here. */
void orch_rpc_job_post(struct tk_rpc_call *call, struct orch_app *app, const void *data, size_t len, orch_query_fn *fn);
/* Answers for a database that cannot be reached. */
void orch_rpc_reply_down(struct tk_rpc_call *call);
/* Answers and logs a failed statement; returns the outcome. */
int orch_rpc_reply_db(struct orch_app *app, struct tk_rpc_call *call, const char *what, int outcome, const struct tk_err *err);
/* "Checkpoint": stores how far a step has come. */
void orch_rpc_checkpoint(struct tk_rpc_call *call, void *app, const void *data, size_t len);
