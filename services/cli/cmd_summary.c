/* SPDX-License-Identifier: MIT */
/* cli/cmd_summary.c: "tasker task summary": a line about the task, a line per step with what went wrong last. */
#include "cli/cmd_summary.h"
#include "base/mem.h"
#include "cli/draw.h"
#include "cli/table.h"
#include "cli/verb.h"
#include <stdio.h>

enum { TEXT_MAX = 16 << 20 };

static void print(const struct cli_verb *verb, const json_t *answer)
{
        static const char *const titles[] = {"STEP", "STATE", ">ATTEMPTS", "LAST ERROR", NULL};
        const json_t *task = json_object_get(answer, "task"), *step;
        struct cli_table *table = cli_table_new(verb->arena, titles);
        TK_AUTOBUF struct tk_buf text;
        size_t at;

        tk_buf_init(&text, TEXT_MAX);
        tk_buf_printf(&text, "%s/%s@%s %s: %s, %lld of %lld steps, by %s (%s)\n\n", tk_json_text(task, "namespace"), tk_json_text(task, "name"),
                      tk_json_text(task, "version"), tk_json_text(task, "task_uuid"), tk_json_text(task, "status"),
                      (long long)tk_json_i64(task, "completed_steps", 0), (long long)tk_json_i64(task, "total_steps", 0),
                      tk_json_text(task, "initiator"),
                      tk_json_text(task, "reason"));
        json_array_foreach(json_object_get(answer, "steps"), at, step) {
                const json_t *error = json_object_get(step, "error");
                cli_table_put(table, NULL, "%s", tk_json_text(step, "name"));
                cli_table_put(table, verb->term.colour ? cli_draw_colour(tk_json_text(step, "current_state")) : NULL, "%s",
                              tk_json_text(step, "current_state"));
                cli_table_put(table, NULL, "%lld of %lld", (long long)tk_json_i64(step, "attempts", 0),
                              (long long)tk_json_i64(step, "max_attempts", 0));
                cli_table_put(table, NULL, "%s%s", tk_json_text(error, "error_type"),
                              !error || json_is_null(error) || tk_json_bool(error, "retryable", 0) ? "" : " (for good)");
        }
        cli_table_print(table, verb->term.colour, &text);
        fputs(tk_buf_str(&text), stdout);
}

int cli_cmd_summary(int argc, char **argv)
{
        static const char text[] =
                "Shows a task without its context and results: its steps, their attempts, and what went wrong last in each.\n\n"
                "  tasker task summary 0198c5a2-7d1e-7a34-9c11-5d8e6f7a8b9c";
        return cli_verb_task_part("tasker task summary", text, "summary", print, argc, argv);
}
