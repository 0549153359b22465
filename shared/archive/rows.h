/* SPDX-License-Identifier: MIT */
/* archive/rows.h: rows of the database as JSON lines in a file. */
#pragma once
#include "pg/pg.h"
#include <stdio.h>

/* Writes what the cursor of history.export or retention.export has, a line each, within its transaction. The arena is reset. 0, an outcome of
 * pg/pg.h, or negative when the file could not be written. */
TK_MUST int tk_archive_rows(struct tk_pg *pg, struct tk_arena *arena, FILE *out, struct tk_err *err);
/* The names in a folder are durable once it is synchronized. */
TK_MUST int tk_archive_sync_folder(const char *path, struct tk_err *err);
