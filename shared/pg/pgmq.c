/* SPDX-License-Identifier: MIT */
/* pg/pgmq.c: see the header. */
#include "pg/pgmq.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "pg/internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SCRIPT_MAX = 4 * 1024 * 1024, PATH_SIZE = 4096 };

static const struct tk_sql present_sql = {
        .name = "pgmq.present", .params = 0, .columns = 3,
        .text = "SELECT to_regclass('pgmq.meta') IS NOT NULL AS present,"
                " (SELECT extversion FROM pg_extension WHERE extname = 'pgmq') AS version,"
                " EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'pgmq') AS offered",
};

static int look(struct tk_pg *pg, bool *present, bool *offered, char *version, size_t size, struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = tk_pg_query(pg, &present_sql, NULL, &res, err);
        if (r)
                return r;
        *present = tk_pg_bool(res, 0, 0);
        *offered = tk_pg_bool(res, 0, 2);
        (void)tk_str_copy(version, size, tk_pg_is_null(res, 0, 1) ? "sql" : tk_pg_str(res, 0, 1));
        return 0;
}

int tk_pgmq_present(struct tk_pg *pg, bool *ret, char *ret_version, size_t size, struct tk_err *err)
{
        bool offered;
        return look(pg, ret, &offered, ret_version, size, err);
}

/* The first of the places where the SQL may lie; false: none has it. */
static bool find_sql(const char *given, char path[PATH_SIZE])
{
        char binary[PATH_SIZE];
        ssize_t len = readlink("/proc/self/exe", binary, sizeof binary - 1);
        binary[len > 0 ? len : 0] = '\0';
        char *slash = strrchr(binary, '/');
        if (slash)
                *slash = '\0';
        const char *env = getenv("TASKER_PGMQ_SQL");
        const struct {
                const char *dir, *rest;
        } places[] = {{given, ""},
                      {env, ""},
                      {binary, "/../share/tasker/pgmq.sql"},
                      {binary, "/../deps/pgmq.sql"},
                      {binary, "/../../build/deps/pgmq.sql"}};
        for (size_t i = 0; i < tk_countof(places); i++) {
                if (!places[i].dir || !*places[i].dir)
                        continue;
                if (snprintf(path, PATH_SIZE, "%s%s", places[i].dir, places[i].rest) < PATH_SIZE && !access(path, R_OK))
                        return true;
        }
        return false;
}

static bool read_file(const char *path, struct tk_buf *buf)
{
        char chunk[65536];
        FILE *file = fopen(path, "re");
        if (!file)
                return false;
        for (size_t n; (n = fread(chunk, 1, sizeof chunk, file));)
                tk_buf_put(buf, chunk, n);
        bool good = !ferror(file) && !tk_buf_failed(buf);
        fclose(file);
        return good;
}

int tk_pgmq_install(struct tk_pg *pg, const char *sql_path, char *ret_version, size_t size, struct tk_err *err)
{
        bool present = false, offered = false;
        char path[PATH_SIZE];
        int r = look(pg, &present, &offered, ret_version, size, err);
        if (r || present)
                return r;
        if (offered) {
                r = tk_pg_script(pg, "CREATE EXTENSION pgmq CASCADE", err);
                return r ? r : look(pg, &present, &offered, ret_version, size, err);
        }
        if (!find_sql(sql_path, path))
                return TK_ERR(err, TK_PGMQ_E_MISSING,
                              "this PostgreSQL does not offer the extension pgmq, and its SQL-only install was not "
                              "found; "
                              "run scripts/setup, or set TASKER_PGMQ_SQL to the path of pgmq.sql");
        TK_AUTOBUF struct tk_buf script;
        tk_buf_init(&script, SCRIPT_MAX);
        if (!read_file(path, &script))
                return TK_ERR(err, TK_PGMQ_E_MISSING, "%s: cannot be read, or is larger than %d bytes", path, SCRIPT_MAX);
        r = tk_pg_script(pg, tk_buf_str(&script), err);
        return r ? r : look(pg, &present, &offered, ret_version, size, err);
}
