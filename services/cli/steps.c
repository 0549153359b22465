/* SPDX-License-Identifier: MIT */
/* cli/steps.c: see steps.h. Nothing here trusts the answer: a missing or mistyped field reads as absent. */
#include "cli/steps.h"

#include "base/map.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/table.h"
#include "json/json.h"

/* The name the orchestrator shows while a task runs, by the step symbols people know. */
static const char *symbol_state(const char *status)
{
        if (tk_streq(status, "blocked_by_failures"))
                return "error";
        return cli_task_rests(status) ? status : tk_streq(status, "pending") ? "pending" : "in_progress";
}

static int64_t time_of(const json_t *object, const char *key)
{
        const char *text = tk_json_str(object, key);
        int64_t ns;

        return text && tk_time_parse(text, &ns) == 0 ? ns : -1;
}

/* From dispatch to the settled result; of a running step, until now. */
static double step_ms(const json_t *step, const char *state, int64_t now_wall_ns)
{
        int64_t begin = time_of(step, "dispatched_at"), end = time_of(step, "completed_at");

        if (begin < 0)
                begin = time_of(step, "last_attempted_at");
        if (tk_streq(state, "in_progress"))
                end = now_wall_ns;
        if (begin >= 0 && end >= begin)
                return (double)(end - begin) / (double)TK_NS_PER_MS;
        return tk_streq(state, "in_progress") ? -1 : tk_json_f64(step, "execution_time_ms", -1);
}

static void read_parents(const json_t *step, const struct tk_map *numbers, struct tk_arena *arena,
                         struct cli_draw_step *ret)
{
        const json_t *names = json_object_get(step, "dependencies"), *name;
        size_t at;

        unsigned *parents = TK_ARENA_ARRAY(arena, unsigned, json_array_size(names) + 1);
        json_array_foreach(names, at, name) {
                const char *text = json_string_value(name);
                const unsigned *number = text ? tk_map_gets(numbers, text) : NULL;
                if (number)
                        parents[ret->parents_n++] = *number;
        }
        ret->parents = parents;
}

void cli_steps_read(const json_t *array, int64_t now_wall_ns, struct tk_arena *arena, struct cli_steps *ret)
{
        TK_CLEANUP(tk_map_free) struct tk_map *numbers = tk_map_new();
        size_t n = json_array_size(array), at;
        unsigned *number = TK_ARENA_ARRAY(arena, unsigned, n + 1);
        const json_t *step;

        ret->items = TK_ARENA_ARRAY(arena, struct cli_draw_step, n + 1);
        ret->n = (unsigned)n;
        json_array_foreach(array, at, step) {
                const char *name = tk_json_str(step, "name"), *state = tk_json_str(step, "current_state");
                int64_t attempts = tk_json_i64(step, "attempts", 0);
                ret->items[at].name = name ? name : "?";
                ret->items[at].state = state ? state : "?";
                ret->items[at].attempts = attempts > 0 && attempts < 100000 ? (unsigned)attempts : 0;
                ret->items[at].ms = step_ms(step, state, now_wall_ns);
                number[at] = (unsigned)at;
                (void)tk_map_puts(numbers, ret->items[at].name, &number[at]);
        }
        json_array_foreach(array, at, step)
                read_parents(step, numbers, arena, &ret->items[at]);
}

void cli_steps_print(const json_t *array, const struct cli_term *term, int64_t now_wall_ns,
                     struct tk_arena *arena, struct tk_buf *out)
{
        static const char *const titles[] = {"", "STEP", "STATE", ">ATTEMPTS", ">TIME", "UUID", NULL};
        struct cli_table *table = cli_table_new(arena, titles);
        struct cli_steps steps;
        const json_t *step;
        size_t at;

        cli_steps_read(array, now_wall_ns, arena, &steps);
        json_array_foreach(array, at, step) {
                const struct cli_draw_step *item = &steps.items[at];
                const char *uuid = tk_json_str(step, "step_uuid"), *colour = cli_draw_colour(item->state);
                char duration[24];
                cli_draw_duration(item->ms, duration, sizeof duration);
                cli_table_put(table, colour, "%s", cli_draw_symbol(item->state, term->ascii));
                cli_table_put(table, NULL, "%s", item->name);
                cli_table_put(table, colour, "%s", item->state);
                cli_table_put(table, NULL, "%u/%lld", item->attempts,
                              (long long)tk_json_i64(step, "max_attempts", 0));
                cli_table_put(table, NULL, "%s", duration);
                cli_table_put(table, "\x1b[2m", "%s", uuid ? uuid : "");
        }
        cli_table_print(table, term->colour, out);
}

void cli_steps_print_failures(const json_t *array, const struct cli_term *term, struct tk_buf *out)
{
        const json_t *step;
        size_t at;

        json_array_foreach(array, at, step) {
                const char *name = tk_json_str(step, "name"), *state = tk_json_str(step, "current_state");
                const json_t *error = json_object_get(json_object_get(step, "results"), "error");
                const char *message = tk_json_str(error, "message"),
                           *colour = term->colour ? cli_draw_colour("error") : "";
                int64_t attempts = tk_json_i64(step, "attempts", 0);
                if (!tk_streq(state, "error"))
                        continue;
                tk_buf_printf(out, "  %s%s %s%s (%lld attempt%s): %s\n", colour,
                              cli_draw_symbol("error", term->ascii), name ? name : "?",
                              term->colour ? "\x1b[0m" : "", (long long)attempts, attempts == 1 ? "" : "s",
                              message ? message : "no message");
        }
}

bool cli_task_succeeded(const char *status)
{
        return tk_streq(status, "complete") || tk_streq(status, "resolved_manually");
}

bool cli_task_rests(const char *status)
{
        return cli_task_succeeded(status) || tk_streq(status, "error") || tk_streq(status, "cancelled") ||
               tk_streq(status, "blocked_by_failures");
}

double cli_task_ms(const json_t *task, int64_t now_wall_ns)
{
        int64_t begin = time_of(task, "created_at"), end = time_of(task, "completed_at");

        if (end < 0)
                end = cli_task_rests(tk_json_str(task, "status")) ? time_of(task, "updated_at") : now_wall_ns;
        return begin >= 0 && end >= begin ? (double)(end - begin) / (double)TK_NS_PER_MS : -1;
}

static const char *text_of(const json_t *task, const char *key)
{
        const char *text = tk_json_str(task, key);

        return text ? text : "?";
}

void cli_task_print_line(const json_t *task, const struct cli_term *term, int64_t now_wall_ns,
                         struct tk_buf *out)
{
        const char *status = text_of(task, "status"), *look = symbol_state(status);
        char duration[24];

        cli_draw_duration(cli_task_ms(task, now_wall_ns), duration, sizeof duration);
        tk_buf_printf(out, "%s%s %s%s %s: %s, %lld of %lld steps", term->colour ? cli_draw_colour(look) : "",
                      cli_draw_symbol(look, term->ascii), text_of(task, "name"),
                      term->colour ? "\x1b[0m" : "", text_of(task, "task_uuid"), status,
                      (long long)tk_json_i64(task, "completed_steps", 0),
                      (long long)tk_json_i64(task, "total_steps", 0));
        tk_buf_printf(out, "%s%s\n", *duration ? ", " : "", duration);
}

void cli_task_print(const json_t *task, const struct cli_term *term, int64_t now_wall_ns, struct tk_buf *out)
{
        static const char *const keys[] = {
                "namespace",     "version", "created_at",     "updated_at",       "initiator",
                "source_system", "reason",  "correlation_id", "execution_status", "recommended_action"};
        static const char *const times[] = {"run_at", "started_at", "deadline", "on_timeout", "message"}; /* of few tasks */
        const json_t *context = json_object_get(task, "context");

        cli_task_print_line(task, term, now_wall_ns, out);
        for (size_t at = 0; at < tk_countof(keys); at++)
                tk_buf_printf(out, "  %-18s %s\n", keys[at], text_of(task, keys[at]));
        if (tk_json_str(task, "parent_task_uuid"))
                tk_buf_printf(out, "  %-18s %s\n", "parent_task_uuid", tk_json_str(task, "parent_task_uuid"));
        tk_buf_printf(out, "  %-18s %lld\n  %-18s ", "priority", (long long)tk_json_i64(task, "priority", 0),
                      "context");
        if (context)
                tk_json_dump(context, out);
        tk_buf_putc(out, '\n');
        for (size_t at = 0; at < tk_countof(times); at++)
                if (tk_json_str(task, times[at]))
                        tk_buf_printf(out, "  %-18s %s\n", times[at], tk_json_str(task, times[at]));
}
