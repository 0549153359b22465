/* SPDX-License-Identifier: MIT */
/* cli/verb.h: what the client verbs ("task submit", "template list", …) share: their common options, a
 * client, the terminal, and how results and failures are said: results on standard output, failures on
 * standard error. */
#pragma once
#include "base/arena.h"
#include "cli/client.h"
#include "cli/opt.h"
#include "cli/term.h"

struct cli_verb {
        const char *url;
        bool json;
        struct cli_term term;
        struct cli_client *client;
        struct tk_arena *arena;
};
#define CLI_VERB_OPTS(verb)                                                                                  \
        CLI_OPT_VALUE("url", "URL", &(verb).url,                                                             \
                      "Orchestrator (default $TASKER_URL, else http://127.0.0.1:8080)."),                    \
                CLI_OPT_FLAG("json", &(verb).json, "Print the server's answer as JSON.")

enum { CLI_VERB_GO = -1 };
/* Parses and connects. CLI_VERB_GO, or the exit code to end with at once. */
TK_MUST int cli_verb_begin(struct cli_verb *verb, const struct cli_usage *usage, int argc, char **argv,
                           const char **ret_args, unsigned *ret_n);
void cli_verb_end(struct cli_verb *verb);
#define TK_AUTOVERB __attribute__((cleanup(cli_verb_end)))
/* Says err on standard error; returns the exit code of a client outcome. */
int cli_verb_fail(int outcome, const struct tk_err *err);
/* Who asks: `by`, else $USER, else "cli". */
const char *cli_verb_who(const char *by);
void cli_verb_print_json(const json_t *json);
/* /v1/tasks/UUID, escaped, in the verb's arena. */
const char *cli_verb_task_path(struct cli_verb *verb, const char *uuid);
/* A whole verb: gets /v1/tasks/UUID/<part> and prints it, or its JSON. Returns the exit code. */
typedef void cli_verb_print_fn(const struct cli_verb *verb, const json_t *answer);
int cli_verb_task_part(const char *command, const char *about, const char *part, cli_verb_print_fn *print, int argc, char **argv);

/* "tasker task": one of a group's verbs by name. */
struct cli_sub {
        const char *name, *summary;
        int (*run)(int argc, char **argv);
};
int cli_sub_run(const char *group, const char *about, const struct cli_sub *subs, size_t n, int argc,
                char **argv);
