/* SPDX-License-Identifier: MIT */
/* cli/cmd_retention.h: "tasker retention": how much history there is, month by month, and letting months of it go. */
#pragma once

int cli_cmd_retention(int argc, char **argv);
