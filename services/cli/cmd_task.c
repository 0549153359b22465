/* SPDX-License-Identifier: MIT */
/* cli/cmd_task.c: "tasker task": get, list, cancel, wait, graph. Submitting is in cmd_submit.c. */
#include "cli/cmd_task.h"

#include "base/str.h"
#include "base/time.h"
#include "cli/cmd_history.h"
#include "cli/cmd_bulk.h"
#include "cli/cmd_hold.h"
#include "cli/cmd_submit.h"
#include "cli/cmd_summary.h"
#include "cli/cmd_timeline.h"
#include "cli/cmd_tree.h"
#include "cli/follow.h"
#include "cli/steps.h"
#include "cli/table.h"
#include <stdio.h>

enum { TEXT_MAX = 16 << 20 };

static int task_get(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const struct cli_opt opts[] = {CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {
                "tasker task get", "UUID",
                "Shows a task and its steps.\n\n"
                "  tasker task get 0198c5a2-7d1e-7a34-9c11-5d8e6f7a8b9c\n"
                "  tasker task get UUID --json | jq .status",
                opts, tk_countof(opts), 1, 1};
        TK_AUTOJSON json_t *task = NULL, *steps = NULL;
        TK_AUTOBUF struct tk_buf text;
        struct tk_err err;
        const char *uuid;
        unsigned n;

        tk_buf_init(&text, TEXT_MAX);
        int r = cli_verb_begin(&verb, &usage, argc, argv, &uuid, &n);
        if (r != CLI_VERB_GO)
                return r;
        r = cli_client_get(verb.client, cli_verb_task_path(&verb, uuid), &task, &err);
        if (r == CLI_CLIENT_OK && !verb.json)
                r = cli_follow_steps(&verb, cli_client_escape(verb.client, uuid), &steps, &err);
        if (r)
                return cli_verb_fail(r, &err);
        if (verb.json) {
                cli_verb_print_json(task);
                return CLI_EXIT_OK;
        }
        cli_task_print(task, &verb.term, tk_time_wall_ns(), &text);
        tk_buf_putc(&text, '\n');
        cli_steps_print(steps, &verb.term, tk_time_wall_ns(), verb.arena, &text);
        cli_steps_print_failures(steps, &verb.term, &text);
        fputs(tk_buf_str(&text), stdout);
        return CLI_EXIT_OK;
}

static void print_tasks(const struct cli_verb *verb, const json_t *list)
{
        static const char *const titles[] = {"UUID",   "NAMESPACE", "TEMPLATE", "VERSION",
                                             "STATUS", ">STEPS",    "CREATED",  NULL};
        static const char *const keys[] = {"task_uuid", "namespace", "name", "version", "status"};
        struct cli_table *table = cli_table_new(verb->arena, titles);
        const json_t *pages = json_object_get(list, "pagination"), *task;
        TK_AUTOBUF struct tk_buf text;
        size_t at;

        tk_buf_init(&text, TEXT_MAX);
        json_array_foreach(json_object_get(list, "tasks"), at, task) {
                const char *created = tk_json_str(task, "created_at");
                for (size_t key = 0; key < tk_countof(keys); key++) {
                        const char *cell = tk_json_str(task, keys[key]);
                        cli_table_put(table, NULL, "%s", cell ? cell : "?");
                }
                cli_table_put(table, NULL, "%lld/%lld", (long long)tk_json_i64(task, "completed_steps", 0),
                              (long long)tk_json_i64(task, "total_steps", 0));
                cli_table_put(table, NULL, "%.19s", created ? created : "?");
        }
        cli_table_print(table, verb->term.colour, &text);
        long long count = tk_json_i64(pages, "total_count", 0);
        const char *next = tk_json_str(pages, "next_cursor");
        if (next)
                tk_buf_printf(&text, "more: --cursor %s\n", next);
        else if (!json_object_get(pages, "total_count"))
                tk_buf_puts(&text, "no more tasks\n");
        else if (count)
                tk_buf_printf(&text, "page %lld of %lld, %lld task%s\n",
                              (long long)tk_json_i64(pages, "page", 0),
                              (long long)tk_json_i64(pages, "total_pages", 0), count, count == 1 ? "" : "s");
        else
                tk_buf_puts(&text, "no tasks\n");
        fputs(tk_buf_str(&text), stdout);
}

static int task_list(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const char *page = NULL, *per_page = "25", *cursor = NULL;
        struct {
                const char *key, *value;
        } filters[] = {{"namespace", NULL}, {"status", NULL}, {"initiator", NULL}, {"name", NULL}, {"version", NULL},
                       {"tag", NULL}, {"correlation_id", NULL}, {"created_after", NULL}, {"created_before", NULL},
                       {"parent_correlation_id", NULL}, {"context_path", NULL}, {"context_value", NULL}};
        const struct cli_opt opts[] = {
                CLI_OPT_VALUE("namespace", "NAME", &filters[0].value, "Only of this namespace."),
                CLI_OPT_VALUE("status", "STATE", &filters[1].value, "completed, pending, or a task state such as error."),
                CLI_OPT_VALUE("initiator", "NAME", &filters[2].value, "Only started by NAME."),
                CLI_OPT_VALUE("template", "NAME", &filters[3].value, "Only of templates of this name."),
                CLI_OPT_VALUE("version", "V", &filters[4].value, "Only of this version."),
                CLI_OPT_VALUE("tag", "TEXT", &filters[5].value, "Only with this tag."),
                CLI_OPT_VALUE("correlation-id", "UUID", &filters[6].value, "Only with this correlation id."),
                CLI_OPT_VALUE("parent-correlation-id", "UUID", &filters[9].value, "Only with this parent correlation id."),
                CLI_OPT_VALUE("context-path", "PATH", &filters[10].value, "Only whose context has something at this JSON path, as $.customer.id."),
                CLI_OPT_VALUE("context-value", "TEXT", &filters[11].value, "... and it is this. By cursor, as no index knows."),
                CLI_OPT_VALUE("after", "TIME", &filters[7].value, "Only created at or after, as 2026-01-31T12:00:00Z."),
                CLI_OPT_VALUE("before", "TIME", &filters[8].value, "Only created before."),
                CLI_OPT_VALUE("cursor", "CURSOR", &cursor, "The page after this one; '' is the first. Counts nothing, so it is fast."),
                CLI_OPT_VALUE("page", "N", &page, "From 1."),
                CLI_OPT_VALUE("per-page", "N", &per_page, "1 to 100 (default 25)."),
                CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {
                "tasker task list", "",
                "Lists tasks, newest first.\n\n"
                "  tasker task list --namespace payments --status error\n"
                "  tasker task list --template refund --tag card --after 2026-01-31T00:00:00Z --cursor ''\n"
                "  tasker task list --context-path '$.order.items[*].sku' --context-value AB-1\n"
                "  tasker task list --page 2 --json",
                opts, tk_countof(opts), 0, 0};
        TK_AUTOJSON json_t *list = NULL;
        TK_AUTOBUF struct tk_buf path;
        struct tk_err err;
        unsigned n;

        tk_buf_init(&path, 1 << 14);
        int r = cli_verb_begin(&verb, &usage, argc, argv, NULL, &n);
        if (r != CLI_VERB_GO)
                return r;
        tk_buf_printf(&path, "/v1/tasks?per_page=%s", cli_client_escape(verb.client, per_page));
        if (filters[10].value && !page && !cursor)
                cursor = "";
        if (cursor)
                tk_buf_printf(&path, "&cursor=%s", cli_client_escape(verb.client, cursor));
        if (page || !cursor)
                tk_buf_printf(&path, "&page=%s", cli_client_escape(verb.client, page ? page : "1"));
        for (size_t at = 0; at < tk_countof(filters); at++)
                if (filters[at].value)
                        tk_buf_printf(&path, "&%s=%s", filters[at].key, cli_client_escape(verb.client, filters[at].value));
        r = cli_client_get(verb.client, tk_buf_str(&path), &list, &err);
        if (r)
                return cli_verb_fail(r, &err);
        if (verb.json)
                cli_verb_print_json(list);
        else
                print_tasks(&verb, list);
        return CLI_EXIT_OK;
}

static int task_cancel(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const char *by = NULL, *reason = "cancelled by hand";
        const struct cli_opt opts[] = {CLI_OPT_VALUE("reason", "TEXT", &reason, "Why; kept in its history."),
                                       CLI_OPT_VALUE("by", "NAME", &by, "Who decides this (default $USER)."), CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {
                "tasker task cancel", "UUID",
                "Cancels a task: what has not run will not run, running steps are told.\n\n"
                "  tasker task cancel 0198c5a2-7d1e-7a34-9c11-5d8e6f7a8b9c --reason 'ordered twice'",
                opts, tk_countof(opts), 1, 1};
        TK_AUTOJSON json_t *task = NULL;
        struct tk_err err;
        const char *uuid;
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, &uuid, &n);
        if (r != CLI_VERB_GO)
                return r;
        const char *path = tk_arena_printf(verb.arena, "%s?by=%s&reason=%s", cli_verb_task_path(&verb, uuid),
                                           cli_client_escape(verb.client, cli_verb_who(by)), cli_client_escape(verb.client, reason));
        const struct cli_request request = {.method = "DELETE", .path = path};
        r = cli_client_send(verb.client, &request, &task, NULL, &err);
        if (r)
                return cli_verb_fail(r, &err);
        if (verb.json)
                cli_verb_print_json(task);
        else
                printf("cancelled %s\n", uuid);
        return CLI_EXIT_OK;
}

static int parse_timeout(const char *text, int64_t *ret_ns)
{
        if (!text || (tk_time_duration_parse(text, ret_ns) == 0 && *ret_ns > 0))
                return 0;
        fprintf(stderr, "tasker: --timeout %s: expected a duration such as 30s, 500ms or 5m\n", text);
        return -1;
}

static int task_wait(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const char *timeout = NULL, *uuid;
        const struct cli_opt opts[] = {
                CLI_OPT_VALUE("timeout", "DURATION", &timeout, "Give up after this (default: never)."),
                CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {
                "tasker task wait", "UUID",
                "Waits until a task has come to rest, showing its progress on a terminal.\n"
                "Exit code: 0 complete; 1 failed, blocked or cancelled; 3 not reachable; 4 time is up.\n\n"
                "  tasker task wait UUID --timeout 5m && echo done",
                opts, tk_countof(opts), 1, 1};
        int64_t timeout_ns = 0;
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, &uuid, &n);
        if (r != CLI_VERB_GO)
                return r;
        if (parse_timeout(timeout, &timeout_ns))
                return CLI_EXIT_USAGE;
        return cli_follow(&verb, uuid, timeout_ns, CLI_FOLLOW_PROGRESS);
}

static int draw_once(struct cli_verb *verb, const char *uuid)
{
        TK_AUTOJSON json_t *task = NULL, *steps = NULL;
        TK_AUTOBUF struct tk_buf text;
        struct tk_err err;

        tk_buf_init(&text, TEXT_MAX);
        int r = cli_client_get(verb->client, cli_verb_task_path(verb, uuid), &task, &err);
        if (r == CLI_CLIENT_OK)
                r = cli_follow_steps(verb, cli_client_escape(verb->client, uuid), &steps, &err);
        if (r)
                return cli_verb_fail(r, &err);
        if (verb->json) {
                cli_verb_print_json(steps);
                return CLI_EXIT_OK;
        }
        cli_follow_draw(verb, task, steps, &text);
        cli_steps_print_failures(steps, &verb->term, &text);
        fputs(tk_buf_str(&text), stdout);
        return CLI_EXIT_OK;
}

static int task_graph(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const char *timeout = NULL, *uuid;
        bool watch = false, ascii = false;
        const struct cli_opt opts[] = {
                CLI_OPT_FLAG("watch", &watch, "Follow live until the task has come to rest."),
                CLI_OPT_VALUE("timeout", "DURATION", &timeout, "With --watch: give up after this."),
                CLI_OPT_FLAG("ascii", &ascii, "Draw with ASCII characters only."),
                CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {
                "tasker task graph",
                "UUID",
                "Draws the graph of a task: each step with its state, how long it took (from dispatch to "
                "the\n"
                "stored result) and, when more than one, its attempts. --json prints the steps.\n\n"
                "  tasker task graph UUID\n"
                "  tasker task graph UUID --watch\n\n"
                "  ○ pending  ◔ enqueued  ▶ running  ◕ waits for a sub-task  ↻ will retry\n"
                "  ✔ complete  ✘ failed  ⊘ cancelled  ✓ resolved",
                opts,
                tk_countof(opts),
                1,
                1};
        int64_t timeout_ns = 0;
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, &uuid, &n);
        if (r != CLI_VERB_GO)
                return r;
        if (parse_timeout(timeout, &timeout_ns))
                return CLI_EXIT_USAGE;
        verb.term.ascii |= ascii;
        return watch ? cli_follow(&verb, uuid, timeout_ns, CLI_FOLLOW_GRAPH) : draw_once(&verb, uuid);
}

int cli_cmd_task(int argc, char **argv)
{
        static const struct cli_sub subs[] = {
                {"submit", "start a task from a template", cli_cmd_submit},
                {"get", "show a task and its steps", task_get},
                {"list", "list tasks", task_list},
                {"wait", "wait until a task has come to rest", task_wait},
                {"graph", "draw a task's graph, or follow it live", task_graph},
                {"summary", "show a task's steps and what went wrong, without contexts and results", cli_cmd_summary},
                {"timeline", "show where a task's time went", cli_cmd_timeline},
                {"history", "show what became of a task, by whom and why", cli_cmd_history},
                {"tree", "show the tasks its steps have started", cli_cmd_tree},
                {"cancel", "cancel a task", task_cancel},
                {"pause", "start nothing new of a task", cli_cmd_task_pause},
                {"resume", "let a paused task go on", cli_cmd_task_resume},
                {"start", "start a task now that waits for its run_at", cli_cmd_task_start},
                {"bulk", "decide about many, or their steps, by filter", cli_cmd_task_bulk},
        };
        return cli_sub_run(
                "tasker task",
                "Tasks are runs of templates. They are known by the UUID that submit prints.\n"
                "Exit code: 0 done, 1 failed, 2 wrong usage, 3 no orchestrator reachable, 4 time is up.",
                subs, tk_countof(subs), argc, argv);
}
