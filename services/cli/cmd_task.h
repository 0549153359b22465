/* SPDX-License-Identifier: MIT */
/* cli/cmd_task.h: "tasker task …". argv[0] is "task"; returns the exit code. */
#pragma once

int cli_cmd_task(int argc, char **argv);
