/* SPDX-License-Identifier: MIT */
/* cli/cmd_explain.h: "tasker explain". Returns the exit code. */
#pragma once
int cli_cmd_explain(int argc, char **argv);
