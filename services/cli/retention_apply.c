/* SPDX-License-Identifier: MIT */
/* cli/retention_apply.c: see the header. */
#include "cli/retention_apply.h"
#include "archive/expire.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/database.h"
#include "cli/opt.h"
#include "cli/retention_policy.h"
#include "cli/table.h"
#include "tk_sql.h"
#include <stdio.h>
#include <unistd.h>

enum { OUTPUT_MAX = 16 << 20, KEEP_BYTES = 32 };
#define ARENA_MAX ((size_t)16 << 20)

static const char command[] = "tasker retention apply";
static const char about[] =
        "Deletes the tasks that ended longer ago than the policy of their namespace keeps them, with their steps, results, history and\n"
        "closed dead letters, 500 tasks a transaction. Kept meanwhile: tasks with a pending dead letter, parents and children of tasks\n"
        "that are open, and what analytics has not added up yet (a day and some minutes, while an orchestrator runs). Interrupted, it is\n"
        "just run again; several may run at once.\n"
        "\n"
        "  tasker retention apply --dry-run                    what would go\n"
        "  tasker retention apply --export tasks.jsonl         first add them to a file, {\"table\": …, \"row\": …} a line";

/* What there is to print of one namespace. */
struct line {
        const char *namespace, *keep, *keep_days; /* keep_days: "null" */
        int64_t older, due; /* asked by --dry-run only */
        struct tk_archive_sum sum;
};

static void print_lines(const struct line *lines, size_t n, bool dry, bool json)
{
        static const char *const dry_titles[] = {"NAMESPACE", ">KEEP", ">OLDER", ">WOULD GO", ">STEPS", NULL};
        static const char *const titles[] = {"NAMESPACE", ">KEEP", ">DELETED", ">STEPS", NULL};
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(1 << 14, ARENA_MAX);
        TK_AUTOBUF struct tk_buf out = {.max = OUTPUT_MAX};
        struct cli_table *table = cli_table_new(arena, dry ? dry_titles : titles);

        for (size_t i = 0; i < n; i++) {
                const struct line *l = &lines[i];
                long long tasks = dry ? l->due : l->sum.tasks, steps = l->sum.steps;
                if (json) {
                        tk_buf_printf(&out, "%s{\"namespace\":\"%s\",\"keep_days\":%s", i ? "," : "", l->namespace, l->keep_days);
                        if (dry)
                                tk_buf_printf(&out, ",\"older\":%lld", (long long)l->older);
                        tk_buf_printf(&out, ",\"%s\":%lld,\"steps\":%lld}", dry ? "due" : "deleted", tasks, steps);
                        continue;
                }
                cli_table_put(table, NULL, "%s", l->namespace);
                cli_table_put(table, NULL, "%s", l->keep);
                if (dry)
                        cli_table_put(table, NULL, "%lld", (long long)l->older);
                cli_table_put(table, NULL, "%lld", tasks);
                cli_table_put(table, NULL, "%lld", steps);
        }
        if (json) {
                printf("[%s]\n", tk_buf_str(&out));
                return;
        }
        cli_table_print(table, false, &out);
        fputs(tk_buf_str(&out), stdout);
        if (dry)
                printf("\nNothing was deleted.\n");
}

/* All batches of one namespace. */
static int expire_all(struct tk_archive_expire *expire, struct tk_pg *pg, struct line *line, struct tk_err *err)
{
        bool more = true, live = isatty(STDERR_FILENO);
        struct tk_uuid at = {0};
        int r = 0;

        while (!r && more) {
                r = tk_archive_expire_batch(expire, pg, line->namespace, &at, &line->sum, &more, err);
                if (live)
                        fprintf(stderr, "\r%s: %lld tasks deleted", line->namespace, (long long)line->sum.tasks);
        }
        if (live)
                fputs("\r\033[K", stderr);
        return r;
}

/* rows: of retention.due (dry), or of retention.keeps without the first. What was deleted before a failure is said. */
static int every_namespace(struct tk_pg *pg, const struct tk_pg_result *rows, struct tk_archive_expire *expire, bool dry, bool json)
{
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(1 << 14, ARENA_MAX);
        int first = dry ? 0 : 1, rows_n = tk_pg_rows(rows);
        struct line *lines = TK_ARENA_ARRAY(arena, struct line, (size_t)rows_n + 1);
        struct tk_err err = {0};
        size_t n = 0;
        int r = 0;

        for (int row = first; !r && row < rows_n; row++, n++) {
                struct line *l = &lines[n];
                *l = (struct line){.namespace = tk_pg_str(rows, row, 0), .keep_days = tk_pg_is_null(rows, row, 1) ? "null" : tk_pg_str(rows, row, 1)};
                l->keep = cli_retention_keep(rows, row, 1, tk_arena_alloc(arena, KEEP_BYTES));
                if (dry) {
                        l->older = tk_pg_i64(rows, row, 3);
                        l->due = tk_pg_i64(rows, row, 4);
                        l->sum.steps = tk_pg_i64(rows, row, 5);
                } else if (!tk_pg_is_null(rows, row, 1)) {
                        r = expire_all(expire, pg, l, &err);
                }
        }
        print_lines(lines, n, dry, json);
        return r ? cli_retention_fail(command, pg, &err) : CLI_DB_OK;
}

int cli_retention_apply(int argc, char **argv)
{
        const char *url = NULL, *file = NULL, *args[1];
        bool json = false, dry = false;
        const struct cli_opt opts[] = {
                CLI_OPT_FLAG("dry-run", &dry, "Only say what would go."),
                CLI_OPT_VALUE("export", "FILE", &file, "First add the tasks and all that belongs to them to this file, as JSON lines."),
                CLI_OPT_VALUE("database-url", "URL", &url, cli_db_url_help),
                CLI_OPT_FLAG("json", &json, "Print the figures as JSON."),
        };
        const struct cli_usage usage = {.command = command, .arguments = "", .text = about, .opts = opts, .opts_n = tk_countof(opts)};
        TK_CLEANUP(tk_pg_close) struct tk_pg *pg = NULL;
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *rows = NULL;
        struct tk_archive_expire *expire = NULL;
        struct tk_err err = {0};
        unsigned n = 0;

        int r = cli_opt_parse(&usage, argc, argv, args, &n);
        if (r)
                return r == CLI_OPT_E_HELP ? CLI_DB_OK : CLI_DB_USAGE;
        if (dry && file) {
                fprintf(stderr, "%s: --export writes what is deleted, --dry-run deletes nothing: give one of both\n", command);
                return CLI_DB_USAGE;
        }
        r = cli_retention_open(command, url, &pg);
        if (r)
                return r;
        if (tk_archive_expire_open(file, &expire, &err) || tk_pg_query(pg, dry ? &tk_sql_retention_due : &tk_sql_retention_keeps, NULL, &rows, &err))
                r = cli_retention_fail(command, pg, &err);
        else
                r = every_namespace(pg, rows, expire, dry, json);
        expire = tk_archive_expire_close(expire);
        return r;
}
