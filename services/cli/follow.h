/* SPDX-License-Identifier: MIT */
/* cli/follow.h: staying with a task until it has come to rest. The server answers when that happens (?wait=),
 * so nothing is asked more often than a live picture needs. */
#pragma once
#include "cli/verb.h"

enum cli_follow_show { CLI_FOLLOW_QUIET, CLI_FOLLOW_PROGRESS, CLI_FOLLOW_GRAPH };
/* Shows, then says how it ended (with --json: prints the task). Returns the exit code. */
int cli_follow(struct cli_verb *verb, const char *uuid, int64_t timeout_ns, enum cli_follow_show show);
/* The steps of a task (yours to decref); segment: its uuid, escaped (cli_client_escape). */
TK_MUST int cli_follow_steps(struct cli_verb *verb, const char *segment, json_t **ret, struct tk_err *err);
/* A line about the task and its graph below. */
void cli_follow_draw(struct cli_verb *verb, const json_t *task, const json_t *steps, struct tk_buf *out);
