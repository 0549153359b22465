/* SPDX-License-Identifier: MIT */
/* cli/retention_apply.h: "tasker retention apply": deletes the tasks that no policy keeps. */
#pragma once
int cli_retention_apply(int argc, char **argv);
