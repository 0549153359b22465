/* SPDX-License-Identifier: MIT */
/* cli/cmd_history.c: "tasker task history": a line per change of a task, what each time it was run again from a step has dropped, and a line per
 * change of its steps. */
#include "cli/cmd_history.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/draw.h"
#include "cli/table.h"
#include "cli/verb.h"
#include <stdio.h>

enum { TEXT_MAX = 16 << 20 };

static void put_changes(const struct cli_verb *verb, const json_t *answer, struct tk_buf *text)
{
        static const char *const titles[] = {"AT", "STATE", "WHAT", "BY", "WHY", NULL};
        struct cli_table *table = cli_table_new(verb->arena, titles);
        const json_t *change;
        size_t at;
        json_array_foreach(json_object_get(answer, "changes"), at, change) {
                cli_table_put(table, NULL, "%.23s", tk_json_text(change, "at"));
                cli_table_put(table, verb->term.colour ? cli_draw_colour(tk_json_text(change, "to")) : NULL, "%s", tk_json_text(change, "to"));
                cli_table_put(table, NULL, "%s", tk_json_text(change, "action"));
                cli_table_put(table, NULL, "%s", tk_json_text(change, "actor"));
                cli_table_put(table, NULL, "%s", tk_json_text(change, "reason"));
        }
        cli_table_print(table, verb->term.colour, text);
        if (tk_json_bool(answer, "more", 0))
                tk_buf_puts(text, "Earlier changes are left out.\n");
}

static void put_generation(const struct cli_verb *verb, const json_t *generation, struct tk_buf *text)
{
        static const char *const titles[] = {"DROPPED", "STATE", ">ATTEMPTS", "UUID", NULL};
        const json_t *dropped = json_object_get(generation, "dropped"), *step;
        long long count = (long long)tk_json_i64(generation, "dropped_count", 0);
        size_t at;
        tk_buf_printf(text, "\nGeneration %lld, %.23s: run again from %s by %s: %s%s\n", (long long)tk_json_i64(generation, "generation", 0),
                      tk_json_text(generation, "at"), tk_json_text(generation, "step_name"), tk_json_text(generation, "actor"),
                      tk_json_text(generation, "reason"),
                      json_is_object(json_object_get(generation, "context")) ? " (with another context)" : "");
        if (!count)
                return;
        struct cli_table *table = cli_table_new(verb->arena, titles);
        json_array_foreach(dropped, at, step) {
                cli_table_put(table, NULL, "%s", tk_json_text(step, "name"));
                cli_table_put(table, verb->term.colour ? cli_draw_colour(tk_json_text(step, "state")) : NULL, "%s", tk_json_text(step, "state"));
                cli_table_put(table, NULL, "%lld", (long long)tk_json_i64(step, "attempts", 0));
                cli_table_put(table, NULL, "%s", tk_json_text(step, "step_uuid"));
        }
        cli_table_print(table, verb->term.colour, text);
        if (count > (long long)json_array_size(dropped))
                tk_buf_printf(text, "… and %lld more\n", count - (long long)json_array_size(dropped));
}

static void put_steps(const struct cli_verb *verb, const json_t *answer, struct tk_buf *text)
{
        static const char *const titles[] = {"AT", "STEP", ">ATTEMPT", "STATE", "BY", "WHY", NULL};
        struct cli_table *table = cli_table_new(verb->arena, titles);
        const json_t *change;
        size_t at;
        tk_buf_puts(text, "\n");
        json_array_foreach(json_object_get(answer, "steps"), at, change) {
                cli_table_put(table, NULL, "%.23s", tk_json_text(change, "at"));
                cli_table_put(table, NULL, "%s", tk_json_text(change, "name"));
                cli_table_put(table, NULL, "%lld", (long long)tk_json_i64(change, "attempt", 0));
                cli_table_put(table, verb->term.colour ? cli_draw_colour(tk_json_text(change, "to")) : NULL, "%s", tk_json_text(change, "to"));
                cli_table_put(table, NULL, "%s", tk_json_text(change, "actor"));
                cli_table_put(table, NULL, "%s", tk_json_text(change, "reason"));
        }
        cli_table_print(table, verb->term.colour, text);
        if (tk_json_bool(answer, "more_steps", 0))
                tk_buf_puts(text, "Earlier changes of steps are left out.\n");
}

static void print(const struct cli_verb *verb, const json_t *answer)
{
        TK_AUTOBUF struct tk_buf text;
        const json_t *generation;
        size_t at;
        tk_buf_init(&text, TEXT_MAX);
        put_changes(verb, answer, &text);
        json_array_foreach(json_object_get(answer, "generations"), at, generation)
                put_generation(verb, generation, &text);
        put_steps(verb, answer, &text);
        fputs(tk_buf_str(&text), stdout);
}

int cli_cmd_history(int argc, char **argv)
{
        static const char text[] =
                "What became of a task: its states, who paused, resumed or started it and why, and each time it was run again from a step,\n"
                "with the steps that were dropped then; at last every change of its steps, by whom and why.\n"
                "Results: GET /v1/tasks/TASK/workflow_steps/STEP/audit.\n\n"
                "  tasker task history 0198c5a2-7d1e-7a34-9c11-5d8e6f7a8b9c";
        return cli_verb_task_part("tasker task history", text, "history", print, argc, argv);
}
