/* SPDX-License-Identifier: MIT */
/* cli/cmd_analytics.c: "tasker analytics": how tasks went, and what was slow. */
#include "cli/cmd_analytics.h"

#include "base/str.h"
#include "cli/table.h"
#include "cli/verb.h"
#include <stdio.h>

enum { TEXT_MAX = 1 << 20 };

/* Asks for the path and prints the answer, or its JSON. */
static int ask(struct cli_verb *verb, const char *path, void (*print)(const struct cli_verb *verb, const json_t *answer))
{
        TK_AUTOJSON json_t *answer = NULL;
        struct tk_err err;
        int r = cli_client_get(verb->client, path, &answer, &err);
        if (r)
                return cli_verb_fail(r, &err);
        if (verb->json)
                cli_verb_print_json(answer);
        else
                print(verb, answer);
        return CLI_EXIT_OK;
}

static void print_performance(const struct cli_verb *verb, const json_t *a)
{
        (void)verb;
        printf("since %.19s: %lld complete (%.2f %%), %lld failed (%.2f %%)\n", tk_json_str(a, "analysis_period_start"),
               (long long)tk_json_i64(a, "completed_tasks", 0), tk_json_f64(a, "completion_rate", 0),
               (long long)tk_json_i64(a, "failed_tasks", 0), tk_json_f64(a, "error_rate", 0));
        printf("a task took %.3f s, a step %.3f s on average; %lld tasks and %lld steps an hour\n",
               tk_json_f64(a, "average_task_duration_seconds", 0), tk_json_f64(a, "average_step_duration_seconds", 0),
               (long long)tk_json_i64(a, "tasks_per_hour", 0),
               (long long)tk_json_i64(a, "steps_per_hour", 0));
        printf("%lld tasks are open, of %lld there ever were\n", (long long)tk_json_i64(a, "active_tasks", 0),
               (long long)tk_json_i64(a, "total_tasks", 0));
}

static void print_slow(const struct cli_verb *verb, const json_t *list, const char *what)
{
        const char *titles[] = {what, ">AVERAGE", ">MAX", ">RUNS", ">FAILED", NULL};
        struct cli_table *table = cli_table_new(verb->arena, titles);
        TK_AUTOBUF struct tk_buf text;
        const json_t *row;
        size_t at;

        tk_buf_init(&text, TEXT_MAX);
        json_array_foreach(list, at, row) {
                const char *step = tk_json_str(row, "step_name");
                cli_table_put(table, NULL, "%s/%s@%s%s%s", tk_json_str(row, "namespace_name"), tk_json_str(row, "task_name"),
                              tk_json_str(row, "version"), step ? " " : "", step ? step : "");
                cli_table_put(table, NULL, "%.3f s", tk_json_f64(row, "average_duration_seconds", 0));
                cli_table_put(table, NULL, "%.3f s", tk_json_f64(row, "max_duration_seconds", 0));
                cli_table_put(table, NULL, "%lld", (long long)tk_json_i64(row, "execution_count", 0));
                cli_table_put(table, NULL, "%.2f %%", tk_json_f64(row, "error_rate", 0));
        }
        cli_table_print(table, verb->term.colour, &text);
        printf("%s\n", tk_buf_str(&text));
}

static void print_bottlenecks(const struct cli_verb *verb, const json_t *answer)
{
        const json_t *line;
        size_t at;

        print_slow(verb, json_object_get(answer, "slow_steps"), "STEP");
        print_slow(verb, json_object_get(answer, "slow_tasks"), "TASK");
        json_array_foreach(json_object_get(answer, "recommendations"), at, line)
                printf("%s\n", json_string_value(line));
}

static int performance(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const char *hours = "24";
        const struct cli_opt opts[] = {CLI_OPT_VALUE("hours", "N", &hours, "How far back (default 24)."), CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {"tasker analytics performance", "",
                                        "How the tasks created in the last hours went.\n\n"
                                        "  tasker analytics performance --hours 1",
                                        opts, tk_countof(opts), 0, 0};
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, NULL, &n);
        if (r != CLI_VERB_GO)
                return r;
        return ask(&verb, tk_arena_printf(verb.arena, "/v1/analytics/performance?hours=%s", cli_client_escape(verb.client, hours)),
                   print_performance);
}

static int bottlenecks(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const char *limit = "10", *min = "5";
        const struct cli_opt opts[] = {CLI_OPT_VALUE("limit", "N", &limit, "How many of each (default 10)."),
                                       CLI_OPT_VALUE("min-executions", "N", &min, "Only what ran so often (default 5)."), CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {"tasker analytics bottlenecks", "",
                                        "Which steps and tasks of the last 24 hours took longest, and what is worth doing.\n\n"
                                        "  tasker analytics bottlenecks --limit 3",
                                        opts, tk_countof(opts), 0, 0};
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, NULL, &n);
        if (r != CLI_VERB_GO)
                return r;
        return ask(&verb, tk_arena_printf(verb.arena, "/v1/analytics/bottlenecks?limit=%s&min_executions=%s", cli_client_escape(verb.client, limit),
                                          cli_client_escape(verb.client, min)), print_bottlenecks);
}

int cli_cmd_analytics(int argc, char **argv)
{
        static const struct cli_sub subs[] = {
                {"performance", "how tasks went", performance},
                {"bottlenecks", "what was slow, and what fails", bottlenecks},
        };
        return cli_sub_run("tasker analytics", "Figures over the tasks of the last hours.", subs, tk_countof(subs), argc, argv);
}
