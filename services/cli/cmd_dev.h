/* SPDX-License-Identifier: MIT */
/* cli/cmd_dev.h: "tasker dev …". argv[0] is "dev"; returns the exit code. */
#pragma once

int cli_cmd_dev(int argc, char **argv);
