/* SPDX-License-Identifier: MIT */
/* cli/history.c: see the header. A lock that is not had soon is not waited for (drop_history): the whole is said again, a few times. */
#include "cli/history.h"
#include "archive/rows.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "tk_sql.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 20, PATH_BYTES = 4096, ARENA_BLOCK = 4096 };
#define ARENA_MAX ((size_t)1 << 20)
#define TRY_PAUSE_NS (200 * TK_NS_PER_MS)

static int make_folder(const char *path, struct tk_err *err)
{
        return mkdir(path, 0777) && errno != EEXIST ? TK_ERR(err, -errno, "cannot make %s: %s", path, strerror(errno)) : 0;
}

/* Complete under its name, or not there: written beside it first. */
static int write_table(struct tk_pg *pg, struct tk_arena *arena, const char *folder, const char *table, const char *month, struct tk_err *err)
{
        char path[PATH_BYTES], part[PATH_BYTES + 8];
        if ((size_t)snprintf(path, sizeof path, "%s/%s.jsonl", folder, table) >= sizeof path ||
            (size_t)snprintf(part, sizeof part, "%s.part", path) >= sizeof part)
                return TK_ERR(err, -ENAMETOOLONG, "the folder's name is too long");
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_text(&args, table);
        tk_pg_arg_text(&args, month);
        int r = tk_pg_query(pg, &tk_sql_history_export, &args, NULL, err);
        if (r)
                return r;
        FILE *out = fopen(part, "we");
        if (!out)
                return TK_ERR(err, -errno, "cannot write %s: %s", part, strerror(errno));
        r = tk_archive_rows(pg, arena, out, err);
        if (!r && (fflush(out) || fsync(fileno(out))))
                r = TK_ERR(err, -EIO, "cannot write %s: %s", part, strerror(errno));
        if (fclose(out) && !r)
                r = TK_ERR(err, -EIO, "cannot write %s: %s", part, strerror(errno));
        if (!r && rename(part, path))
                r = TK_ERR(err, -errno, "cannot name %s: %s", path, strerror(errno));
        if (r)
                unlink(part);
        return r;
}

static int write_month(struct tk_pg *pg, struct tk_arena *arena, const char *folder, const char *month, struct tk_err *err)
{
        char path[PATH_BYTES];
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *tables = NULL;
        if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, month) >= sizeof path)
                return TK_ERR(err, -ENAMETOOLONG, "the folder's name is too long");
        int r = tk_pg_query(pg, &tk_sql_history_tables, NULL, &tables, err);
        if (!r)
                r = make_folder(folder, err);
        if (!r)
                r = make_folder(path, err);
        for (int row = 0; !r && row < tk_pg_rows(tables); row++)
                r = write_table(pg, arena, path, tk_pg_str(tables, row, 0), month, err);
        if (!r)
                r = tk_archive_sync_folder(path, err);
        return r ? r : tk_archive_sync_folder(folder, err);
}

static int drop(struct tk_pg *pg, struct tk_arena *arena, const char *month, char ret_outcome[16], struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_text(&args, month);
        int r = tk_pg_query(pg, &tk_sql_history_drop, &args, &res, err);
        if (!r)
                (void)tk_str_copy(ret_outcome, 16, tk_pg_str(res, 0, 0));
        return r;
}

int cli_history_drop(struct tk_pg *pg, const char *month, const char *folder, char ret_outcome[16], struct tk_err *err)
{
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        int r;
        for (int tries = 0; tries < TRIES; tries++) {
                tk_arena_reset(arena);
                r = tk_pg_begin(pg, err);
                if (!r && folder)
                        r = write_month(pg, arena, folder, month, err);
                if (!r)
                        r = drop(pg, arena, month, ret_outcome, err);
                if (!r)
                        r = tk_pg_commit(pg, err);
                else
                        tk_pg_rollback(pg);
                if (r != TK_PG_E_RETRY)
                        return r;
                tk_time_sleep(tk_rand_jitter(TRY_PAUSE_NS, 0.5));
        }
        return r;
}
