/* SPDX-License-Identifier: MIT */
/* cli/cmd_database.h: "tasker migrate" and "tasker doctor", which talk to the database itself. */
#pragma once

int cli_cmd_migrate(int argc, char **argv);
int cli_cmd_doctor(int argc, char **argv);
