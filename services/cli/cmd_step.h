/* SPDX-License-Identifier: MIT */
/* cli/cmd_step.h */
#pragma once
int cli_cmd_step(int argc, char **argv);
