/* SPDX-License-Identifier: MIT */
/* archive/rows.c: see the header. */
#include "archive/rows.h"
#include "tk_sql.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { FETCH_ROWS = 500 };

int tk_archive_sync_folder(const char *path, struct tk_err *err)
{
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r = fd < 0 || fsync(fd) ? TK_ERR(err, -errno, "cannot sync %s: %s", path, strerror(errno)) : 0;
        if (fd >= 0)
                close(fd);
        return r;
}

int tk_archive_rows(struct tk_pg *pg, struct tk_arena *arena, FILE *out, struct tk_err *err)
{
        for (;;) {
                TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
                struct tk_pg_args args;
                tk_pg_args_init(&args, arena);
                tk_pg_arg_i32(&args, FETCH_ROWS);
                int r = tk_pg_query(pg, &tk_sql_history_fetch, &args, &res, err);
                if (r)
                        return r;
                for (int row = 0; row < tk_pg_rows(res); row++) {
                        fwrite(tk_pg_str(res, row, 0), 1, tk_pg_len(res, row, 0), out);
                        fputc('\n', out);
                }
                bool more = tk_pg_rows(res) == FETCH_ROWS;
                tk_arena_reset(arena);
                if (ferror(out))
                        return TK_ERR(err, -EIO, "cannot write: %s", strerror(errno));
                if (!more)
                        return 0;
        }
}
