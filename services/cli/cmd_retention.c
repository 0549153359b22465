/* SPDX-License-Identifier: MIT */
/* cli/cmd_retention.c: see the header. Shows first: without --apply nothing is dropped. */
#include "cli/cmd_retention.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/database.h"
#include "cli/history.h"
#include "cli/opt.h"
#include "cli/retention_apply.h"
#include "cli/retention_policy.h"
#include "cli/table.h"
#include "tk_sql.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { OUTPUT_MAX = 16 << 20, AGE_MAX = 32, AGE_NUMBER_MAX = 100000, OUTCOME = 16 };
#define ARENA_MAX ((size_t)16 << 20)

static const char about[] =
        "Shows the history there is, by the month its tasks were created in, and lets months of it go: whole partitions, in\n"
        "milliseconds. History is attempts, results and transitions; the tasks and their steps stay, with their states. A month\n"
        "of which a task is still open is kept. 'policy' says how long each namespace keeps its ended tasks, 'apply' deletes those that are older.\n"
        "\n"
        "  tasker retention                                              what there is\n"
        "  tasker retention --drop-before 90d                            what would go\n"
        "  tasker retention --drop-before 2026-06-01 --export DIR --apply\n"
        "  tasker retention --drop-before policy                         what is older than the longest policy of all\n"
        "  tasker retention policy set shop --keep 90d                   'tasker retention policy --help' says more\n"
        "  tasker retention apply --dry-run                              'tasker retention apply --help' says more";

/* What --drop-before says: one of the first two is set, with policy once that is known. */
struct cutoff {
        const char *before; /* "YYYY-MM-DD" */
        char age[AGE_MAX];  /* "90 days"; "": none */
        bool policy;        /* the longest of all namespaces */
};
struct totals {
        int64_t months, tasks, bytes;
        bool kept; /* a month that is due could not go */
};

static bool is_date(const char *text)
{
        static const char form[] = "dddd-dd-dd";
        if (strlen(text) != sizeof form - 1)
                return false;
        for (size_t i = 0; form[i]; i++)
                if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != '-')
                        return false;
        return true;
}

/* "2026-06-01", or a number with d, w, m (months) or y. */
static int parse_cutoff(const char *text, struct cutoff *ret)
{
        static const struct {
                char letter;
                const char *unit;
        } units[] = {{'d', "days"}, {'w', "weeks"}, {'m', "months"}, {'y', "years"}};
        size_t len = strlen(text);
        char digits[AGE_MAX];
        int64_t n;

        if (tk_streq(text, "policy")) {
                ret->policy = true;
                return 0;
        }
        if (is_date(text)) {
                ret->before = text;
                return 0;
        }
        if (len < 2 || len >= sizeof digits)
                return -1;
        memcpy(digits, text, len - 1);
        digits[len - 1] = 0;
        for (size_t i = 0; i < tk_countof(units); i++)
                if (units[i].letter == text[len - 1] && !tk_str_to_i64(digits, 0, AGE_NUMBER_MAX, &n)) {
                        snprintf(ret->age, sizeof ret->age, "%lld %s", (long long)n, units[i].unit);
                        return 0;
                }
        return -1;
}

/* What is to become of a month, before anything is done. */
static const char *plan(const struct tk_pg_result *res, int row)
{
        if (!tk_pg_is_null(res, row, tk_pg_column(res, "dropped_at")))
                return "dropped";
        if (!tk_pg_bool(res, row, tk_pg_column(res, "due")))
                return "kept";
        return tk_pg_i64(res, row, tk_pg_column(res, "open_tasks")) ? "open" : "due";
}

static void put_size(struct cli_table *table, int64_t bytes)
{
        if (bytes < 10 << 20)
                cli_table_put(table, NULL, "%.1f kB", (double)bytes / 1024);
        else
                cli_table_put(table, NULL, "%.1f MB", (double)bytes / (1 << 20));
}

static void explain(struct cli_table *table, const struct tk_pg_result *res, int row, const char *outcome)
{
        const char *dropped = tk_pg_str(res, row, tk_pg_column(res, "dropped_at"));
        if (tk_streq(outcome, "open"))
                cli_table_put(table, NULL, "kept: %s tasks are open, the oldest is %s",
                              tk_pg_str(res, row, tk_pg_column(res, "open_tasks")), tk_pg_str(res, row, tk_pg_column(res, "oldest")));
        else if (tk_streq(outcome, "not over"))
                cli_table_put(table, NULL, "kept: the month is not over");
        else if (tk_streq(outcome, "due"))
                cli_table_put(table, NULL, "would be dropped");
        else if (*dropped)
                cli_table_put(table, NULL, "dropped %.10s", dropped);
        else if (tk_pg_is_null(res, row, 0))
                cli_table_put(table, NULL, "in no month's partition");
        else
                cli_table_put(table, NULL, "%s", tk_streq(outcome, "kept") ? "" : outcome);
}

static void put_table(struct cli_table *table, const struct tk_pg_result *res, int row, const char *outcome)
{
        int rows = tk_pg_column(res, "row_count");
        cli_table_put(table, NULL, "%s", tk_pg_is_null(res, row, 0) ? "other" : tk_pg_str(res, row, 0));
        cli_table_put(table, NULL, "%s", tk_pg_str(res, row, tk_pg_column(res, "tasks")));
        cli_table_put(table, NULL, "%s", tk_pg_str(res, row, tk_pg_column(res, "open_tasks")));
        cli_table_put(table, NULL, "%s", tk_pg_is_null(res, row, rows) ? "?" : tk_pg_str(res, row, rows));
        put_size(table, tk_pg_i64(res, row, tk_pg_column(res, "bytes")));
        explain(table, res, row, outcome);
}

static void put_json(struct tk_buf *out, const struct tk_pg_result *res, int row, const char *outcome)
{
        static const struct {
                const char *column;
                bool text;
        } fields[] = {{"month", true},      {"tasks", false}, {"open_tasks", false}, {"oldest", true},
                      {"row_count", false}, {"bytes", false}, {"dropped_at", true}};
        tk_buf_puts(out, row ? "," : "");
        for (size_t i = 0; i < tk_countof(fields); i++) {
                int col = tk_pg_column(res, fields[i].column);
                tk_buf_printf(out, "%c\"%s\":%s", i ? ',' : '{', fields[i].column, fields[i].text && !tk_pg_is_null(res, row, col) ? "\"" : "");
                tk_buf_puts(out, tk_pg_is_null(res, row, col) ? "null" : tk_pg_str(res, row, col));
                tk_buf_puts(out, fields[i].text && !tk_pg_is_null(res, row, col) ? "\"" : "");
        }
        tk_buf_printf(out, ",\"outcome\":\"%s\"}", outcome);
}

static void conclude(const struct cutoff *cutoff, const struct totals *sum, bool apply)
{
        if (!cutoff)
                printf("\n'tasker retention --drop-before DATE|AGE' shows what would go.\n");
        else if (apply)
                printf("\nDropped the history of %lld tasks in %lld months, %.1f MB.\n", (long long)sum->tasks, (long long)sum->months,
                       (double)sum->bytes / (1 << 20));
        else
                printf("\nNothing was dropped. With --apply the history of %lld tasks in %lld months would be, %.1f MB.\n", (long long)sum->tasks,
                       (long long)sum->months, (double)sum->bytes / (1 << 20));
}

/* Every month in turn; the first that fails ends it, those before stay dropped. */
static int every_month(struct tk_pg *pg, const struct tk_pg_result *res, const struct cutoff *cutoff, const char *folder, bool apply, bool json)
{
        static const char *const titles[] = {"MONTH", ">TASKS", ">OPEN", ">ROWS", ">SIZE", "", NULL};
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(1 << 16, ARENA_MAX);
        TK_AUTOBUF struct tk_buf out = {.max = OUTPUT_MAX};
        struct cli_table *table = cli_table_new(arena, titles);
        struct totals sum = {0};
        struct tk_err err = {0};
        int r = 0;

        for (int row = 0; !r && row < tk_pg_rows(res); row++) {
                const char *planned = plan(res, row);
                char outcome[OUTCOME];
                (void)tk_str_copy(outcome, sizeof outcome, planned);
                if (apply && tk_streq(planned, "due"))
                        r = cli_history_drop(pg, tk_pg_str(res, row, 0), folder, outcome, &err);
                if (r)
                        (void)tk_str_copy(outcome, sizeof outcome, "failed");
                if (tk_streq(planned, "due") && (!apply || tk_streq(outcome, "dropped"))) {
                        sum.months++;
                        sum.tasks += tk_pg_i64(res, row, tk_pg_column(res, "tasks"));
                        sum.bytes += tk_pg_i64(res, row, tk_pg_column(res, "bytes"));
                } else if (!tk_streq(outcome, "kept") && !tk_streq(planned, "dropped")) {
                        sum.kept = true;
                }
                if (json)
                        put_json(&out, res, row, outcome);
                else
                        put_table(table, res, row, outcome);
        }
        if (json)
                printf("[%s]\n", tk_buf_str(&out));
        else {
                cli_table_print(table, false, &out);
                fputs(tk_buf_str(&out), stdout);
                conclude(cutoff, &sum, apply);
        }
        if (r)
                fprintf(stderr, "tasker retention: %s\n", tk_err_text(&err));
        return r || (apply && sum.kept) ? CLI_DB_FAILED : CLI_DB_OK;
}

static int ask(struct tk_pg *pg, struct cutoff *cutoff, struct tk_pg_result **ret, struct tk_err *err)
{
        int64_t days;
        int r = cutoff->policy ? cli_retention_longest(pg, &days, err) : 0;
        if (r)
                return r;
        if (cutoff->policy)
                snprintf(cutoff->age, sizeof cutoff->age, "%lld days", (long long)days);
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(4096, ARENA_MAX);
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_text(&args, cutoff->before);
        tk_pg_arg_text(&args, *cutoff->age ? cutoff->age : NULL);
        return tk_pg_query(pg, &tk_sql_history_months, &args, ret, err);
}

int cli_cmd_retention(int argc, char **argv)
{
        if (argc > 1 && tk_streq(argv[1], "policy"))
                return cli_retention_policy(argc - 1, argv + 1);
        if (argc > 1 && tk_streq(argv[1], "apply"))
                return cli_retention_apply(argc - 1, argv + 1);
        const char *url = NULL, *before = NULL, *folder = NULL, *args[1];
        bool json = false, apply = false;
        unsigned n = 0;
        const struct cli_opt opts[] = {
                CLI_OPT_VALUE("drop-before", "DATE|AGE|policy", &before,
                              "Months that end before that day (2026-06-01), ended so long ago (90d, 12w, 6m, 1y), or are older than all policies."),
                CLI_OPT_FLAG("apply", &apply, "Drop them. Without it nothing is changed."),
                CLI_OPT_VALUE("export", "DIR", &folder, "First write each as DIR/YYYY-MM/TABLE.jsonl, one JSON object a row."),
                CLI_OPT_VALUE("database-url", "URL", &url, cli_db_url_help),
                CLI_OPT_FLAG("json", &json, "Print the months as JSON."),
        };
        const struct cli_usage usage = {.command = "tasker retention", .arguments = "", .text = about, .opts = opts, .opts_n = tk_countof(opts)};
        struct cutoff cutoff = {0};
        struct tk_err err = {0};

        int r = cli_opt_parse(&usage, argc, argv, args, &n);
        if (r)
                return r == CLI_OPT_E_HELP ? CLI_DB_OK : CLI_DB_USAGE;
        if (before && parse_cutoff(before, &cutoff)) {
                fprintf(stderr, "tasker retention: --drop-before must be a day (2026-06-01), an age (90d, 12w, 6m, 1y) or 'policy', found '%s'\n",
                        before);
                return CLI_DB_USAGE;
        }
        if ((apply || folder) && !before) {
                fprintf(stderr, "tasker retention: %s needs --drop-before\n", apply ? "--apply" : "--export");
                return CLI_DB_USAGE;
        }
        TK_CLEANUP(tk_pg_close) struct tk_pg *pg = NULL;
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        r = cli_retention_open("tasker retention", url, &pg);
        if (r)
                return r;
        if (ask(pg, &cutoff, &res, &err))
                return cli_retention_fail("tasker retention", pg, &err);
        return every_month(pg, res, before ? &cutoff : NULL, folder, apply, json);
}
