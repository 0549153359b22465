/* SPDX-License-Identifier: MIT */
/* orchestrator/core/db.c: see the header. */
#include "orchestrator/core/db.h"
#include "base/log.h"
#include "pg/migrate.h"
#include <errno.h>

enum { TRIES = 5 };

struct tk_pg_conf orch_db_conf(const struct orch_app *app, const char *application_name)
{
        return (struct tk_pg_conf){.url = app->conf.database_url,
                                   .application_name = application_name,
                                   .hot = true,
                                   .options = app->session_options,
                                   .statement_timeout_ns = app->conf.database_statement_timeout,
                                   .check = tk_migrate_present};
}

int orch_db_open(struct orch_app *app, const char *application_name, struct tk_pg **ret)
{
        struct tk_err err = {0};
        struct tk_pg_conf conf = orch_db_conf(app, application_name);
        int r = tk_pg_open(&conf, ret, &err);
        if (r)
                orch_db_failed(app, "connect", r, &err);
        return r ? -EIO : 0;
}

void orch_db_failed(struct orch_app *app, const char *what, int outcome, const struct tk_err *err)
{
        orch_count_l(app, database_errors_total, tk_pg_outcome_name(outcome));
        tk_log_warn("database.failed", tk_err_text(err), TK_STR("what", what),
                    TK_STR("outcome", tk_pg_outcome_name(outcome)));
}

struct tk_pg *orch_db_lazy(struct orch_app *app, struct tk_pg_lazy *db)
{
        struct tk_err err = {0};
        struct tk_pg *pg = NULL;
        unsigned failures = db->failures;
        int r = tk_pg_lazy_get(db, &pg, &err);
        if (r && db->failures != failures) /* tried, not resting */
                orch_db_failed(app, "connect", r, &err);
        return pg;
}

bool orch_db_again(struct orch_app *app, const char *what, int outcome, unsigned *tries, const struct tk_err *err)
{
        if (outcome != TK_PG_E_RETRY || *tries >= TRIES)
                return false;
        ++*tries;
        orch_db_failed(app, what, outcome, err);
        return true;
}

int orch_db_query(struct orch_app *app, struct tk_pg *pg, const struct tk_sql *sql, const struct tk_pg_args *args, struct tk_pg_result **ret,
                  struct tk_err *err)
{
        unsigned tries = 0;
        int r;
        do
                r = tk_pg_query(pg, sql, args, ret, err);
        while (orch_db_again(app, sql->name, r, &tries, err));
        return r;
}
