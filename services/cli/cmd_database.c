/* SPDX-License-Identifier: MIT */
/* cli/cmd_database.c: see the header. */
#include "cli/cmd_database.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/database.h"
#include "cli/opt.h"
#include "cli/table.h"
#include "cli/term.h"
#include "pg/migrate.h"
#include "tk_sql.h"
#include <stdio.h>

enum { OUTPUT_MAX = 16 << 20, WAIT_S = 60 };

int cli_cmd_migrate(int argc, char **argv)
{
        const char *url = NULL, *pgmq = NULL, *args[1];
        bool check = false, status = false;
        unsigned n = 0;
        const struct cli_opt opts[] = {
                CLI_OPT_VALUE("database-url", "URL", &url, cli_db_url_help),
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
                return r == CLI_OPT_E_HELP ? CLI_DB_OK : CLI_DB_USAGE;
        TK_CLEANUP(tk_pg_close) struct tk_pg *pg = NULL;
        int failed = cli_db_open("tasker migrate", url, WAIT_S, &pg);
        if (failed)
                return failed;
        struct tk_migrate_report report;
        struct tk_err err = {0};
        r = tk_migrate(pg, pgmq, check || status, &report, &err);
        if (r && !(status && r == TK_MIGRATE_E_PENDING)) {
                fprintf(stderr, "tasker migrate: %s\n", tk_err_text(&err));
                return r == TK_MIGRATE_E_DB && !tk_pg_alive(pg) ? CLI_DB_UNREACHABLE : CLI_DB_FAILED;
        }
        printf("%s: %u schema files and %u functions%s, %u as they were. PGMQ: %s.\n",
               check || status ? "Checked" : "Migrated", report.schema_applied, report.functions_applied,
               check || status ? " pending" : " applied", report.already,
               *report.pgmq_version ? report.pgmq_version : "not installed");
        return CLI_DB_OK;
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
                CLI_OPT_VALUE("database-url", "URL", &url, cli_db_url_help),
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
                return r == CLI_OPT_E_HELP ? CLI_DB_OK : CLI_DB_USAGE;
        TK_CLEANUP(tk_pg_close) struct tk_pg *pg = NULL;
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(4096, 1u << 20);
        struct tk_migrate_report report;
        struct tk_err err = {0};
        int failed = cli_db_open("tasker doctor", url, 0, &pg);
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
                return CLI_DB_FAILED;
        }
        int problems = tk_pg_rows(res);
        if (json || problems)
                print_problems(res, json);
        if (!json)
                printf("%s", problems ? "" : "Healthy: schema current, counters, messages, timers and results agree.\n");
        return problems ? CLI_DB_FAILED : CLI_DB_OK;
}
