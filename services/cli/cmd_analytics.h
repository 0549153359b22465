/* SPDX-License-Identifier: MIT */
/* cli/cmd_analytics.h */
#pragma once
int cli_cmd_analytics(int argc, char **argv);
