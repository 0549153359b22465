/* SPDX-License-Identifier: MIT */
/* cli/retention_policy.c: see the header. */
#include "cli/retention_policy.h"
#include "base/buf.h"
#include "base/str.h"
#include "cli/client.h"
#include "cli/database.h"
#include "cli/opt.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "pg/migrate.h"
#include "tk_sql.h"
#include <errno.h>
#include <stdio.h>

enum { KEEP_DAYS_MAX = 36500, DIGITS_MAX = 16, OUTPUT_MAX = 16 << 20, FOR_EVER = 0 };
#define ARENA_MAX ((size_t)16 << 20)

int cli_retention_open(const char *command, const char *url, struct tk_pg **ret)
{
        struct tk_migrate_report report;
        struct tk_err err = {0};
        int r = cli_db_open(command, url, 0, ret);
        if (r)
                return r;
        return tk_migrate(*ret, NULL, true, &report, &err) ? cli_retention_fail(command, *ret, &err) : CLI_DB_OK;
}

int cli_retention_fail(const char *command, const struct tk_pg *pg, const struct tk_err *err)
{
        fprintf(stderr, "%s: %s\n", command, tk_err_text(err));
        return tk_pg_alive(pg) ? CLI_DB_FAILED : CLI_DB_UNREACHABLE;
}

const char *cli_retention_keep(const struct tk_pg_result *res, int row, int col, char buf[32])
{
        if (tk_pg_is_null(res, row, col))
                return "for ever";
        snprintf(buf, 32, "%s days", tk_pg_str(res, row, col));
        return buf;
}

int cli_retention_longest(struct tk_pg *pg, int64_t *ret_days, struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = tk_pg_query(pg, &tk_sql_retention_keeps, NULL, &res, err);
        if (r)
                return r;
        *ret_days = 0;
        for (int row = 1; row < tk_pg_rows(res); row++) { /* the first is no namespace */
                int64_t days = tk_pg_i64(res, row, 1);
                if (tk_pg_is_null(res, row, 1))
                        return TK_ERR(err, -EINVAL, "namespace %s keeps its tasks for ever, so no month is older than all policies",
                                      tk_pg_str(res, row, 0));
                if (days > *ret_days)
                        *ret_days = days;
        }
        return *ret_days ? 0 : TK_ERR(err, -EINVAL, "there is no namespace yet");
}

/* "90d", "12w", "6m", "1y" or "forever" → days, or FOR_EVER. */
static int parse_keep(const char *text, int32_t *ret)
{
        static const struct {
                char letter;
                int days;
        } units[] = {{'d', 1}, {'w', 7}, {'m', 30}, {'y', 365}};
        char digits[DIGITS_MAX];
        size_t len = strlen(text);
        int64_t n;

        *ret = FOR_EVER;
        if (tk_streq(text, "forever"))
                return 0;
        if (len < 2 || len >= sizeof digits)
                return -EINVAL;
        memcpy(digits, text, len - 1);
        digits[len - 1] = 0;
        for (size_t i = 0; i < tk_countof(units); i++)
                if (units[i].letter == text[len - 1] && !tk_str_to_i64(digits, 1, KEEP_DAYS_MAX / units[i].days, &n)) {
                        *ret = (int32_t)n * units[i].days;
                        return 0;
                }
        return -EINVAL;
}

static void print_policies(const struct tk_pg_result *res, bool json)
{
        static const char *const titles[] = {"NAMESPACE", ">KEEP", "SET FOR", NULL};
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(1 << 14, ARENA_MAX);
        TK_AUTOBUF struct tk_buf out = {.max = OUTPUT_MAX};
        struct cli_table *table = cli_table_new(arena, titles);
        char keep[32];

        for (int row = 0; row < tk_pg_rows(res); row++) {
                const char *source = tk_pg_str(res, row, 2);
                if (json) {
                        tk_buf_printf(&out, "%s{\"namespace\":\"%s\",\"keep_days\":%s,\"source\":\"%s\"}", row ? "," : "", tk_pg_str(res, row, 0),
                                      tk_pg_is_null(res, row, 1) ? "null" : tk_pg_str(res, row, 1), source);
                        continue;
                }
                cli_table_put(table, NULL, "%s", row ? tk_pg_str(res, row, 0) : "(all others)");
                cli_table_put(table, NULL, "%s", cli_retention_keep(res, row, 1, keep));
                bool own = row && tk_streq(source, "own");
                cli_table_put(table, NULL, "%s", own ? "it" : tk_streq(source, "none") ? "-" : "all others");
        }
        if (json)
                printf("[%s]\n", tk_buf_str(&out));
        else {
                cli_table_print(table, false, &out);
                fputs(tk_buf_str(&out), stdout);
        }
}

static int show(int argc, char **argv)
{
        static const char command[] = "tasker retention policy show";
        const char *url = NULL, *args[1];
        bool json = false;
        const struct cli_opt opts[] = {
                CLI_OPT_VALUE("database-url", "URL", &url, cli_db_url_help),
                CLI_OPT_FLAG("json", &json, "Print the policies as JSON."),
        };
        const struct cli_usage usage = {command, "", "How long each namespace keeps the tasks that have ended.", opts, tk_countof(opts), 0, 0};
        TK_CLEANUP(tk_pg_close) struct tk_pg *pg = NULL;
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_err err = {0};
        unsigned n = 0;

        int r = cli_opt_parse(&usage, argc, argv, args, &n);
        if (r)
                return r == CLI_OPT_E_HELP ? CLI_DB_OK : CLI_DB_USAGE;
        r = cli_retention_open(command, url, &pg);
        if (r)
                return r;
        if (tk_pg_query(pg, &tk_sql_retention_keeps, NULL, &res, &err))
                return cli_retention_fail(command, pg, &err);
        print_policies(res, json);
        return CLI_DB_OK;
}

/* What set and clear have in common: one namespace, or all others. keep NULL: clear. */
static int change(const char *command, const char *namespace, bool others, const char *keep, const char *url, bool json)
{
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(4096, ARENA_MAX);
        TK_CLEANUP(tk_pg_close) struct tk_pg *pg = NULL;
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL, *now = NULL;
        struct tk_err err = {0};
        struct tk_pg_args args;
        int32_t days = FOR_EVER;

        if (!namespace == !others) {
                fprintf(stderr, "%s: expected a NAMESPACE, or --others for those without a policy of their own\n", command);
                return CLI_DB_USAGE;
        }
        if (keep && parse_keep(keep, &days)) {
                fprintf(stderr, "%s: --keep must be 'forever' or an age from 1d to %dd (90d, 12w, 6m, 1y; a month is 30 days), found '%s'\n", command,
                        KEEP_DAYS_MAX, keep);
                return CLI_DB_USAGE;
        }
        int r = cli_retention_open(command, url, &pg);
        if (r)
                return r;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_text(&args, others ? "*" : namespace);
        tk_pg_arg_i32(&args, days);
        tk_pg_arg_bool(&args, !keep);
        if (tk_pg_query(pg, &tk_sql_retention_set, &args, &res, &err))
                return cli_retention_fail(command, pg, &err);
        if (tk_streq(tk_pg_str(res, 0, 0), "unknown")) {
                fprintf(stderr, "%s: there is no namespace '%s'\n", command, namespace);
                return CLI_DB_FAILED;
        }
        if (tk_pg_query(pg, &tk_sql_retention_keeps, NULL, &now, &err))
                return cli_retention_fail(command, pg, &err);
        print_policies(now, json);
        return CLI_DB_OK;
}

static int set(int argc, char **argv)
{
        const char *url = NULL, *keep = NULL, *namespace = NULL;
        bool json = false, others = false;
        const struct cli_opt opts[] = {
                CLI_OPT_VALUE("keep", "AGE", &keep,
                              "How long, from a task's end: 90d, 12w, 6m (months of 30 days), 1y, or forever. At least 1d, at most 36500d."),
                CLI_OPT_FLAG("others", &others, "For all namespaces without a policy of their own, also those to come."),
                CLI_OPT_VALUE("database-url", "URL", &url, cli_db_url_help),
                CLI_OPT_FLAG("json", &json, "Print the policies as JSON."),
        };
        const struct cli_usage usage = {"tasker retention policy set", "NAMESPACE",
                                        "Says how long tasks are kept after their end. Nothing is deleted before 'tasker retention apply'.\n\n"
                                        "  tasker retention policy set shop --keep 90d\n"
                                        "  tasker retention policy set billing --keep forever\n"
                                        "  tasker retention policy set --others --keep 1y",
                                        opts, tk_countof(opts), 0, 1};
        unsigned n = 0;
        int r = cli_opt_parse(&usage, argc, argv, &namespace, &n);
        if (r)
                return r == CLI_OPT_E_HELP ? CLI_DB_OK : CLI_DB_USAGE;
        if (!keep) {
                fprintf(stderr, "%s: --keep is needed: 90d, for instance, or forever\n", usage.command);
                return CLI_DB_USAGE;
        }
        return change(usage.command, n ? namespace : NULL, others, keep, url, json);
}

static int clear(int argc, char **argv)
{
        const char *url = NULL, *namespace = NULL;
        bool json = false, others = false;
        const struct cli_opt opts[] = {
                CLI_OPT_FLAG("others", &others, "What holds for namespaces without a policy of their own."),
                CLI_OPT_VALUE("database-url", "URL", &url, cli_db_url_help),
                CLI_OPT_FLAG("json", &json, "Print the policies as JSON."),
        };
        const struct cli_usage usage = {"tasker retention policy clear", "NAMESPACE",
                                        "Takes a policy away: from then on the one of all others holds, or none, which is for ever.\n\n"
                                        "  tasker retention policy clear shop\n"
                                        "  tasker retention policy clear --others",
                                        opts, tk_countof(opts), 0, 1};
        unsigned n = 0;
        int r = cli_opt_parse(&usage, argc, argv, &namespace, &n);
        if (r)
                return r == CLI_OPT_E_HELP ? CLI_DB_OK : CLI_DB_USAGE;
        return change(usage.command, n ? namespace : NULL, others, NULL, url, json);
}

int cli_retention_policy(int argc, char **argv)
{
        static const struct cli_sub subs[] = {
                {"show", "what holds for each namespace", show},
                {"set", "say how long a namespace keeps its tasks", set},
                {"clear", "take that away", clear},
        };
        if (argc < 2 || (*argv[1] == '-' && !tk_streq(argv[1], "--help") && !tk_streq(argv[1], "-h"))) /* no verb, at most options */
                return show(argc, argv);
        return cli_sub_run("tasker retention policy", "How long tasks are kept after their end, by namespace. Without a policy: for ever.", subs,
                           tk_countof(subs), argc, argv);
}
