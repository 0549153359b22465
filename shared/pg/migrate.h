/* SPDX-License-Identifier: MIT */
/* pg/migrate.h: brings a database to the schema that is embedded in this program. Forward only; each schema file once,
 * under a checksum; functions again whenever their text changed. An advisory lock makes concurrent callers wait, so
 * any number of replicas may call it at once. PGMQ must be there first: tk_pgmq_install. */
#pragma once
#include "pg/pg.h"

struct tk_migration {           /* embedded: migrations/schema/NNNN_topic.sql in order, then functions by ORDER */
        const char *name;       /* "schema/0001_core" or "functions/settle_steps" */
        const char *text;
};
enum { TK_MIGRATE_MONTHS_AHEAD = 2 }; /* months of history that have partitions before they begin */
struct tk_migrate_report {
        unsigned schema_applied, functions_applied, already; /* counts of files */
        char pgmq_version[32];
};
enum {
        TK_MIGRATE_OK,
        TK_MIGRATE_E_CHANGED, /* an applied schema file differs from ours */
        TK_MIGRATE_E_NEWER,   /* database has files we do not know */
        TK_MIGRATE_E_PENDING, /* check only: something would be applied */
        TK_MIGRATE_E_PGMQ,    /* no PGMQ and no SQL for it */
        TK_MIGRATE_E_DB,
};
/* check: apply nothing, say what would be. pgmq_sql: path of PGMQ's SQL-only install, used when the server does not offer
 * the extension; NULL or "" searches $TASKER_PGMQ_SQL, then <prefix>/share/tasker/pgmq.sql, then deps/pgmq.sql beside the binary. */
TK_MUST int tk_migrate(struct tk_pg *pg, const char *pgmq_sql, bool check, struct tk_migrate_report *ret,
                       struct tk_err *err);

/* For tk_pg_conf.check: 0 when every file of ours was applied in some version, so that this program can work. A newer database, or
 * newer functions, are accepted: migrations come before the programs that need them. */
TK_MUST int tk_migrate_present(struct tk_pg *pg, struct tk_err *err);
