/* SPDX-License-Identifier: MIT */
/* cli/cmd_namespace.c: "tasker namespace": which there are, how much of a worker each has beside the others, holding all tasks of one. */
#include "cli/cmd_namespace.h"

#include "base/str.h"
#include "cli/cmd_hold.h"
#include "cli/pages.h"
#include "cli/table.h"
#include "cli/verb.h"
#include <stdio.h>

enum { OUTPUT_MAX = 16 << 20, WEIGHT_MAX = 1000, BODY_MAX = 4096 };

static void put_row(struct cli_table *table, const json_t *ns)
{
        const char *by = tk_json_str(ns, "weight_by"), *why = tk_json_str(ns, "weight_reason"), *at = tk_json_str(ns, "weight_at");
        cli_table_put(table, NULL, "%s", tk_json_str(ns, "name"));
        cli_table_put(table, NULL, "%lld", (long long)json_integer_value(json_object_get(ns, "weight")));
        cli_table_put(table, NULL, "%lld", (long long)json_integer_value(json_object_get(ns, "template_count")));
        cli_hold_cell(table, ns);
        if (by && why && at)
                cli_table_put(table, NULL, "weight set %.19s by %s: %s", at, by, why);
        else
                cli_table_put(table, NULL, "%s", "");
}

static int list(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        TK_AUTOJSON json_t *answer = NULL;
        TK_AUTOBUF struct tk_buf out = {.max = OUTPUT_MAX};
        static const char *const titles[] = {"NAMESPACE", ">WEIGHT", ">TEMPLATES", "HELD", "", NULL};
        const struct cli_opt opts[] = {CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {"tasker namespace list", "", "All namespaces, with their weights.", opts, tk_countof(opts), 0, 0};
        const json_t *ns;
        const char *none[1];
        struct tk_err err;
        unsigned n;
        size_t at;

        int r = cli_verb_begin(&verb, &usage, argc, argv, none, &n);
        if (r != CLI_VERB_GO)
                return r;
        r = cli_client_get(verb.client, "/v1/namespaces", &answer, &err);
        if (r)
                return cli_verb_fail(r, &err);
        if (verb.json) {
                cli_verb_print_json(answer);
                return CLI_EXIT_OK;
        }
        struct cli_table *table = cli_table_new(verb.arena, titles);
        json_array_foreach(json_object_get(answer, "namespaces"), at, ns)
                put_row(table, ns);
        cli_table_print(table, verb.term.colour, &out);
        fputs(tk_buf_str(&out), stdout);
        return CLI_EXIT_OK;
}

static int put_weight(struct cli_verb *verb, const char *ns, int64_t weight, const char *by, const char *reason, json_t **ret, struct tk_err *err)
{
        TK_AUTOJSON json_t *body = json_pack("{s:I, s:s, s:s}", "weight", (json_int_t)weight, "by", cli_verb_who(by), "reason", reason);
        TK_AUTOBUF struct tk_buf text;
        tk_buf_init(&text, BODY_MAX);
        tk_json_dump(body, &text);
        const struct cli_request request = {
                .method = "PUT",
                .path = tk_arena_printf(verb->arena, "/v1/namespaces/%s/weight", cli_client_escape(verb->client, ns)),
                .body = text.data,
                .body_len = text.len,
        };
        long status;
        return cli_client_send(verb->client, &request, ret, &status, err);
}

static int weight(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        TK_AUTOJSON json_t *answer = NULL;
        const char *by = NULL, *reason = NULL, *args[2];
        const struct cli_opt opts[] = {CLI_WHO_AND_WHY(by, reason), CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {
                "tasker namespace weight", "NAMESPACE WEIGHT",
                "How much of a worker a namespace has beside the others that the worker serves, 1 to 1000: with 3 it comes to hold three\n"
                "times as many steps as one with 1, as long as it has so many. All have 1 until told otherwise; it takes effect with\n"
                "the orchestrators' next look at the queues (dispatch.queue_poll).\n\n"
                "  tasker namespace weight payments 3 --reason 'first of all money'",
                opts, tk_countof(opts), 2, 2};
        struct tk_err err;
        int64_t value;
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, args, &n);
        if (r != CLI_VERB_GO)
                return r;
        if ((r = cli_needs_reason(usage.command, reason)))
                return r;
        if (tk_str_to_i64(args[1], 1, WEIGHT_MAX, &value)) {
                fprintf(stderr, "%s: WEIGHT must be a number from 1 to %d, found '%s'\n", usage.command, WEIGHT_MAX, args[1]);
                return CLI_EXIT_USAGE;
        }
        r = put_weight(&verb, args[0], value, by, reason, &answer, &err);
        if (r)
                return cli_verb_fail(r, &err);
        if (verb.json)
                cli_verb_print_json(answer);
        else
                printf("%s has a weight of %lld\n", args[0], (long long)value);
        return CLI_EXIT_OK;
}

int cli_cmd_namespace(int argc, char **argv)
{
        static const struct cli_sub subs[] = {
                {"list", "all of them, with their weights", list},
                {"weight", "how much of a worker one has beside the others", weight},
                {"pause", "hold all its tasks", cli_cmd_namespace_pause},
                {"resume", "let them go on", cli_cmd_namespace_resume},
        };
        return cli_sub_run("tasker namespace", "What concerns all tasks of a namespace.", subs, tk_countof(subs), argc, argv);
}
