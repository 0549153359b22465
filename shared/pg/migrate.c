/* SPDX-License-Identifier: MIT */
/* pg/migrate.c: see the header. Each schema file and the book-keeping row of it are one transaction; so are all functions
 * together, so that no caller ever sees half of a new version. */
#include "pg/migrate.h"
#include "base/arena.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/sha256.h"
#include "pg/internal.h"
#include "pg/pgmq.h"
#include "tk_migrations.h"
#include "tk_sql.h"

#define LOCK_SQL "SELECT pg_advisory_lock(7286425031129)"
#define UNLOCK_SQL "SELECT pg_advisory_unlock(7286425031129)"
enum { CHECKSUM = 65 };

static const char table_sql[] =
        "CREATE SCHEMA IF NOT EXISTS tasker;"
        "CREATE TABLE IF NOT EXISTS tasker.schema_migrations ("
        " name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())";
static const struct tk_sql exists_sql = {
        .name = "migrate.exists", .columns = 1, .text = "SELECT to_regclass('tasker.schema_migrations') IS NOT NULL"};
static const struct tk_sql list_sql = {
        .name = "migrate.list", .columns = 2, .text = "SELECT name, checksum FROM tasker.schema_migrations"};
static const struct tk_sql record_sql = {
        .name = "migrate.record", .params = 2,
        .text = "INSERT INTO tasker.schema_migrations (name, checksum) VALUES ($1, $2)"
                " ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, applied_at = clock_timestamp()"};

/* Any outcome of pg/pg.h is one here. */
static int db(int outcome)
{
        return outcome ? TK_MIGRATE_E_DB : TK_MIGRATE_OK;
}

static bool is_function(const struct tk_migration *m)
{
        return tk_str_starts(m->name, "functions/");
}

static int record(struct tk_pg *pg, const struct tk_migration *m, const char *checksum, struct tk_err *err)
{
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(4096, 1u << 20);
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_text(&args, m->name);
        tk_pg_arg_text(&args, checksum);
        return tk_pg_query(pg, &record_sql, &args, NULL, err);
}

/* The checksum a file was applied with, or NULL. */
static const char *applied(const struct tk_pg_result *res, const char *name)
{
        for (int row = 0; res && row < tk_pg_rows(res); row++)
                if (tk_streq(tk_pg_str(res, row, 0), name))
                        return tk_pg_str(res, row, 1);
        return NULL;
}

static bool known(const char *name)
{
        for (size_t i = 0; i < tk_migrations_count; i++)
                if (tk_streq(tk_migrations[i].name, name))
                        return true;
        return false;
}

static int refuse_newer(const struct tk_pg_result *res, struct tk_err *err)
{
        for (int row = 0; res && row < tk_pg_rows(res); row++) {
                const char *name = tk_pg_str(res, row, 0);
                if (tk_str_starts(name, "schema/") && !known(name))
                        return TK_ERR(err, TK_MIGRATE_E_NEWER,
                                      "the database was migrated by a newer version: it has %s, which this program "
                                      "does not know",
                                      name);
        }
        return 0;
}

static int apply(struct tk_pg *pg, const struct tk_migration *m, const char *checksum, struct tk_err *err)
{
        int r = db(tk_pg_script(pg, m->text, err));
        if (!r)
                r = db(record(pg, m, checksum, err));
        if (r)
                tk_err_prefix(err, "%s", m->name);
        return r;
}

/* One pass over schema files or functions. pending counts what was, or would be, applied. */
static int pass(struct tk_pg *pg, const struct tk_pg_result *res, bool functions, bool check, unsigned *pending,
                unsigned *already, struct tk_err *err)
{
        for (size_t i = 0; i < tk_migrations_count; i++) {
                const struct tk_migration *m = &tk_migrations[i];
                char checksum[CHECKSUM];
                if (is_function(m) != functions)
                        continue;
                tk_sha256_hex(m->text, strlen(m->text), checksum);
                const char *was = applied(res, m->name);
                if (was && tk_streq(was, checksum)) {
                        ++*already;
                        continue;
                }
                if (was && !functions)
                        return TK_ERR(err, TK_MIGRATE_E_CHANGED,
                                      "%s was applied with other content; schema files are never edited after they "
                                      "were applied",
                                      m->name);
                ++*pending;
                if (check)
                        continue;
                int r = functions ? 0 : db(tk_pg_begin(pg, err));
                if (!r)
                        r = apply(pg, m, checksum, err);
                if (!r && !functions)
                        r = db(tk_pg_commit(pg, err));
                if (r)
                        return r;
        }
        return 0;
}

/* *ret: what was applied; NULL on a database that was never migrated. */
static int list(struct tk_pg *pg, struct tk_pg_result **ret, struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *exists = NULL;
        int r = db(tk_pg_query(pg, &exists_sql, NULL, &exists, err));
        if (!r && tk_pg_bool(exists, 0, 0))
                r = db(tk_pg_query(pg, &list_sql, NULL, ret, err));
        return r;
}

static int run(struct tk_pg *pg, bool check, struct tk_migrate_report *ret, struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = check ? 0 : db(tk_pg_script(pg, table_sql, err));
        if (!r)
                r = list(pg, &res, err);
        if (!r)
                r = refuse_newer(res, err);
        if (!r)
                r = pass(pg, res, false, check, &ret->schema_applied, &ret->already, err);
        if (!r && !check)
                r = db(tk_pg_begin(pg, err));
        if (!r)
                r = pass(pg, res, true, check, &ret->functions_applied, &ret->already, err);
        if (!r && !check)
                r = db(tk_pg_commit(pg, err));
        return r;
}

static int ensure_pgmq(struct tk_pg *pg, const char *pgmq_sql, bool check, struct tk_migrate_report *ret,
                       struct tk_err *err)
{
        bool present = true;
        int r = check ? tk_pgmq_present(pg, &present, ret->pgmq_version, sizeof ret->pgmq_version, err)
                      : tk_pgmq_install(pg, pgmq_sql, ret->pgmq_version, sizeof ret->pgmq_version, err);
        if (r)
                return r == TK_PGMQ_E_MISSING ? TK_MIGRATE_E_PGMQ : TK_MIGRATE_E_DB;
        return present ? 0 : TK_ERR(err, TK_MIGRATE_E_PGMQ, "PGMQ is not installed in this database; run 'tasker migrate'");
}

/* Partitions of this month and the next ones. Those who lock what it needs go first; then the sweeper of an orchestrator does it. */
static int make_months(struct tk_pg *pg, struct tk_err *err)
{
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(4096, 1u << 20);
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_i32(&args, TK_MIGRATE_MONTHS_AHEAD);
        int r = tk_pg_query(pg, &tk_sql_history_make_months, &args, NULL, err);
        return r == TK_PG_E_RETRY ? 0 : db(r);
}

int tk_migrate(struct tk_pg *pg, const char *pgmq_sql, bool check, struct tk_migrate_report *ret, struct tk_err *err)
{
        *ret = (struct tk_migrate_report){0};
        int r = db(tk_pg_script(pg, LOCK_SQL, err));
        if (r)
                return r;
        r = ensure_pgmq(pg, pgmq_sql, check, ret, err);
        if (!r)
                r = run(pg, check, ret, err);
        if (r)
                tk_pg_rollback(pg);
        else if (!check)
                r = make_months(pg, err);
        (void)!tk_pg_script(pg, UNLOCK_SQL, NULL);
        if (!r && check && ret->schema_applied + ret->functions_applied)
                r = TK_ERR(err, TK_MIGRATE_E_PENDING,
                           "%u schema files and %u functions are not applied; run 'tasker migrate'",
                           ret->schema_applied, ret->functions_applied);
        return r;
}

int tk_migrate_present(struct tk_pg *pg, struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = list(pg, &res, err);
        for (size_t i = 0; !r && i < tk_migrations_count; i++)
                if (!applied(res, tk_migrations[i].name))
                        r = TK_ERR(err, TK_MIGRATE_E_PENDING, "the database lacks %s; run 'tasker migrate'",
                                   tk_migrations[i].name);
        return r;
}
