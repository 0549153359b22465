/* SPDX-License-Identifier: MIT */
/* cli/cmd_database.c: see the header. */
#include "cli/cmd_database.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/opt.h"
#include "cli/table.h"
#include "cli/term.h"
#include "pg/migrate.h"
#include "tk_sql.h"
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_UNREACHABLE, OUTPUT_MAX = 16 << 20, WAIT_S = 60 };

static const char url_help[] = "PostgreSQL (default $DATABASE_URL, else postgresql://localhost/tasker).";

static const char *database_url(const char *given)
{
        const char *env = getenv("DATABASE_URL");
        return given ? given : env && *env ? env : "postgresql://localhost/tasker";
}

/* A database that is starting is waited for: a migration job may come up before it. */
static int connect(const char *command, const char *url, int wait_s, struct tk_pg **ret)
{
        struct tk_err err = {0};
        int64_t deadline = tk_time_mono_ns() + wait_s * TK_NS_PER_S;
        int r;
        while ((r = tk_pg_open(&(struct tk_pg_conf){.url = url, .application_name = "tasker-cli"}, ret, &err)) ==
                       TK_PG_E_DOWN &&
               tk_time_mono_ns() < deadline)
                tk_time_sleep(500 * TK_NS_PER_MS);
        if (!r)
                return EXIT_OK;
        fprintf(stderr, "%s: %s\n", command, tk_err_text(&err));
        return EXIT_UNREACHABLE;
}

int cli_cmd_migrate(int argc, char **argv)
{
        const char *url = NULL, *pgmq = NULL, *args[1];
        bool check = false, status = false;
        unsigned n = 0;
        const struct cli_opt opts[] = {
                CLI_OPT_VALUE("database-url", "URL", &url, url_help),
                CLI_OPT_VALUE("pgmq-sql", "FILE", &pgmq, "PGMQ's SQL-only install, where the server does not offer the extension."),
                CLI_OPT_FLAG("check", &check, "Change nothing; exit 1 when something would be applied."),
                CLI_OPT_FLAG("status", &status, "Change nothing; say what is applied and what is not."),
        };
        const struct cli_usage usage = {
                .command = "tasker migrate",
                .arguments = "",
                .text = "Brings the database to the schema of this program. Forward only; safe to repeat, and from "
                        "many places at once.",
                .opts = opts,
                .opts_n = tk_countof(opts),
        };
        int r = cli_opt_parse(&usage, argc, argv, args, &n);
        if (r)
                return r == CLI_OPT_E_HELP ? EXIT_OK : EXIT_USAGE;
        TK_CLEANUP(tk_pg_close) struct tk_pg *pg = NULL;
        int failed = connect("tasker migrate", database_url(url), WAIT_S, &pg);
        if (failed)
                return failed;
        struct tk_migrate_report report;
        struct tk_err err = {0};
        r = tk_migrate(pg, pgmq, check || status, &report, &err);
        if (r && !(status && r == TK_MIGRATE_E_PENDING)) {
                fprintf(stderr, "tasker migrate: %s\n", tk_err_text(&err));
                return r == TK_MIGRATE_E_DB && !tk_pg_alive(pg) ? EXIT_UNREACHABLE : EXIT_FAILED;
        }
        printf("%s: %u schema files and %u functions%s, %u as they were. PGMQ: %s.\n",
               check || status ? "Checked" : "Migrated", report.schema_applied, report.functions_applied,
               check || status ? " pending" : " applied", report.already,
               *report.pgmq_version ? report.pgmq_version : "not installed");
        return EXIT_OK;
}

static void print_problems(const struct tk_pg_result *res, bool json)
{
        static const char *const titles[] = {"PROBLEM", "TASK", "STEP", "DETAIL", NULL};
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(1 << 16, 256u << 20);
        TK_AUTOBUF struct tk_buf out = {.max = OUTPUT_MAX};
        struct cli_table *table = cli_table_new(arena, titles);
        tk_buf_puts(&out, json ? "[" : "");
        for (int row = 0; row < tk_pg_rows(res); row++) {
                static const char *const keys[] = {"problem", "task_uuid", "step_uuid", "detail"};
                for (int col = 0; col < 4; col++) {
                        if (!json) {
                                cli_table_put(table, NULL, "%s", tk_pg_str(res, row, col));
                                continue;
                        }
                        tk_buf_printf(&out, "%s\"%s\":", col ? "," : row ? ",{" : "{", keys[col]);
                        if (tk_pg_is_null(res, row, col))
                                tk_buf_puts(&out, "null");
                        else
                                tk_buf_put_json_str(&out, tk_pg_str(res, row, col), tk_pg_len(res, row, col));
                }
                tk_buf_puts(&out, json ? "}" : "");
        }
        if (json)
                tk_buf_puts(&out, "]\n");
        else
                cli_table_print(table, false, &out);
        fputs(tk_buf_str(&out), stdout);
}

int cli_cmd_doctor(int argc, char **argv)
{
        const char *url = NULL, *args[1];
        bool json = false;
        unsigned n = 0;
        const struct cli_opt opts[] = {
                CLI_OPT_VALUE("database-url", "URL", &url, url_help),
                CLI_OPT_FLAG("json", &json, "Print the problems as JSON."),
        };
        const struct cli_usage usage = {
                .command = "tasker doctor",
                .arguments = "",
                .text = "Proves that the database is consistent: counters equal what the graphs say, every live "
                        "step has its message or\n"
                        "timer, nothing was settled twice, nothing is stranded. Exit 0: healthy; 1: problems, one "
                        "line each.",
                .opts = opts,
                .opts_n = tk_countof(opts),
        };
        int r = cli_opt_parse(&usage, argc, argv, args, &n);
        if (r)
                return r == CLI_OPT_E_HELP ? EXIT_OK : EXIT_USAGE;
        TK_CLEANUP(tk_pg_close) struct tk_pg *pg = NULL;
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(4096, 1u << 20);
        struct tk_migrate_report report;
        struct tk_err err = {0};
        int failed = connect("tasker doctor", database_url(url), 0, &pg);
        if (failed)
                return failed;
        r = tk_migrate(pg, NULL, true, &report, &err);
        if (!r) {
                struct tk_pg_args none;
                tk_pg_args_init(&none, arena);
                tk_pg_arg_uuid(&none, NULL);
                r = tk_pg_query(pg, &tk_sql_engine_check_consistency, &none, &res, &err);
        }
        if (r) {
                fprintf(stderr, "tasker doctor: %s\n", tk_err_text(&err));
                return EXIT_FAILED;
        }
        int problems = tk_pg_rows(res);
        if (json || problems)
                print_problems(res, json);
        if (!json)
                printf("%s", problems ? "" : "Healthy: schema current, counters, messages, timers and results agree.\n");
        return problems ? EXIT_FAILED : EXIT_OK;
}
