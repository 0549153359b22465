/* SPDX-License-Identifier: MIT */
/* cli/cmd_step.c: "tasker step": what people decide about steps. A step is named by its UUID or by its name in the task. */
#include "cli/cmd_step.h"

#include "base/str.h"
#include "base/uuid.h"
#include "cli/file.h"
#include "cli/follow.h"
#include "cli/verb.h"
#include <stdio.h>

enum { BODY_MAX = 4 << 20 };

static const struct action {
        const char *verb, *type, *actor, *done; /* done: what to say of it */
} reset = {"reset", "reset_for_retry", "reset_by", "is reset"}, resolve = {"resolve", "resolve_manually", "resolved_by", "is resolved"},
  complete = {"complete", "complete_manually", "completed_by", "is complete"}, skip = {"skip", "skip", "skipped_by", "is skipped"},
  rerun = {"rerun", "rerun", "rerun_by", "and all below it run again"};

struct decision {
        const struct action *action;
        const char *task, *step, *reason, *by, *json; /* json: a result, or an input */
        const char *patch;                            /* what is to change in the input */
};

/* The UUID of the step, looked up among those of its task when it is given by name. CLI_VERB_GO, or the exit code. */
static int find_step(struct cli_verb *verb, struct decision *decision)
{
        TK_AUTOJSON json_t *steps = NULL;
        const json_t *step;
        struct tk_uuid uuid;
        struct tk_err err;
        size_t at;

        if (!tk_uuid_parse(decision->step, &uuid))
                return CLI_VERB_GO;
        int r = cli_follow_steps(verb, cli_client_escape(verb->client, decision->task), &steps, &err);
        if (r)
                return cli_verb_fail(r, &err);
        json_array_foreach(steps, at, step) {
                const char *id = tk_json_str(step, "step_uuid");
                if (id && tk_streq(tk_json_str(step, "name"), decision->step)) {
                        decision->step = tk_arena_strdup(verb->arena, id);
                        return CLI_VERB_GO;
                }
        }
        fprintf(stderr, "tasker: task %s has no step '%s'", decision->task, decision->step);
        json_array_foreach(steps, at, step)
                fprintf(stderr, "%s %s", at ? "," : "; its steps are:", tk_json_str(step, "name"));
        fputc('\n', stderr);
        return CLI_EXIT_FAILED;
}

static json_t *body_of(const struct decision *decision, json_t *data)
{
        json_t *body = json_pack("{s:s, s:s, s:s}", "action_type", decision->action->type, "reason", decision->reason,
                                 decision->action->actor, cli_verb_who(decision->by));
        if (body && data && decision->action == &rerun)
                (void)json_object_set(body, decision->patch ? "context_patch" : "context", data);
        else if (body && data)
                (void)json_object_set_new(body, "completion_data", json_pack("{s:O}", "result", data));
        return body;
}

static int send(struct cli_verb *verb, struct decision *decision)
{
        TK_AUTOJSON json_t *data = NULL, *body = NULL, *answer = NULL;
        TK_AUTOBUF struct tk_buf text;
        struct tk_err err;

        tk_buf_init(&text, BODY_MAX);
        const char *json = decision->patch ? decision->patch : decision->json;
        if (json && cli_file_json(json, &data, &err)) {
                fprintf(stderr, "tasker: --%s: %s. Give JSON text, @file.json, or - (standard input)\n",
                        decision->patch ? "patch" : decision->action == &rerun ? "context" : "result", tk_err_text(&err));
                return CLI_EXIT_USAGE;
        }
        int r = find_step(verb, decision);
        if (r != CLI_VERB_GO)
                return r;
        body = body_of(decision, data);
        tk_json_dump(body, &text);
        const struct cli_request request = {
                .method = "PATCH", .body = text.data, .body_len = text.len,
                .path = tk_arena_printf(verb->arena, "/v1/tasks/%s/workflow_steps/%s", cli_client_escape(verb->client, decision->task),
                                        decision->step)};
        r = cli_client_send(verb->client, &request, &answer, NULL, &err);
        if (r)
                return cli_verb_fail(r, &err);
        if (verb->json)
                cli_verb_print_json(answer);
        else
                printf("%s %s: now %s\n", tk_json_str(answer, "name"), decision->action->done, tk_json_str(answer, "current_state"));
        return CLI_EXIT_OK;
}

static int decide(const struct action *action, const char *text, int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        struct decision decision = {.action = action};
        const struct cli_opt opts[] = {
                CLI_OPT_VALUE("reason", "TEXT", &decision.reason, "Why; kept in the step's history. Required."),
                CLI_OPT_VALUE("by", "NAME", &decision.by, "Who decides this (default $USER)."),
                CLI_VERB_OPTS(verb),
                action == &rerun ? (struct cli_opt)CLI_OPT_VALUE("context", "JSON", &decision.json,
                                                                 "The task's input from now on: an object, @file, or -.")
                                 : (struct cli_opt)CLI_OPT_VALUE("result", "JSON", &decision.json,
                                                                 "What the step would have answered: JSON text, @file, or -. Required."),
                CLI_OPT_VALUE("patch", "JSON", &decision.patch, "What is to change in the task's input: members to set; null takes one away.")};
        const unsigned without = action == &rerun ? 0 : action == &complete ? 1 : 2; /* of the last two */
        const char *args[2];
        char command[32];
        snprintf(command, sizeof command, "tasker step %s", action->verb);
        const struct cli_usage usage = {command, "TASK STEP", text, opts, tk_countof(opts) - without, 2, 2};
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, args, &n);
        if (r != CLI_VERB_GO)
                return r;
        if (!decision.reason || (action == &complete && !decision.json)) {
                fprintf(stderr, "%s: missing option: --%s (%s --help)\n", command, decision.reason ? "result" : "reason", command);
                return CLI_EXIT_USAGE;
        }
        if (decision.json && decision.patch) {
                fprintf(stderr, "%s: --context is the whole input, --patch what changes in it: give one of them (%s --help)\n", command, command);
                return CLI_EXIT_USAGE;
        }
        decision.task = args[0];
        decision.step = args[1];
        return send(&verb, &decision);
}

static int step_reset(int argc, char **argv)
{
        return decide(&reset,
                      "Lets a step that has failed run again, with all its attempts before it. When it was the last failure,\n"
                      "the task goes on at once. A task that ended in error without a failure (its deadline passed, it stood\n"
                      "still) goes on where it stopped: name a step that its end has cancelled. STEP is a name or a UUID.\n\n"
                      "  tasker step reset TASK charge_card --reason 'the bank is back'",
                      argc, argv);
}

static int step_resolve(int argc, char **argv)
{
        return decide(&resolve,
                      "Declares a step done, whatever its state: what depends on it need not wait for it any more. It has no\n"
                      "result for them (see complete). A worker that runs it is told to stop.\n\n"
                      "  tasker step resolve TASK send_mail --reason 'sent by hand'",
                      argc, argv);
}

static int step_complete(int argc, char **argv)
{
        return decide(&complete,
                      "Completes a step in place of its handler: the steps that depend on it see this result.\n\n"
                      "  tasker step complete TASK charge_card --result '{\"charged\": 7}' --reason 'charged by telephone'\n"
                      "  tasker step complete TASK import --result @import.json --reason 'ran it here'",
                      argc, argv);
}

static int step_skip(int argc, char **argv)
{
        return decide(&skip,
                      "Leaves a step out that has not run yet, or has failed: its state becomes resolved_manually, and what\n"
                      "depends on it goes on without it. A step that runs or is complete cannot be skipped.\n\n"
                      "  tasker step skip TASK send_survey --reason 'not for this customer'",
                      argc, argv);
}

static int step_rerun(int argc, char **argv)
{
        return decide(&rerun,
                      "Runs a step that has ended, and every step below it, again: also of a task that is complete. Results so\n"
                      "far stay in the audit. --context gives the task another input from now on, --patch changes some of it.\n\n"
                      "  tasker step rerun TASK convert --reason 'the rate was wrong'\n"
                      "  tasker step rerun TASK convert --reason 'the rate was wrong' --patch '{\"rate\": 1.07}'\n"
                      "  tasker step rerun TASK convert --reason 'the rate was wrong' --context @corrected.json",
                      argc, argv);
}

int cli_cmd_step(int argc, char **argv)
{
        static const struct cli_sub subs[] = {
                {"reset", "let a failed step run again", step_reset},
                {"resolve", "declare a step done", step_resolve},
                {"complete", "complete a step with a result", step_complete},
                {"skip", "leave a step out", step_skip},
                {"rerun", "run a step and all below it again", step_rerun},
        };
        return cli_sub_run("tasker step",
                           "What people decide about the steps of a task. Who and why is kept in the step's history; saying the same\n"
                           "again changes nothing.\n"
                           "Exit code: 0 done, 1 refused, 2 wrong usage, 3 no orchestrator reachable.",
                           subs, tk_countof(subs), argc, argv);
}
