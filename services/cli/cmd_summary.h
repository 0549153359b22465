/* SPDX-License-Identifier: MIT */
/* cli/cmd_summary.h: "tasker task summary". Returns the exit code. */
#pragma once
int cli_cmd_summary(int argc, char **argv);
