/* SPDX-License-Identifier: MIT */
/* cli/top_meters.c: see the header. */
#include "cli/top_meters.h"
#include "base/str.h"
#include "cli/table.h"
#include <math.h>
#include <stdio.h>

enum { ARENA_BLOCK = 16384, ARENA_MAX = 16 << 20, TEXT = 160 };
#define BLOCKED 0.5 /* part of the time that a stream had something to say and could not */

struct look {
        const json_t *before, *now; /* of one thing */
        double seconds;
};

static double value(const struct look *look, const char *key)
{
        return tk_json_f64(look->now, key, 0);
}

static double rate(const struct look *look, const char *key)
{
        double by = value(look, key) - tk_json_f64(look->before, key, 0);
        return look->before && look->seconds > 0 && by > 0 ? by / look->seconds : 0;
}

static const char *stream(const struct look *look, char *ret)
{
        double blocked = rate(look, "stream_blocked_seconds_total");
        (void)snprintf(ret, TEXT, "%.0f open   out %.0f/s %.1f kB/s   in %.0f/s %.1f kB/s   %.0f in flight   blocked %.0f %%",
                       value(look, "stream_open"), rate(look, "stream_frames_sent_total"),
                       rate(look, "stream_sent_bytes_total") / 1000, rate(look, "stream_frames_received_total"),
                       rate(look, "stream_received_bytes_total") / 1000, value(look, "stream_in_flight"), 100 * blocked);
        return value(look, "stream_open") <= 0 ? "down" : blocked >= BLOCKED ? "blocked" : "ok";
}

static const char *connection(const struct look *look, char *ret)
{
        const char *last = tk_json_str(look->now, "last");
        double open = value(look, "connection_open"), busy = value(look, "connection_busy");
        (void)snprintf(ret, TEXT, "%.0f open   %.0f busy   %s%s   made %.0f   failures %.0f/s", open, busy,
                       busy > 0 ? "runs " : "last ", last ? last : "nothing", value(look, "connection_opened_total"),
                       rate(look, "connection_failures_total"));
        return open <= 0 ? "down" : rate(look, "connection_failures_total") > 0 ? "failing" : busy >= open ? "busy" : "ok";
}

static const char *permits(const struct look *look, char *ret)
{
        double all = value(look, "permits_capacity"), used = value(look, "permits_in_use");
        (void)snprintf(ret, TEXT, "%.0f of %.0f in use   most %.0f   %.0f wait   %.0f/s taken   %.0f/s found none", used, all,
                       value(look, "permits_high_water"), value(look, "permits_waiting"),
                       rate(look, "permits_acquired_total"), rate(look, "permits_exhausted_total"));
        return value(look, "permits_waiting") > 0 ? "starved" : used >= all ? "full" : "ok";
}

static const struct {
        const char *list, *what;
        const char *(*put)(const struct look *look, char *ret); /* the state */
} kinds[] = {{"streams", "stream", stream}, {"connections", "connection", connection}, {"permits", "permits", permits}};

static const json_t *same(const json_t *sample, const char *list, const char *name)
{
        const json_t *entry;
        size_t at;
        json_array_foreach(json_object_get(sample, list), at, entry)
                if (tk_streq(tk_json_str(entry, "name"), name))
                        return entry;
        return NULL;
}

static const char *colour_of(const char *state)
{
        if (tk_streq(state, "ok"))
                return NULL;
        return tk_streq(state, "busy") || tk_streq(state, "full") ? "\x1b[33m" : "\x1b[31m";
}

void cli_top_put_meters(const json_t *before, const json_t *now, double seconds, bool colour, struct tk_buf *out)
{
        static const char *const titles[] = {"  THING", "NAME", "STATE", "", NULL};
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        struct cli_table *table = cli_table_new(arena, titles);
        bool any = false;
        for (size_t kind = 0; kind < tk_countof(kinds); kind++) {
                const json_t *entry;
                size_t at;
                json_array_foreach(json_object_get(now, kinds[kind].list), at, entry) {
                        const char *name = tk_json_str(entry, "name");
                        char text[TEXT];
                        if (!name)
                                continue;
                        struct look look = {same(before, kinds[kind].list, name), entry, seconds};
                        const char *state = kinds[kind].put(&look, text);
                        cli_table_put(table, NULL, "  %s", kinds[kind].what);
                        cli_table_put(table, NULL, "%s", name);
                        cli_table_put(table, colour ? colour_of(state) : NULL, "%s", state);
                        cli_table_put(table, NULL, "%s", text);
                        any = true;
                }
        }
        if (any)
                cli_table_print(table, colour, out);
}
