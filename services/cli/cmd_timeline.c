/* SPDX-License-Identifier: MIT */
/* cli/cmd_timeline.c: "tasker task timeline": a task's attempts as bars over time, waiting and working. */
#include "cli/cmd_timeline.h"
#include "base/mem.h"
#include "cli/draw.h"
#include "cli/table.h"
#include "cli/verb.h"
#include <stdio.h>

enum { TEXT_MAX = 16 << 20, BAR = 48, NARROW = 24, ROOM_BESIDE = 72 };

/* Columns of the bar that end at or before this part of the whole. */
static unsigned column(double ms, double whole_ms, unsigned width)
{
        double at = whole_ms > 0 ? ms / whole_ms * width : 0;
        return at < 0 ? 0 : at > width ? width : (unsigned)(at + 0.5);
}

/* "   ░░░████": from being ready to its dispatch, from there to its stored result. An attempt shows at least one column. */
static void put_bar(double ready, double dispatched, double settled, double whole, unsigned width, bool ascii, struct tk_buf *out)
{
        unsigned from = column(ready, whole, width), work = column(dispatched, whole, width), to = column(settled, whole, width);
        if (to <= work)
                to = work < width ? work + 1 : work;
        if (to <= work)
                work = to - 1;
        for (unsigned at = 0; at < to; at++)
                tk_buf_puts(out, at < from && at < work ? " " : at < work ? (ascii ? "." : "░") : (ascii ? "#" : "█"));
}

static double number(const json_t *object, const char *key, double or_else)
{
        return tk_json_f64(object, key, or_else);
}

/* The time of the last thing that happened. */
static double end_of(const json_t *answer)
{
        const json_t *attempt;
        size_t at;
        double end = number(answer, "total_ms", 0);
        json_array_foreach(json_object_get(answer, "attempts"), at, attempt) {
                double last = number(attempt, "settled_ms", number(attempt, "dispatched_ms", 0));
                end = last > end ? last : end;
        }
        return end;
}

static void print(const struct cli_verb *verb, const json_t *answer)
{
        static const char *const titles[] = {"STEP", ">WAITED", ">TOOK", ">HANDLER", "OUTCOME", "", NULL};
        struct cli_table *table = cli_table_new(verb->arena, titles);
        const json_t *attempt;
        const char *name = tk_json_str(answer, "name"), *status = tk_json_str(answer, "status");
        double whole = end_of(answer);
        unsigned width = verb->term.width > ROOM_BESIDE + NARROW ? verb->term.width - ROOM_BESIDE : NARROW;
        size_t at;
        TK_AUTOBUF struct tk_buf text;

        tk_buf_init(&text, TEXT_MAX);
        if (!verb->term.width || width > BAR)
                width = BAR;
        tk_buf_printf(&text, "%s: %s, %.1f ms by the database's clock\n\n", name ? name : "?", status ? status : "?", whole);
        json_array_foreach(json_object_get(answer, "attempts"), at, attempt) {
                const char *step = tk_json_str(attempt, "step"), *outcome = tk_json_str(attempt, "outcome");
                double ready = number(attempt, "ready_ms", 0), dispatched = number(attempt, "dispatched_ms", 0),
                       settled = number(attempt, "settled_ms", whole);
                int64_t n = tk_json_i64(attempt, "attempt", 1);
                TK_AUTOBUF struct tk_buf bar;

                tk_buf_init(&bar, 4096);
                put_bar(ready, dispatched, settled, whole, width, verb->term.ascii, &bar);
                if (n > 1)
                        cli_table_put(table, NULL, "%s (attempt %lld)", step ? step : "?", (long long)n);
                else
                        cli_table_put(table, NULL, "%s", step ? step : "?");
                cli_table_put(table, NULL, "%.1f ms", dispatched - ready);
                cli_table_put(table, NULL, "%.1f ms", settled - dispatched);
                if (json_is_number(json_object_get(attempt, "handler_ms")))
                        cli_table_put(table, NULL, "%.0f ms", number(attempt, "handler_ms", 0));
                else
                        cli_table_put(table, NULL, "-");
                outcome = outcome ? outcome : "in_progress";
                cli_table_put(table, verb->term.colour ? cli_draw_colour(outcome) : NULL, "%s", outcome);
                cli_table_put(table, NULL, "%s", tk_buf_str(&bar));
        }
        cli_table_print(table, verb->term.colour, &text);
        fputs(tk_buf_str(&text), stdout);
}

int cli_cmd_timeline(int argc, char **argv)
{
        static const char text[] =
                "Shows where a task's time went: for each attempt how long it waited once it was ready (a pause before a retry\n"
                "included), and how long it took from its dispatch to its stored result, of which the handler. Times are the\n"
                "database's; the handler's is the worker's own, in whole milliseconds.\n\n"
                "  tasker task timeline 0198c5a2-7d1e-7a34-9c11-5d8e6f7a8b9c";
        return cli_verb_task_part("tasker task timeline", text, "timeline", print, argc, argv);
}
