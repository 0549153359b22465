/* SPDX-License-Identifier: MIT */
/* cli/table.h: text in aligned columns. Cells are copied; the last column is not padded. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include <stdbool.h>

enum { CLI_TABLE_COLUMNS_MAX = 12 };
struct cli_table;
/* NULL ends the titles; a title that begins with '>' makes a right-aligned column. */
TK_MUST struct cli_table *cli_table_new(struct tk_arena *arena, const char *const *titles);
/* One cell after the other, row by row; colour (an escape sequence) may be NULL. */
void cli_table_put(struct cli_table *table, const char *colour, const char *fmt, ...) TK_PRINTF(3, 4);
void cli_table_print(const struct cli_table *table, bool colour, struct tk_buf *out);
