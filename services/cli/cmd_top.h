/* SPDX-License-Identifier: MIT */
/* cli/cmd_top.h: "tasker top". Returns the exit code. */
#pragma once
int cli_cmd_top(int argc, char **argv);
