/* SPDX-License-Identifier: MIT */
/* cli/cmd_hold.h: verbs that hold tasks and let them go on. */
#pragma once
int cli_cmd_task_pause(int argc, char **argv);
int cli_cmd_task_resume(int argc, char **argv);
int cli_cmd_task_start(int argc, char **argv);
int cli_cmd_template_pause(int argc, char **argv);
int cli_cmd_template_resume(int argc, char **argv);
int cli_cmd_namespace_pause(int argc, char **argv);
int cli_cmd_namespace_resume(int argc, char **argv);
