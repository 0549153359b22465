/* SPDX-License-Identifier: MIT */
/* cli/dlq.c: see dlq.h. */
#include "cli/dlq.h"

#include "base/str.h"
#include "cli/draw.h"
#include "cli/table.h"
#include <stdio.h>

enum { TEXT_MAX = 16 << 20 };

static const char *colour_of(const struct cli_verb *verb, const char *state)
{
        return verb->term.colour ? cli_draw_colour(state) : NULL;
}

static void print_table(const struct cli_verb *verb, const struct cli_table *table)
{
        TK_AUTOBUF struct tk_buf text;
        tk_buf_init(&text, TEXT_MAX);
        cli_table_print(table, verb->term.colour, &text);
        fputs(tk_buf_str(&text), stdout);
}

static bool says_none(const json_t *list, const char *what)
{
        if (json_array_size(list))
                return false;
        printf("%s\n", what);
        return true;
}

void cli_dlq_print_list(const struct cli_verb *verb, const json_t *answer)
{
        static const char *const titles[] = {"ENTERED", "KIND", "STATUS", "TEMPLATE", "WAS", "TASK", "ENTRY", NULL};
        struct cli_table *table = cli_table_new(verb->arena, titles);
        const json_t *entry;
        size_t at;
        if (says_none(answer, "no entries"))
                return;
        json_array_foreach(answer, at, entry) {
                cli_table_put(table, NULL, "%.19s", tk_json_text(entry, "dlq_timestamp"));
                cli_table_put(table, NULL, "%s", tk_json_text(entry, "dlq_reason"));
                cli_table_put(table, NULL, "%s", tk_json_text(entry, "resolution_status"));
                cli_table_put(table, NULL, "%s/%s@%s", tk_json_text(entry, "namespace_name"), tk_json_text(entry, "task_name"),
                              tk_json_text(entry, "task_version"));
                cli_table_put(table, colour_of(verb, tk_json_text(entry, "original_state")), "%s", tk_json_text(entry, "original_state"));
                cli_table_put(table, NULL, "%s", tk_json_text(entry, "task_uuid"));
                cli_table_put(table, NULL, "%s", tk_json_text(entry, "dlq_entry_uuid"));
        }
        print_table(verb, table);
}

static void print_steps(const struct cli_verb *verb, const json_t *steps)
{
        static const char *const titles[] = {"STEP", "STATE", ">ATTEMPTS", "DISPATCHED", "ERROR", NULL};
        struct cli_table *table = cli_table_new(verb->arena, titles);
        const json_t *step;
        size_t at;
        json_array_foreach(steps, at, step) {
                cli_table_put(table, NULL, "%s", tk_json_text(step, "name"));
                cli_table_put(table, colour_of(verb, tk_json_text(step, "state")), "%s", tk_json_text(step, "state"));
                cli_table_put(table, NULL, "%lld of %lld", (long long)tk_json_i64(step, "attempts", 0),
                              (long long)tk_json_i64(step, "max_attempts", 0));
                cli_table_put(table, NULL, "%.19s", tk_json_text(step, "dispatched_at"));
                cli_table_put(table, NULL, "%s", tk_json_text(step, "error"));
        }
        putchar('\n');
        print_table(verb, table);
}

void cli_dlq_print_entry(const struct cli_verb *verb, const json_t *answer)
{
        const json_t *metadata = json_object_get(answer, "metadata"), *shot = json_object_get(answer, "task_snapshot");
        bool pending = tk_streq(tk_json_text(answer, "resolution_status"), "Pending");
        printf("entry    %s  %s, %s\n", tk_json_text(answer, "dlq_entry_uuid"), tk_json_text(answer, "dlq_reason"),
               tk_json_text(answer, "resolution_status"));
        printf("task     %s  %s/%s@%s, was %s\n", tk_json_text(answer, "task_uuid"), tk_json_text(answer, "namespace_name"),
               tk_json_text(answer, "task_name"),
               tk_json_text(answer, "task_version"), tk_json_text(answer, "original_state"));
        printf("entered  %.19s", tk_json_text(answer, "dlq_timestamp"));
        if (json_is_integer(json_object_get(metadata, "threshold_minutes")))
                printf(": nothing of it had moved for %lld minutes, at most %lld are allowed",
                       (long long)tk_json_i64(metadata, "time_in_state_minutes", 0),
                       (long long)tk_json_i64(metadata, "threshold_minutes", 0));
        else if (tk_json_str(metadata, "reason"))
                printf(" by %s: %s", tk_json_text(metadata, "actor"), tk_json_text(metadata, "reason"));
        putchar('\n');
        if (tk_json_str(answer, "resolution_notes") || tk_json_str(answer, "resolved_by"))
                printf("notes    %s%s%s%s\n", tk_json_text(answer, "resolution_notes"), tk_json_str(answer, "resolved_by") ? " (" : "",
                       tk_json_text(answer, "resolved_by"), tk_json_str(answer, "resolved_by") ? ")" : "");
        if (!pending)
                printf("closed   %.19s%s\n", tk_json_text(answer, "resolution_timestamp"),
                       json_is_true(json_object_get(answer, "revived")) ? ", the task was set going again" : "");
        print_steps(verb, json_object_get(shot, "steps"));
        if (pending)
                printf("\nas it is now: tasker explain %s\nset it going: tasker dlq revive %s --reason ...\n", tk_json_text(answer, "task_uuid"),
                       tk_json_text(answer, "dlq_entry_uuid"));
}

void cli_dlq_print_stats(const struct cli_verb *verb, const json_t *answer)
{
        static const char *const titles[] = {"KIND", ">ENTRIES", ">PENDING", ">RESOLVED", ">FAILED", ">CANCELLED",
                                             ">MINUTES", "OLDEST", "NEWEST", NULL};
        static const char *const counts[] = {"total_entries", "pending", "manually_resolved", "permanent_failures", "cancelled"};
        struct cli_table *table = cli_table_new(verb->arena, titles);
        const json_t *row;
        size_t at;
        if (says_none(answer, "no entries"))
                return;
        json_array_foreach(answer, at, row) {
                cli_table_put(table, NULL, "%s", tk_json_text(row, "dlq_reason"));
                for (size_t i = 0; i < tk_countof(counts); i++)
                        cli_table_put(table, NULL, "%lld", (long long)tk_json_i64(row, counts[i], 0));
                cli_table_put(table, NULL, "%.1f", tk_json_f64(row, "avg_resolution_time_minutes", 0));
                cli_table_put(table, NULL, "%.19s", tk_json_text(row, "oldest_entry"));
                cli_table_put(table, NULL, "%.19s", tk_json_text(row, "newest_entry"));
        }
        print_table(verb, table);
}

void cli_dlq_print_queue(const struct cli_verb *verb, const json_t *answer)
{
        static const char *const titles[] = {">SCORE", "KIND", ">MINUTES", "TEMPLATE", "NOW", "TASK", "ENTRY", NULL};
        struct cli_table *table = cli_table_new(verb->arena, titles);
        const json_t *row;
        size_t at;
        if (says_none(answer, "nothing to look into"))
                return;
        json_array_foreach(answer, at, row) {
                cli_table_put(table, NULL, "%.1f", tk_json_f64(row, "priority_score", 0));
                cli_table_put(table, NULL, "%s", tk_json_text(row, "dlq_reason"));
                cli_table_put(table, NULL, "%.1f", tk_json_f64(row, "minutes_in_dlq", 0));
                cli_table_put(table, NULL, "%s/%s", tk_json_text(row, "namespace_name"), tk_json_text(row, "task_name"));
                cli_table_put(table, colour_of(verb, tk_json_text(row, "current_state")), "%s", tk_json_text(row, "current_state"));
                cli_table_put(table, NULL, "%s", tk_json_text(row, "task_uuid"));
                cli_table_put(table, NULL, "%s", tk_json_text(row, "dlq_entry_uuid"));
        }
        print_table(verb, table);
}

void cli_dlq_print_staleness(const struct cli_verb *verb, const json_t *answer)
{
        static const char *const titles[] = {"HEALTH", "STATE", ">MINUTES", ">LIMIT", ">AGE", "TEMPLATE", "TASK", "SPARED", NULL};
        struct cli_table *table = cli_table_new(verb->arena, titles);
        const json_t *row;
        size_t at;
        if (says_none(answer, "no open tasks"))
                return;
        json_array_foreach(answer, at, row) {
                const char *health = tk_json_text(row, "health_status"),
                           *like = tk_streq(health, "stale") ? "error" : tk_streq(health, "warning") ? "waiting_for_retry" : "complete";
                cli_table_put(table, colour_of(verb, like), "%s", health);
                cli_table_put(table, NULL, "%s", tk_json_text(row, "current_state"));
                cli_table_put(table, NULL, "%lld", (long long)tk_json_i64(row, "time_in_state_minutes", 0));
                cli_table_put(table, NULL, "%lld", (long long)tk_json_i64(row, "staleness_threshold_minutes", 0));
                cli_table_put(table, NULL, "%lld", (long long)tk_json_i64(row, "task_age_minutes", 0));
                cli_table_put(table, NULL, "%s/%s", tk_json_text(row, "namespace_name"), tk_json_text(row, "task_name"));
                cli_table_put(table, NULL, "%s", tk_json_text(row, "task_uuid"));
                cli_table_put(table, NULL, "%s", tk_json_text(row, "spared"));
        }
        print_table(verb, table);
}
