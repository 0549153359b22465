/* SPDX-License-Identifier: MIT */
/* cli/cmd_template.h: "tasker template …". argv[0] is "template"; returns the exit code. */
#pragma once

int cli_cmd_template(int argc, char **argv);
