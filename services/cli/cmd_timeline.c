/* SPDX-License-Identifier: MIT */
/* cli/cmd_timeline.c: "tasker task timeline": a task's attempts as bars over time, stage by stage. */
#include "cli/cmd_timeline.h"
#include "base/mem.h"
#include "cli/draw.h"
#include "cli/table.h"
#include "cli/verb.h"
#include <stdio.h>

enum { TEXT_MAX = 16 << 20, BAR = 48, NARROW = 24, ROOM_BESIDE = 100 };

static double number(const json_t *object, const char *key, double or_else)
{
        return tk_json_f64(object, key, or_else);
}

/* When an attempt came to each stage, in ms; what is not known of it is as late as what followed. */
struct way {
        double ready, dispatched, received, permit, handled, returned, settled;
        bool staged, over;
};

static struct way way_of(const json_t *attempt, double whole)
{
        const json_t *stages = json_object_get(attempt, "stages");
        struct way w = {.staged = json_is_object(stages), .over = json_is_number(json_object_get(attempt, "settled_ms"))};
        w.ready = number(attempt, "ready_ms", 0);
        w.dispatched = number(attempt, "dispatched_ms", 0);
        w.settled = number(attempt, "settled_ms", whole);
        w.received = number(stages, "received_ms", w.dispatched);
        w.permit = number(stages, "permit_ms", w.received);
        w.handled = number(stages, "handled_ms", w.settled);
        w.returned = number(stages, "returned_ms", w.settled);
        return w;
}

/* Columns of the bar that end at or before this part of the whole. */
static unsigned column(double ms, double whole_ms, unsigned width)
{
        double at = whole_ms > 0 ? ms / whole_ms * width : 0;
        return at < 0 ? 0 : at > width ? width : (unsigned)(at + 0.5);
}

/* "   ░░░▒▒████▒": ready, dispatched, handler, back and stored. The handler shows at least one column. */
static void put_bar(const struct way *w, double whole, unsigned width, bool ascii, struct tk_buf *out)
{
        unsigned ready = column(w->ready, whole, width), sent = column(w->dispatched, whole, width), begun = column(w->permit, whole, width),
                 handled = column(w->handled, whole, width), end = column(w->settled, whole, width);
        if (handled <= begun)
                handled = begun + 1;
        if (handled > width) {
                handled = width;
                begun = begun < width ? begun : width - 1;
        }
        for (unsigned at = 0; at < (end > handled ? end : handled); at++) {
                if (at >= begun && at < handled)
                        tk_buf_puts(out, ascii ? "#" : "█");
                else if (at < ready)
                        tk_buf_puts(out, " ");
                else if (at < sent)
                        tk_buf_puts(out, ascii ? "." : "░");
                else
                        tk_buf_puts(out, ascii ? "-" : "▒");
        }
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

static void put_took(struct cli_table *table, bool known, double ms)
{
        if (known)
                cli_table_put(table, NULL, "%.1f ms", ms);
        else
                cli_table_put(table, NULL, "-");
}

static void put_attempt(const struct cli_verb *verb, struct cli_table *table, const json_t *attempt, double whole, unsigned width)
{
        const char *step = tk_json_str(attempt, "step"), *outcome = tk_json_str(attempt, "outcome");
        struct way w = way_of(attempt, whole);
        int64_t n = tk_json_i64(attempt, "attempt", 1);
        TK_AUTOBUF struct tk_buf bar;

        tk_buf_init(&bar, 4096);
        put_bar(&w, whole, width, verb->term.ascii, &bar);
        if (n > 1)
                cli_table_put(table, NULL, "%s (attempt %lld)", step ? step : "?", (long long)n);
        else
                cli_table_put(table, NULL, "%s", step ? step : "?");
        put_took(table, true, w.dispatched - w.ready);
        put_took(table, w.staged, w.received - w.dispatched);
        put_took(table, w.staged, w.permit - w.received);
        if (w.staged)
                cli_table_put(table, NULL, "%.1f ms", w.handled - w.permit);
        else
                put_took(table, json_is_number(json_object_get(attempt, "handler_ms")), number(attempt, "handler_ms", 0));
        put_took(table, w.staged, w.returned - w.handled);
        put_took(table, w.over, w.settled - (w.staged ? w.returned : w.dispatched));
        outcome = outcome ? outcome : "in_progress";
        cli_table_put(table, verb->term.colour ? cli_draw_colour(outcome) : NULL, "%s", outcome);
        cli_table_put(table, NULL, "%s", tk_buf_str(&bar));
}

/* By how much the clocks of workers and orchestrator may differ, over all attempts. */
static void put_clocks(const json_t *answer, struct tk_buf *out)
{
        double least = 0, most = 0, apart = 0;
        const json_t *attempt;
        size_t at;
        bool any = false;
        json_array_foreach(json_object_get(answer, "attempts"), at, attempt) {
                const json_t *clock = json_object_get(json_object_get(attempt, "stages"), "worker_clock_ms");
                if (json_array_size(clock) != 2)
                        continue;
                double low = json_number_value(json_array_get(clock, 0)), high = json_number_value(json_array_get(clock, 1));
                least = any && least < low ? least : low;
                most = any && most > high ? most : high;
                apart = low > 0 && low > apart ? low : high < 0 && -high > apart ? -high : apart;
                any = true;
        }
        if (!any)
                return;
        tk_buf_printf(out, "\nSENT to BACK are by other clocks than the database's. The order of events says that the worker's clock is ahead\n"
                      "of the orchestrator's by %.1f to %.1f ms: SENT and BACK are uncertain by as much.\n", least, most);
        if (apart > 0)
                tk_buf_printf(out, "They differ by at least %.1f ms; the worker's times are shown moved by what is certain.\n", apart);
}

static void print(const struct cli_verb *verb, const json_t *answer)
{
        static const char *const titles[] = {"STEP", ">WAITED", ">SENT", ">PERMIT", ">HANDLER", ">BACK", ">STORED", "OUTCOME", "", NULL};
        struct cli_table *table = cli_table_new(verb->arena, titles);
        const json_t *attempt;
        const char *name = tk_json_str(answer, "name"), *status = tk_json_str(answer, "status");
        double whole = end_of(answer), accepted = -number(answer, "accepted_ms", 0);
        unsigned width = verb->term.width > ROOM_BESIDE + NARROW ? verb->term.width - ROOM_BESIDE : NARROW;
        size_t at;
        TK_AUTOBUF struct tk_buf text;

        tk_buf_init(&text, TEXT_MAX);
        if (!verb->term.width || width > BAR)
                width = BAR;
        tk_buf_printf(&text, "%s: %s, %.1f ms by the database's clock", name ? name : "?", status ? status : "?", whole);
        if (accepted >= 1)
                tk_buf_printf(&text, ", accepted %.0f ms before", accepted);
        if (tk_json_str(answer, "run_at"))
                tk_buf_printf(&text, ", to start at %s", tk_json_str(answer, "run_at"));
        if (tk_json_str(answer, "message"))
                tk_buf_printf(&text, "\n%s", tk_json_str(answer, "message"));
        tk_buf_puts(&text, "\n\n");
        json_array_foreach(json_object_get(answer, "attempts"), at, attempt)
                put_attempt(verb, table, attempt, whole, width);
        cli_table_print(table, verb->term.colour, &text);
        put_clocks(answer, &text);
        fputs(tk_buf_str(&text), stdout);
}

int cli_cmd_timeline(int argc, char **argv)
{
        static const char text[] =
                "Shows where a task's time went, attempt by attempt:\n\n"
                "  WAITED   from being ready to the transaction that dispatched it: a pause before a retry, no worker with room\n"
                "  SENT     that transaction's commit, the stream, arrival at the worker\n"
                "  PERMIT   the worker's mailbox, template and handler found, a permit free\n"
                "  HANDLER  the handler, and its result written down\n"
                "  BACK     the stream again\n"
                "  STORED   the orchestrator's mailbox, until the transaction that stored it began\n\n"
                "WAITED and the whole are by the database's clock, the others by those of orchestrator and worker; across machines the last\n"
                "lines say how far these may be apart. A lost attempt has no stages.\n\n"
                "  tasker task timeline 0198c5a2-7d1e-7a34-9c11-5d8e6f7a8b9c";
        return cli_verb_task_part("tasker task timeline", text, "timeline", print, argc, argv);
}
