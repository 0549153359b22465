/* SPDX-License-Identifier: MIT */
/* cli/cmd_submit.h: "tasker task submit". argv[0] is "submit"; returns the exit code. */
#pragma once

int cli_cmd_submit(int argc, char **argv);
