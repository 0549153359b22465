/* SPDX-License-Identifier: MIT */
/* cli/cmd_hold.c: pause and resume of a task, a template, a namespace. The server does a page at a time and says where to go on; this
 * asks until nothing is left, so an interrupted run is just run again. */
#include "cli/cmd_hold.h"

#include "base/str.h"
#include "cli/pages.h"
#include "cli/verb.h"
#include <stdio.h>

enum kind { TASK, TEMPLATE, NAMESPACE };

static const struct deed {
        const char *verb, *done;
} pause = {"pause", "paused"}, resume = {"resume", "resumed"}, start = {"start", "started"};

void cli_hold_cell(struct cli_table *table, const json_t *of)
{
        const char *by = tk_json_str(of, "paused_by");
        if (!json_is_true(json_object_get(of, "paused")))
                cli_table_put(table, NULL, "%s", "");
        else if (!by)
                cli_table_put(table, NULL, "%s", "paused");
        else
                cli_table_put(table, NULL, "paused %.19s by %s: %s", tk_json_text(of, "paused_at"), by, tk_json_text(of, "paused_reason"));
}

/* "shop/refund@2.0.0" → the path of its template. */
static const char *template_path(struct cli_verb *verb, const char *name, const char *verb_name)
{
        char *copy = tk_arena_strdup(verb->arena, name), *slash = strchr(copy, '/'), *at = strrchr(copy, '@');
        if (!slash)
                return NULL;
        *slash = '\0';
        if (at)
                *at = '\0';
        return tk_arena_printf(verb->arena, "/v1/templates/%s/%s/%s%s%s", cli_client_escape(verb->client, copy),
                               cli_client_escape(verb->client, slash + 1), verb_name, at ? "?version=" : "",
                               at ? cli_client_escape(verb->client, at + 1) : "");
}

static const char *path_of(struct cli_verb *verb, enum kind kind, const char *name, const char *what)
{
        if (kind == TEMPLATE)
                return template_path(verb, name, what);
        return tk_arena_printf(verb->arena, "/v1/%s/%s/%s", kind == TASK ? "tasks" : "namespaces", cli_client_escape(verb->client, name), what);
}

static int hold(enum kind kind, const struct deed *deed, const char *command, const char *argument, const char *text, int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const char *by = NULL, *reason = NULL, *name;
        const struct cli_opt opts[] = {CLI_WHO_AND_WHY(by, reason), CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {command, argument, text, opts, tk_countof(opts), 1, 1};
        struct tk_err err;
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, &name, &n);
        if (r != CLI_VERB_GO)
                return r;
        if ((r = cli_needs_reason(command, reason)))
                return r;
        struct cli_pages pages = {.verb = &verb, .path = path_of(&verb, kind, name, deed->verb)};
        if (!pages.path) {
                fprintf(stderr, "%s: %s: expected NAMESPACE/TEMPLATE[@VERSION]\n", command, name);
                return CLI_EXIT_USAGE;
        }
        pages.body = json_pack("{s:s, s:s}", "by", cli_verb_who(by), "reason", reason);
        r = cli_pages_all(&pages, &err);
        if (r)
                r = cli_verb_fail(r, &err);
        else if (verb.json)
                cli_verb_print_json(pages.last);
        else if (kind == TASK)
                printf("%s %s\n", deed->done, name);
        else
                printf("%s %s, %lld open task%s changed\n", deed->done, name, pages.changed, pages.changed == 1 ? "" : "s");
        json_decref(pages.body);
        json_decref(pages.last);
        return r;
}

int cli_cmd_task_pause(int argc, char **argv)
{
        return hold(TASK, &pause, "tasker task pause", "UUID",
                    "Holds a task: steps that run go on to their end, nothing new of it is started.\n\n"
                    "  tasker task pause UUID --reason 'the bank is closed'",
                    argc, argv);
}

int cli_cmd_task_resume(int argc, char **argv)
{
        return hold(TASK, &resume, "tasker task resume", "UUID",
                    "Lets a paused task go on. What its template or namespace holds stays held.\n\n"
                    "  tasker task resume UUID --reason 'it is open again'",
                    argc, argv);
}

int cli_cmd_task_start(int argc, char **argv)
{
        return hold(TASK, &start, "tasker task start", "UUID",
                    "Starts a task now that waits for its run_at. A timeout counts from now on, a deadline stays.\n\n"
                    "  tasker task start UUID --reason 'the file is there already'",
                    argc, argv);
}

int cli_cmd_template_pause(int argc, char **argv)
{
        return hold(TEMPLATE, &pause, "tasker template pause", "NAMESPACE/TEMPLATE[@VERSION]",
                    "Holds all open tasks of a template, and those submitted from now on. Without a version: of all that are\n"
                    "registered now.\n\n"
                    "  tasker template pause payments/refund --reason 'wrong amounts'",
                    argc, argv);
}

int cli_cmd_template_resume(int argc, char **argv)
{
        return hold(TEMPLATE, &resume, "tasker template resume", "NAMESPACE/TEMPLATE[@VERSION]",
                    "Lets the tasks of a paused template go on.\n\n"
                    "  tasker template resume payments/refund --reason mended",
                    argc, argv);
}

int cli_cmd_namespace_pause(int argc, char **argv)
{
        return hold(NAMESPACE, &pause, "tasker namespace pause", "NAMESPACE",
                    "Holds all open tasks of a namespace, and those submitted from now on.\n\n"
                    "  tasker namespace pause payments --reason 'end of year'",
                    argc, argv);
}

int cli_cmd_namespace_resume(int argc, char **argv)
{
        return hold(NAMESPACE, &resume, "tasker namespace resume", "NAMESPACE",
                    "Lets the tasks of a paused namespace go on.\n\n"
                    "  tasker namespace resume payments --reason 'new year'",
                    argc, argv);
}
