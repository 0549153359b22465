/* SPDX-License-Identifier: MIT */
/* cli/cmd_tree.c: see the header. The answer is a list in the order of the tree, each entry with its depth; the lines in front of it are
 * drawn from that. */
#include "cli/cmd_tree.h"

#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/draw.h"
#include "cli/steps.h"
#include "cli/verb.h"
#include <stdio.h>

enum { TEXT_MAX = 4 << 20, DURATION_TEXT = 32 };

static unsigned depth_of(const json_t *list, size_t at)
{
        return (unsigned)tk_json_i64(json_array_get(list, at), "depth", 1);
}

/* Whether another one follows below the same parent as the ancestor of `at` on this level. */
static bool goes_on(const json_t *list, size_t at, unsigned level)
{
        for (size_t i = at + 1; i < json_array_size(list); i++)
                if (depth_of(list, i) <= level)
                        return depth_of(list, i) == level;
        return false;
}

static void put_branch(const json_t *list, size_t at, bool ascii, struct tk_buf *out)
{
        unsigned depth = depth_of(list, at);
        for (unsigned level = 1; level < depth; level++)
                tk_buf_puts(out, !goes_on(list, at, level) ? "   " : ascii ? "|  " : "│  ");
        if (goes_on(list, at, depth))
                tk_buf_puts(out, ascii ? "+- " : "├─ ");
        else
                tk_buf_puts(out, ascii ? "`- " : "└─ ");
}

static void put_child(const json_t *child, const struct cli_term *term, int64_t now_wall_ns, struct tk_buf *out)
{
        const char *status = tk_json_str(child, "status"), *step = tk_json_str(child, "step_name"), *name = tk_json_str(child, "name"),
                   *uuid = tk_json_str(child, "task_uuid"), *outcome = tk_json_str(child, "outcome");
        long long attempt = (long long)tk_json_i64(child, "attempt", 1);
        char took[DURATION_TEXT];
        cli_draw_duration(cli_task_ms(child, now_wall_ns), took, sizeof took);
        const char *colour = term->colour && status ? cli_draw_colour(status) : "";
        tk_buf_printf(out, "%s%s%s ", colour, cli_draw_symbol(status ? status : "", term->ascii), *colour ? "\x1b[0m" : "");
        tk_buf_printf(out, "%s %s: %s", name ? name : "?", uuid ? uuid : "?", status ? status : "?");
        if (*took)
                tk_buf_printf(out, ", %s", took);
        tk_buf_printf(out, ", for %s", step ? step : "?");
        if (attempt > 1)
                tk_buf_printf(out, " (attempt %lld)", attempt);
        if (outcome && tk_streq(outcome, "called_off"))
                tk_buf_puts(out, ", called off");
        tk_buf_putc(out, '\n');
}

int cli_cmd_tree(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        bool ascii = false;
        const struct cli_opt opts[] = {CLI_OPT_FLAG("ascii", &ascii, "Draw with ASCII characters only."), CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {
                "tasker task tree", "UUID",
                "Shows a task, the tasks its steps have started and wait for, and those that theirs have: each with its state,\n"
                "how long it took and the step it is for. At most 1000.\n\n"
                "  tasker task tree UUID\n"
                "  tasker task tree UUID --json | jq '.sub_tasks[] | select(.outcome == null)'",
                opts, tk_countof(opts), 1, 1};
        TK_AUTOJSON json_t *task = NULL, *tree = NULL;
        TK_AUTOBUF struct tk_buf text;
        struct tk_err err;
        const char *uuid;
        unsigned n;

        tk_buf_init(&text, TEXT_MAX);
        int r = cli_verb_begin(&verb, &usage, argc, argv, &uuid, &n);
        if (r != CLI_VERB_GO)
                return r;
        const char *path = cli_verb_task_path(&verb, uuid);
        r = cli_client_get(verb.client, tk_arena_printf(verb.arena, "%s/children", path), &tree, &err);
        if (r == CLI_CLIENT_OK && !verb.json)
                r = cli_client_get(verb.client, path, &task, &err);
        if (r)
                return cli_verb_fail(r, &err);
        if (verb.json) {
                cli_verb_print_json(tree);
                return CLI_EXIT_OK;
        }
        verb.term.ascii |= ascii;
        const json_t *list = json_object_get(tree, "sub_tasks");
        cli_task_print_line(task, &verb.term, tk_time_wall_ns(), &text);
        for (size_t at = 0; at < json_array_size(list); at++) {
                put_branch(list, at, verb.term.ascii, &text);
                put_child(json_array_get(list, at), &verb.term, tk_time_wall_ns(), &text);
        }
        if (json_is_true(json_object_get(tree, "more")))
                tk_buf_puts(&text, "and more\n");
        fputs(tk_buf_str(&text), stdout);
        return CLI_EXIT_OK;
}
