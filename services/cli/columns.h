/* SPDX-License-Identifier: MIT */
/* cli/columns.h: the column of each node of an ordered layout. Private to layout.c. */
#pragma once
#include "cli/layout.h"

void cli_columns(struct cli_layout *layout, struct tk_arena *arena);
