/* SPDX-License-Identifier: MIT */
/* cli/cmd_timeline.h: "tasker task timeline". Returns the exit code. */
#pragma once
int cli_cmd_timeline(int argc, char **argv);
