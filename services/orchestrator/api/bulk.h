/* SPDX-License-Identifier: MIT */
/* orchestrator/api/bulk.h: a decision about many, page by page: what came of a page, and its answer. The same for tasks and for entries of the
 * dead-letter queue. */
#pragma once
#include "base/attr.h"
#include "base/buf.h"
#include "model/decision.h"
#include "orchestrator/core/rows.h"
#include "pg/pg.h"

struct tk_http_req;
struct orch_bulk { /* in the request's arena; zero it, then set the first four */
        struct tk_http_req *req;
        struct tk_decision *decision; /* `after` moves on */
        orch_row_fn *changed;         /* gets each row 'changed', with the bulk as user; or NULL */
        bool tells_steps;             /* the answer has their number */
        struct orch_app *app;
        struct tk_buf matched;        /* "uuid","uuid"… */
        struct tk_buf skipped;        /* {"task_uuid", "reason"},… of those that cannot be done as asked */
        unsigned looked, changed_n, steps_n;
        bool more;
};
/* For orch_rows_apply and orch_decide_rows: counts and remembers. user: the bulk. */
void orch_bulk_row(void *user, const struct orch_row *row);
/* Runs a page. On failure it answers and returns what an orch_query_fn is to return; on 0 the caller answers with orch_bulk_reply. */
TK_MUST int orch_bulk_page(struct orch_app *app, struct tk_pg *pg, struct orch_bulk *bulk, const struct tk_sql *sql, const struct tk_pg_args *args,
                           orch_row_fn *each, void *user);
/* This task is left as it is, and the answer says why. */
void orch_bulk_skip(struct orch_bulk *bulk, const struct tk_uuid *task, const struct tk_err *why);
/* The answer. Nothing of the bulk may be touched after it. */
void orch_bulk_reply(struct orch_bulk *bulk);
/* The same for a failure of a later statement; an outcome of pg/pg.h. */
void orch_bulk_fail(struct orch_bulk *bulk, const char *what, int outcome, const struct tk_err *err);
