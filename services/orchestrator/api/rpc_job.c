/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rpc_job.c: see the header. */
#include "orchestrator/api/rpc_job.h"
#include "base/mem.h"
#include "orchestrator/core/db.h"

void orch_rpc_job_post(struct tk_rpc_call *call, struct orch_app *app, const void *data, size_t len, orch_query_fn *fn)
{
        struct orch_rpc_job *job = tk_malloc(sizeof *job + len);
        job->call = call;
        job->len = len;
        if (len)
                memcpy(job->data, data, len);
        if (orch_query_post(app, fn, job)) {
                tk_rpc_reply(call, TK_RPC_RESOURCE_EXHAUSTED, "mailbox 'query' is full, try again", NULL, 0);
                tk_free(job);
        }
}

void orch_rpc_reply_down(struct tk_rpc_call *call)
{
        tk_rpc_reply(call, TK_RPC_UNAVAILABLE, "the database cannot be reached, try again", NULL, 0);
}

int orch_rpc_reply_db(struct orch_app *app, struct tk_rpc_call *call, const char *what, int outcome, const struct tk_err *err)
{
        orch_db_failed(app, what, outcome, err);
        if (outcome == TK_PG_E_DOWN || outcome == TK_PG_E_RETRY || outcome == TK_PG_E_TIMEOUT)
                orch_rpc_reply_down(call);
        else if (outcome == TK_PG_E_DATA)
                tk_rpc_reply(call, TK_RPC_INVALID_ARGUMENT, tk_err_text(err), NULL, 0);
        else
                tk_rpc_reply(call, TK_RPC_INTERNAL, "Internal server error", NULL, 0);
        return outcome;
}
