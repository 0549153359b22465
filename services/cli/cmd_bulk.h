/* SPDX-License-Identifier: MIT */
/* cli/cmd_bulk.h: "tasker task bulk": decisions about many tasks by filter. */
#pragma once
int cli_cmd_task_bulk(int argc, char **argv);
