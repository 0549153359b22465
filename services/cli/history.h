/* SPDX-License-Identifier: MIT */
/* cli/history.h: one month of history is written to files and dropped, in one transaction: a drop without its files never happens, and what
 * is in the files is all there was. */
#pragma once
#include "pg/pg.h"

enum { CLI_HISTORY_MONTH = 8 /* "YYYY-MM" */ };
/* month: "YYYY-MM". folder: where <month>/<table>.jsonl are to be written, or NULL. ret_outcome: "dropped", "open", "not over" or "unknown"
 * (tasker.drop_history). 0, an outcome of pg/pg.h, or negative when a file could not be written; nothing was dropped then. */
TK_MUST int cli_history_drop(struct tk_pg *pg, const char *month, const char *folder, char ret_outcome[16], struct tk_err *err);
