/* SPDX-License-Identifier: MIT */
/* cli/cmd_namespace.h: "tasker namespace". */
#pragma once
int cli_cmd_namespace(int argc, char **argv);
