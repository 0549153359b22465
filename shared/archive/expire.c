/* SPDX-License-Identifier: MIT */
/* archive/expire.c: see the header. */
#include "archive/expire.h"
#include "archive/rows.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "tk_sql.h"
#include <errno.h>
#include <libgen.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { BATCH_TASKS = 500, BATCH_STEPS = 5000, TRIES = 20, ARENA_BLOCK = 1 << 16, PATH_BYTES = 4096 };
#define ARENA_MAX ((size_t)1 << 20)
#define TRY_PAUSE_NS (200 * TK_NS_PER_MS)

struct tk_archive_expire {
        struct tk_arena *arena;
        FILE *out;
        char *path;
};

/* A process that died while it wrote left a line without its end; what it was of is in the database still. */
static int cut_torn_line(FILE *out, const char *path, struct tk_err *err)
{
        char block[PATH_BYTES];
        off_t size = lseek(fileno(out), 0, SEEK_END), whole = size;
        while (whole > 0) {
                off_t from = whole > (off_t)sizeof block ? whole - (off_t)sizeof block : 0;
                ssize_t n = pread(fileno(out), block, (size_t)(whole - from), from);
                if (n != whole - from)
                        return TK_ERR(err, -EIO, "cannot read the end of %s: %s", path, n < 0 ? strerror(errno) : "it is shorter than it was");
                while (n > 0 && block[n - 1] != '\n')
                        n--;
                whole = from + n;
                if (n > 0)
                        break;
        }
        if (whole < size && ftruncate(fileno(out), whole))
                return TK_ERR(err, -errno, "cannot cut the torn last line off %s: %s", path, strerror(errno));
        return 0;
}

int tk_archive_expire_open(const char *path, struct tk_archive_expire **ret, struct tk_err *err)
{
        struct tk_archive_expire *expire = TK_NEW(struct tk_archive_expire);
        char folder[PATH_BYTES];
        int r = 0;

        expire->arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        expire->path = path ? tk_strdup(path) : NULL;
        if (path && tk_str_copy(folder, sizeof folder, path))
                r = TK_ERR(err, -ENAMETOOLONG, "the file's name has %zu bytes, at most %zu are possible", strlen(path), sizeof folder - 1);
        if (!r && path && !(expire->out = fopen(path, "a+e")))
                r = TK_ERR(err, -errno, "cannot write %s: %s", path, strerror(errno));
        if (!r && path && flock(fileno(expire->out), LOCK_EX | LOCK_NB))
                r = TK_ERR(err, -errno, "cannot write %s: %s", path, errno == EWOULDBLOCK ? "another export writes it" : strerror(errno));
        if (!r && path)
                r = cut_torn_line(expire->out, path, err);
        if (!r && path) /* the name, if it is new */
                r = tk_archive_sync_folder(dirname(folder), err);
        if (r)
                expire = tk_archive_expire_close(expire);
        *ret = expire;
        return r;
}

struct tk_archive_expire *tk_archive_expire_close(struct tk_archive_expire *expire)
{
        if (!expire)
                return NULL;
        if (expire->out)
                fclose(expire->out);
        tk_arena_free(expire->arena);
        tk_free(expire->path);
        tk_free(expire);
        return NULL;
}

/* The tasks of the batch, BATCH_TASKS at most, and where the look ended (nil: nothing is left). */
static int choose(struct tk_archive_expire *expire, struct tk_pg *pg, const char *namespace, const struct tk_uuid *at, struct tk_uuid *ret_tasks,
                  size_t *ret_n, struct tk_uuid *ret_at, struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_pg_args args;
        tk_pg_args_init(&args, expire->arena);
        tk_pg_arg_text(&args, namespace);
        tk_pg_arg_uuid(&args, at);
        tk_pg_arg_i32(&args, BATCH_TASKS);
        tk_pg_arg_i64(&args, BATCH_STEPS);
        int r = tk_pg_query(pg, &tk_sql_retention_choose, &args, &res, err);
        if (r)
                return r;
        *ret_n = (size_t)tk_pg_rows(res) - 1;
        for (size_t i = 0; i < *ret_n; i++)
                ret_tasks[i] = tk_pg_uuid(res, (int)i, 0);
        *ret_at = tk_pg_uuid(res, (int)*ret_n, 1);
        return 0;
}

static int with_tasks(struct tk_archive_expire *expire, struct tk_pg *pg, const struct tk_sql *sql, const struct tk_uuid *tasks, size_t n,
                      struct tk_pg_result **ret, struct tk_err *err)
{
        struct tk_pg_args args;
        tk_arena_reset(expire->arena);
        tk_pg_args_init(&args, expire->arena);
        tk_pg_arg_uuid_array(&args, tasks, n);
        return tk_pg_query(pg, sql, &args, ret, err);
}

/* What is in the file is on the disk before it is gone from the database. */
static int write_tasks(struct tk_archive_expire *expire, struct tk_pg *pg, const struct tk_uuid *tasks, size_t n, struct tk_err *err)
{
        int r = with_tasks(expire, pg, &tk_sql_retention_export, tasks, n, NULL, err);
        if (!r)
                r = tk_archive_rows(pg, expire->arena, expire->out, err);
        if (!r && (fflush(expire->out) || fsync(fileno(expire->out))))
                r = TK_ERR(err, -EIO, "cannot write %s: %s", expire->path, strerror(errno));
        return r;
}

/* Within a transaction. */
static int delete_batch(struct tk_archive_expire *expire, struct tk_pg *pg, const char *namespace, struct tk_uuid *at, struct tk_archive_sum *sum,
                        struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_uuid tasks[BATCH_TASKS];
        size_t n;

        int r = choose(expire, pg, namespace, tk_uuid_is_nil(at) ? NULL : at, tasks, &n, at, err);
        if (r || !n)
                return r;
        if (expire->out)
                r = write_tasks(expire, pg, tasks, n, err);
        if (!r)
                r = with_tasks(expire, pg, &tk_sql_retention_delete, tasks, n, &res, err);
        if (r)
                return r;
        sum->tasks += tk_pg_i64(res, 0, 0);
        sum->steps += tk_pg_i64(res, 0, 1);
        return 0;
}

/* Takes back what was written of a batch that was not deleted. */
static int unwrite(struct tk_archive_expire *expire, off_t end, struct tk_err *err)
{
        __fpurge(expire->out);
        clearerr(expire->out);
        if (ftruncate(fileno(expire->out), end))
                return TK_ERR(err, -errno, "%s has lines of tasks that are still there: %s", expire->path, strerror(errno));
        return 0;
}

int tk_archive_expire_batch(struct tk_archive_expire *expire, struct tk_pg *pg, const char *namespace, struct tk_uuid *at, struct tk_archive_sum *sum,
                     bool *ret_more, struct tk_err *err)
{
        off_t end = expire->out ? lseek(fileno(expire->out), 0, SEEK_END) : 0;
        int r = 0, wrong = 0;

        for (int tries = 0; tries < TRIES; tries++) {
                struct tk_uuid next = *at;
                struct tk_archive_sum after = *sum;
                tk_arena_reset(expire->arena);
                r = tk_pg_begin(pg, err);
                if (!r)
                        r = delete_batch(expire, pg, namespace, &next, &after, err);
                bool sent = !r;
                if (!r)
                        r = tk_pg_commit(pg, err);
                else
                        tk_pg_rollback(pg);
                if (!r) {
                        *sum = after;
                        *at = next;
                        *ret_more = !tk_uuid_is_nil(at);
                        return 0;
                }
                if (expire->out && !(sent && r == TK_PG_E_DOWN)) /* then nobody knows whether they are gone: better twice than never */
                        wrong = unwrite(expire, end, err);
                if (wrong || r != TK_PG_E_RETRY)
                        return wrong ? wrong : r;
                tk_time_sleep(tk_rand_jitter(TRY_PAUSE_NS, 0.5));
        }
        return r;
}
