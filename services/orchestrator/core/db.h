/* SPDX-License-Identifier: MIT */
/* orchestrator/core/db.h: how the actors of the orchestrator connect to the database, and what they say when it fails. Any thread. */
#pragma once
#include "orchestrator/app.h"
#include "pg/lazy.h"
#include "pg/pg.h"

/* Of a connection named after its actor: plans pinned, a database without our schema refused. */
struct tk_pg_conf orch_db_conf(const struct orch_app *app, const char *application_name);

/* Opens a hot connection for an actor's start; a failure is logged. 0 and *ret, or -EIO. */
TK_MUST int orch_db_open(struct orch_app *app, const char *application_name, struct tk_pg **ret);

/* The connection of an actor that lives without one; NULL: not to be had now. A failed attempt is logged. */
struct tk_pg *orch_db_lazy(struct orch_app *app, struct tk_pg_lazy *db);

/* Logs and counts a failed statement. */
void orch_db_failed(struct orch_app *app, const char *what, int outcome, const struct tk_err *err);

/* Whether a transaction that ended so is to be said again: the server asked for it (a deadlock, a serialization failure), and not yet too often.
 * Counts in *tries, from 0; logged each time. */
TK_MUST bool orch_db_again(struct orch_app *app, const char *what, int outcome, unsigned *tries, const struct tk_err *err);
/* As tk_pg_query, said again as orch_db_again has it. */
TK_MUST int orch_db_query(struct orch_app *app, struct tk_pg *pg, const struct tk_sql *sql, const struct tk_pg_args *args, struct tk_pg_result **ret,
                          struct tk_err *err);
