/* SPDX-License-Identifier: MIT */
/* cli/top_view.c: see top_view.h. */
#include "cli/top_view.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/table.h"
#include "cli/top_meters.h"
#include <math.h>
#include <stdlib.h>

enum { ACTORS_MAX = 64, ARENA_BLOCK = 16384, ARENA_MAX = 16 << 20, WIDTH = 100 };
#define MOST 0.9       /* busy this part of the time: no reserve */
#define BACKLOG 0.7    /* of a mailbox */
#define STALLED_S 1.0  /* no batch for so long while messages wait */

static double number(const json_t *object, const char *key)
{
        return tk_json_f64(object, key, 0);
}

static double grown(const json_t *before, const json_t *now, const char *key)
{
        double by = number(now, key) - number(before, key);
        return by > 0 ? by : 0; /* a process that started again begins at 0 */
}

static const char *state_of(const struct cli_top_actor *a, const json_t *now)
{
        if (number(now, "actor_ready") < a->threads)
                return "down";
        if (a->depth > 0 && a->messages <= 0 && number(now, "actor_progress_age_seconds") > STALLED_S)
                return "stalled";
        if (a->refused > 0)
                return "full";
        if (a->capacity > 0 && a->depth >= BACKLOG * a->capacity)
                return "backlog";
        if (a->busy >= MOST)
                return "busy";
        return a->messages > 0 ? "ok" : "idle";
}

void cli_top_actor(const json_t *before, const json_t *now, double seconds, struct cli_top_actor *ret)
{
        double handled = grown(before, now, "actor_messages_total"),
               batches = grown(before, now, "actor_batches_total"),
               received = grown(before, now, "mailbox_received_total"),
               waited = grown(before, now, "mailbox_wait_seconds_total");
        *ret = (struct cli_top_actor){
                .name = tk_json_str(now, "actor"),
                .threads = number(now, "actor_threads"),
                .depth = number(now, "mailbox_depth"),
                .capacity = number(now, "mailbox_capacity"),
                .high_water = number(now, "mailbox_high_water"),
                .batch = batches > 0 ? handled / batches : 0,
                .wait_ms = received > 0 ? 1000 * waited / received : 0,
        };
        if (seconds > 0) {
                ret->messages = handled / seconds;
                ret->refused = grown(before, now, "mailbox_full_total") / seconds;
                ret->busy = ret->threads > 0 ? grown(before, now, "actor_busy_seconds_total") / seconds / ret->threads : 0;
        }
        ret->name = ret->name ? ret->name : "?";
        ret->current = tk_json_str(now, "current_message");
        ret->state = state_of(ret, now);
}

static double seconds_between(const json_t *before, const json_t *now)
{
        return before ? number(now, "time") - number(before, "time") : 0;
}

static const json_t *actor_of(const json_t *sample, const char *name)
{
        const json_t *list = json_object_get(sample, "actors"), *entry;
        size_t at;
        json_array_foreach(list, at, entry)
                if (tk_streq(tk_json_str(entry, "actor"), name))
                        return entry;
        return NULL;
}

static size_t actors(const json_t *before, const json_t *now, struct cli_top_actor ret[ACTORS_MAX])
{
        const json_t *list = json_object_get(now, "actors"), *entry;
        double seconds = seconds_between(before, now);
        size_t n = 0, at;
        json_array_foreach(list, at, entry) {
                const char *name = tk_json_str(entry, "actor");
                if (n < ACTORS_MAX && name)
                        cli_top_actor(before ? actor_of(before, name) : entry, entry, seconds, &ret[n++]);
        }
        return n;
}

static int by_busy(const void *a, const void *b)
{
        const struct cli_top_actor *x = a, *y = b;
        return (x->busy < y->busy) - (x->busy > y->busy);
}

static int by_depth(const void *a, const void *b)
{
        const struct cli_top_actor *x = a, *y = b;
        return (x->depth < y->depth) - (x->depth > y->depth);
}

/* "tasker_orchestrator_steps_settled_total" is told as "steps_settled". */
static void short_name(const char *name, char *ret, size_t size)
{
        static const char *const ends[] = {"_total", "_seconds"};
        const char *from = strchr(name, '_');
        from = from ? strchr(from + 1, '_') : NULL;
        (void)tk_str_copy(ret, size, from ? from + 1 : name);
        for (size_t i = 0; i < tk_countof(ends); i++) {
                size_t len = strlen(ret), end = strlen(ends[i]);
                if (len > end && tk_streq(ret + len - end, ends[i]))
                        ret[len - end] = '\0';
        }
}

static double sum_of(const json_t *value)
{
        const json_t *entry;
        const char *key;
        double sum = 0;
        if (json_is_number(value))
                return json_number_value(value);
        json_object_foreach((json_t *)(uintptr_t)value, key, entry)
                sum += json_is_number(entry) ? json_number_value(entry) : 0;
        return sum;
}

/* One figure as text, or false: it stands still at nothing. */
static bool figure(const char *name, const json_t *before, const json_t *now, double seconds, char *ret, size_t size)
{
        char label[96];
        short_name(name, label, sizeof label);
        if (json_is_object(now) && json_object_get(now, "count")) {
                double count = grown(before, now, "count");
                if (count > 0)
                        (void)snprintf(ret, size, "%s %.2f ms", label, 1000 * grown(before, now, "sum") / count);
                return count > 0;
        }
        double value = sum_of(now);
        if (strlen(name) > 6 && tk_streq(name + strlen(name) - 6, "_total")) {
                double rate = seconds > 0 ? (value - sum_of(before)) / seconds : 0;
                if (rate > 0)
                        (void)snprintf(ret, size, "%s %.*f/s", label, rate < 10 ? 1 : 0, rate);
                return rate > 0;
        }
        if (value > 0)
                (void)snprintf(ret, size, "%s %.0f", label, value);
        return value > 0;
}

static void put_figures(const json_t *before, const json_t *now, unsigned width, struct tk_buf *out)
{
        const json_t *old = json_object_get(before, "metrics"), *new = json_object_get(now, "metrics"), *value;
        double seconds = seconds_between(before, now);
        const char *name;
        size_t column = 0;
        json_object_foreach((json_t *)(uintptr_t)new, name, value) {
                char text[128];
                if (!figure(name, json_object_get(old, name), value, seconds, text, sizeof text))
                        continue;
                size_t len = strlen(text) + 3;
                if (column && column + len > width) {
                        tk_buf_putc(out, '\n');
                        column = 0;
                }
                tk_buf_printf(out, "%s%s", column ? "   " : "  ", text);
                column += len;
        }
        if (column)
                tk_buf_putc(out, '\n');
}

static const char *colour_of(const char *state)
{
        static const struct {
                const char *state, *colour;
        } rows[] = {{"down", "\x1b[31m"},    {"stalled", "\x1b[31m"}, {"full", "\x1b[31m"},
                    {"backlog", "\x1b[33m"}, {"busy", "\x1b[33m"},    {"idle", "\x1b[2m"}};
        for (size_t i = 0; i < tk_countof(rows); i++)
                if (tk_streq(state, rows[i].state))
                        return rows[i].colour;
        return NULL;
}

static void put_actors(const struct cli_top_actor *list, size_t n, bool colour, struct tk_buf *out)
{
        static const char *const titles[] = {"  ACTOR",  ">THREADS", ">BUSY", ">MESSAGES/S", ">A BATCH", ">WAIT",
                                             ">WAITING", ">ROOM",    ">MOST", ">REFUSED/S",  "STATE",    "NOW",         NULL};
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        struct cli_table *table = cli_table_new(arena, titles);
        for (size_t i = 0; i < n; i++) {
                const struct cli_top_actor *a = &list[i];
                cli_table_put(table, NULL, "  %s", a->name);
                cli_table_put(table, NULL, "%.0f", a->threads);
                cli_table_put(table, NULL, "%.0f %%", 100 * a->busy);
                cli_table_put(table, NULL, "%.*f", a->messages > 0 && a->messages < 10 ? 1 : 0, a->messages);
                cli_table_put(table, NULL, "%.1f", a->batch);
                cli_table_put(table, NULL, "%.2f ms", a->wait_ms);
                cli_table_put(table, NULL, "%.0f", a->depth);
                cli_table_put(table, NULL, "%.0f", a->capacity);
                cli_table_put(table, NULL, "%.0f", a->high_water);
                cli_table_put(table, NULL, "%.0f", a->refused);
                cli_table_put(table, colour_of(a->state), "%s", a->state);
                cli_table_put(table, NULL, "%s", a->current ? a->current : "");
        }
        cli_table_print(table, colour, out);
}

static const json_t *time_of(const json_t *sample, const char *what, const char *name)
{
        const json_t *list = json_object_get(sample, "times"), *entry;
        size_t at;
        json_array_foreach(list, at, entry)
                if (tk_streq(tk_json_str(entry, "what"), what) && tk_streq(tk_json_str(entry, "name"), name))
                        return entry;
        return NULL;
}

/* "mailbox_wait_seconds" is told as "mailbox wait". */
static void spoken(const char *what, char *ret, size_t size)
{
        (void)tk_str_copy(ret, size, what);
        char *end = strstr(ret, "_seconds");
        if (end)
                *end = '\0';
        for (char *c = ret; *c; c++)
                *c = *c == '_' ? ' ' : *c;
}

/* Rate and mean are those between the two looks, the others those since the start. */
static void put_times(const json_t *before, const json_t *now, bool colour, struct tk_buf *out)
{
        static const char *const titles[] = {"  TIME", "OF", ">/S", ">MEAN NOW", ">P50", ">P95", ">P99", ">MOST", NULL};
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        struct cli_table *table = cli_table_new(arena, titles);
        const json_t *list = json_object_get(now, "times"), *entry;
        double seconds = seconds_between(before, now);
        size_t at;
        json_array_foreach(list, at, entry) {
                const char *what = tk_json_str(entry, "what"), *name = tk_json_str(entry, "name");
                const json_t *old = what && name ? time_of(before, what, name) : NULL;
                double count = grown(old, entry, "count");
                char label[64];
                if (!what || !name)
                        continue;
                spoken(what, label, sizeof label);
                cli_table_put(table, NULL, "  %s", label);
                cli_table_put(table, NULL, "%s", name);
                cli_table_put(table, NULL, "%.1f", seconds > 0 ? count / seconds : 0);
                cli_table_put(table, NULL, "%.3f ms", count > 0 ? 1000 * grown(old, entry, "sum") / count : 0);
                static const char *const columns[] = {"p50", "p95", "p99", "max"};
                for (size_t i = 0; i < tk_countof(columns); i++)
                        cli_table_put(table, NULL, "%.3f ms", 1000 * number(entry, columns[i]));
        }
        cli_table_print(table, colour, out);
}

void cli_top_put(const json_t *before, const json_t *now, const char *url, enum cli_top_sort sort, bool times,
                 const struct cli_term *term, struct tk_buf *out)
{
        static int (*const orders[CLI_TOP_SORTS])(const void *, const void *) = {NULL, by_busy, by_depth};
        const json_t *process = json_object_get(now, "process"), *old = json_object_get(before, "process");
        const char *service = tk_json_str(now, "service");
        double seconds = seconds_between(before, now);
        struct cli_top_actor list[ACTORS_MAX];
        size_t n = actors(before, now, list);
        if (orders[sort])
                qsort(list, n, sizeof list[0], orders[sort]);
        tk_buf_printf(out, "%s%s%s  %s  pid %.0f", term->colour ? "\x1b[1m" : "", service ? service : "?",
                      term->colour ? "\x1b[0m" : "", url, number(now, "pid"));
        if (seconds > 0)
                tk_buf_printf(
                        out, "  CPU %.0f %%  %.0f switches/s", 100 * grown(old, process, "cpu_seconds") / seconds,
                        (grown(old, process, "voluntary_switches") + grown(old, process, "involuntary_switches")) /
                                seconds);
        tk_buf_printf(out, "  %.1f MB  up %.0f s\n", number(process, "resident_bytes") / 1e6,
                      number(process, "uptime_seconds"));
        put_figures(before, now, term->width ? term->width : WIDTH, out);
        put_actors(list, n, term->colour, out);
        cli_top_put_meters(before, now, seconds, term->colour, out);
        if (times)
                put_times(before, now, term->colour, out);
}

json_t *cli_top_json(const json_t *before, const json_t *now, const char *url)
{
        struct cli_top_actor list[ACTORS_MAX];
        size_t n = actors(before, now, list);
        json_t *rows = json_array();
        for (size_t i = 0; i < n; i++)
                json_array_append_new(rows,
                                      json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:s, s:s?}", "actor",
                                                list[i].name, "threads", list[i].threads, "busy", list[i].busy,
                                                "messages_per_second", list[i].messages, "batch", list[i].batch,
                                                "wait_ms", list[i].wait_ms, "depth", list[i].depth, "capacity",
                                                list[i].capacity, "high_water", list[i].high_water,
                                                "refused_per_second", list[i].refused, "state", list[i].state,
                                                "current_message", list[i].current));
        return json_pack("{s:s, s:O, s:f, s:O, s:o, s:O, s:O*, s:O*, s:O*, s:O*}", "url", url, "service", json_object_get(now, "service"),
                         "seconds", seconds_between(before, now), "process", json_object_get(now, "process"),
                         "actors", rows, "metrics", json_object_get(now, "metrics"), "times", json_object_get(now, "times"),
                         "streams", json_object_get(now, "streams"), "connections", json_object_get(now, "connections"),
                         "permits", json_object_get(now, "permits"));
}
