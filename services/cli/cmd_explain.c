/* SPDX-License-Identifier: MIT */
/* cli/cmd_explain.c: "tasker explain": why a task is where it is. The words are the server's. */
#include "cli/cmd_explain.h"
#include "base/mem.h"
#include "cli/draw.h"
#include "cli/table.h"
#include "cli/verb.h"
#include <stdio.h>

enum { TEXT_MAX = 16 << 20 };

static void print(const struct cli_verb *verb, const json_t *answer)
{
        static const char *const titles[] = {"STEP", "STATE", "SINCE", "UNTIL", "WHY", NULL};
        struct cli_table *table = cli_table_new(verb->arena, titles);
        const json_t *steps = json_object_get(answer, "steps"), *step;
        TK_AUTOBUF struct tk_buf text;
        size_t at;

        tk_buf_init(&text, TEXT_MAX);
        if (json_array_size(steps))
                tk_buf_printf(&text, "%s: ", tk_json_text(answer, "status"));
        tk_buf_printf(&text, "%s\n", tk_json_text(answer, "summary"));
        if (*tk_json_text(answer, "advice"))
                tk_buf_printf(&text, "%s\n", tk_json_text(answer, "advice"));
        if (*tk_json_text(answer, "again"))
                tk_buf_printf(&text, "%s\n", tk_json_text(answer, "again"));
        if (*tk_json_text(json_object_get(answer, "dead_letter"), "text"))
                tk_buf_printf(&text, "%s\n", tk_json_text(json_object_get(answer, "dead_letter"), "text"));
        if (*tk_json_text(json_object_get(answer, "staleness"), "text"))
                tk_buf_printf(&text, "%s\n", tk_json_text(json_object_get(answer, "staleness"), "text"));
        json_array_foreach(steps, at, step) {
                cli_table_put(table, NULL, "%s", tk_json_text(step, "name"));
                cli_table_put(table, verb->term.colour ? cli_draw_colour(tk_json_text(step, "state")) : NULL, "%s",
                              tk_json_text(step, "state"));
                cli_table_put(table, NULL, "%.19s", tk_json_text(step, "since"));
                cli_table_put(table, NULL, "%.19s", tk_json_text(step, "until"));
                cli_table_put(table, NULL, "%s", tk_json_text(step, "why"));
        }
        if (json_array_size(steps)) {
                tk_buf_putc(&text, '\n');
                cli_table_print(table, verb->term.colour, &text);
        }
        fputs(tk_buf_str(&text), stdout);
}

int cli_cmd_explain(int argc, char **argv)
{
        static const char text[] =
                "Says why a task is where it is, step by step: what it waits for, until when, what failed, whether there is a\n"
                "worker for it; and what can be done about it.\n\n"
                "  tasker explain 0198c5a2-7d1e-7a34-9c11-5d8e6f7a8b9c";
        return cli_verb_task_part("tasker explain", text, "explain", print, argc, argv);
}
