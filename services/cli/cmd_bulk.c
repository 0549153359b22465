/* SPDX-License-Identifier: MIT */
/* cli/cmd_bulk.c: see cmd_bulk.h. Pages as cli/pages.h has them. */
#include "cli/cmd_bulk.h"

#include "base/str.h"
#include "cli/file.h"
#include "cli/pages.h"
#include "cli/verb.h"
#include <stdio.h>

struct which { /* the tasks a decision is about */
        const char *ns, *name, *version, *status, *initiator, *tag, *correlation, *after, *before, *step, *step_status;
        bool all;
};

static json_t *filter_of(const struct which *which)
{
        json_t *filter = json_object();
        cli_pages_put(filter, "namespace", which->ns);
        cli_pages_put(filter, "name", which->name);
        cli_pages_put(filter, "version", which->version);
        cli_pages_put(filter, "status", which->status);
        cli_pages_put(filter, "initiator", which->initiator);
        cli_pages_put(filter, "tag", which->tag);
        cli_pages_put(filter, "correlation_id", which->correlation);
        cli_pages_put(filter, "created_after", which->after);
        cli_pages_put(filter, "created_before", which->before);
        cli_pages_put(filter, "step", which->step);
        cli_pages_put(filter, "step_status", which->step_status);
        if (which->all)
                (void)json_object_set_new(filter, "all", json_true());
        return filter;
}

/* What goes along with the action, from its option, into the body: completion_data, context_patch. 0, or the exit code. */
static int put_data(json_t *body, const char *command, const char *action, const char *result, const char *patch)
{
        TK_AUTOJSON json_t *data = NULL;
        struct tk_err err;
        bool complete = tk_streq(action, "complete");
        if (complete != !!result) {
                fprintf(stderr, "%s: %s (%s --help)\n", command, complete ? "complete needs --result" : "--result goes with complete", command);
                return CLI_EXIT_USAGE;
        }
        if (patch && !tk_streq(action, "rerun")) {
                fprintf(stderr, "%s: --patch goes with rerun (%s --help)\n", command, command);
                return CLI_EXIT_USAGE;
        }
        if ((result || patch) && cli_file_json(result ? result : patch, &data, &err)) {
                fprintf(stderr, "%s: --%s: %s. Give JSON text, @file.json, or - (standard input)\n", command,
                        result ? "result" : "patch", tk_err_text(&err));
                return CLI_EXIT_USAGE;
        }
        if (result)
                (void)json_object_set_new(body, "completion_data", json_pack("{s:O}", "result", data));
        else if (patch)
                (void)json_object_set(body, "context_patch", data);
        return 0;
}

static void say(const struct cli_pages *pages, const char *action, const char *status, bool dry)
{
        static const char *const done[][2] = {{"pause", "paused"}, {"resume", "resumed"}, {"start", "started"}, {"cancel", "cancelled"},
                                              {"reset", "reset"}, {"resolve", "resolved"}, {"skip", "skipped"}, {"complete", "completed"},
                                              {"rerun", "running again"}};
        const char *of = tk_streq(status, "error") ? "tasks in error" : status && tk_str_starts(status, "complete") ? "complete tasks" : "open tasks";
        for (size_t i = 0; i < tk_countof(done); i++) {
                if (!tk_streq(done[i][0], action))
                        continue;
                if (dry)
                        printf("would %s %zu of %lld %s", action, pages->matched_n, pages->looked, of);
                else
                        printf("%s %lld, %zu matched, %lld %s looked at", done[i][1], pages->changed, pages->matched_n, pages->looked, of);
                if (pages->steps)
                        printf(", %lld step%s", pages->steps, pages->steps == 1 ? "" : "s");
                putchar('\n');
        }
}

int cli_cmd_task_bulk(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const char *by = NULL, *reason = NULL, *action, *result = NULL, *patch = NULL;
        struct which which = {0};
        bool dry = false;
        const struct cli_opt opts[] = {
                CLI_OPT_FLAG("dry-run", &dry, "Only say how many it would be."),
                CLI_OPT_VALUE("namespace", "NAME", &which.ns, "Only of this namespace."),
                CLI_OPT_VALUE("template", "NAME", &which.name, "Only of templates of this name."),
                CLI_OPT_VALUE("version", "V", &which.version, "Only of this version."),
                CLI_OPT_VALUE("status", "STATE", &which.status,
                              "Only in this state, such as blocked_by_failures, or those ended in error; for rerun also complete."),
                CLI_OPT_VALUE("initiator", "NAME", &which.initiator, "Only started by NAME."),
                CLI_OPT_VALUE("tag", "TEXT", &which.tag, "Only with this tag."),
                CLI_OPT_VALUE("correlation-id", "UUID", &which.correlation, "Only with this correlation id."),
                CLI_OPT_VALUE("after", "TIME", &which.after, "Only created at or after, as 2026-01-31T12:00:00Z."),
                CLI_OPT_VALUE("before", "TIME", &which.before, "Only created before."),
                CLI_OPT_VALUE("step", "NAME", &which.step, "Only this step, or the instances of it; of whole tasks: those that have such a step."),
                CLI_OPT_VALUE("step-status", "STATE", &which.step_status, "... in this state (default: failed; for rerun any that has ended)."),
                CLI_OPT_FLAG("all", &which.all, "Every open task, when no condition is given."),
                CLI_OPT_VALUE("patch", "JSON", &patch, "For rerun, what is to change in the input of each task: JSON text, @file, or -."),
                CLI_OPT_VALUE("result", "JSON", &result, "For complete, what the steps would have answered: JSON text, @file, or -."),
                CLI_WHO_AND_WHY(by, reason),
                CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {
                "tasker task bulk", "ACTION",
                "Does the same to all tasks that match.\n\n"
                "  pause, resume, start (before their run_at), cancel: open tasks\n"
                "  reset (run again), resolve, skip (go on without), complete (with --result): their failed steps, or --step in --step-status;\n"
                "    of open tasks, or with --status error of those that ended so, which are then opened again\n"
                "  rerun: --step and all below it, of open tasks, or --status complete or error;\n"
                "    with their input, or with --patch some of it changed\n\n"
                "Page by page: interrupt it and run it again, what is done is left as it is; what you have run again from a step\n"
                "is not run again for the same reason.\n\n"
                "  tasker task bulk reset --status blocked_by_failures --namespace payments --dry-run --reason -\n"
                "  tasker task bulk complete --step send_mail --result '{\"sent\": false}' --tag import-7 --reason 'sent by hand'\n"
                "  tasker task bulk rerun --step convert --template report --status complete --patch '{\"rate\": 1.07}' --reason 'wrong rate'\n"
                "  tasker task bulk cancel --tag import-7 --reason 'wrong file'",
                opts, tk_countof(opts), 1, 1};
        struct tk_err err;
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, &action, &n);
        if (r != CLI_VERB_GO)
                return r;
        TK_AUTOJSON json_t *body = json_pack("{s:s, s:b, s:o}", "action", action, "dry_run", dry, "filter", filter_of(&which));
        if ((r = cli_needs_reason(usage.command, reason)) || (r = put_data(body, usage.command, action, result, patch)))
                return r;
        cli_pages_put(body, "by", cli_verb_who(by));
        cli_pages_put(body, "reason", reason);
        TK_AUTOJSON json_t *matched = verb.json ? json_array() : NULL, *skipped = verb.json ? json_array() : NULL;
        struct cli_pages pages = {.verb = &verb, .path = "/v1/tasks/bulk", .body = body, .matched = matched, .skipped = skipped};
        r = cli_pages_all(&pages, &err);
        if (r)
                r = cli_verb_fail(r, &err);
        else if (verb.json)
                cli_pages_print_sum(&pages, action, dry);
        else
                say(&pages, action, which.status, dry);
        json_decref(pages.last);
        return r ? r : pages.skipped_n ? CLI_EXIT_FAILED : 0;
}
