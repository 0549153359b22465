/* SPDX-License-Identifier: MIT */
/* cli/cmd_history.h: what became of a task. */
#pragma once
int cli_cmd_history(int argc, char **argv);
