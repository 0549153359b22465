/* SPDX-License-Identifier: MIT */
/* cli/cmd_hold.h: verbs that hold tasks and let them go on. */
#pragma once
#include "cli/table.h"
#include <jansson.h>

int cli_cmd_task_pause(int argc, char **argv);
int cli_cmd_task_resume(int argc, char **argv);
int cli_cmd_task_start(int argc, char **argv);
int cli_cmd_template_pause(int argc, char **argv);
int cli_cmd_template_resume(int argc, char **argv);
int cli_cmd_namespace_pause(int argc, char **argv);
int cli_cmd_namespace_resume(int argc, char **argv);
/* A cell of the table: who paused it, a template or a namespace as the server shows it, and why; empty when nobody did. */
void cli_hold_cell(struct cli_table *table, const json_t *of);
