/* SPDX-License-Identifier: MIT */
/* cli/cmd_tree.h: "tasker task tree": a task, the tasks its steps have started, and those that theirs have. */
#pragma once

int cli_cmd_tree(int argc, char **argv);
