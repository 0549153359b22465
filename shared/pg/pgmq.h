/* SPDX-License-Identifier: MIT */
/* pg/pgmq.h: gets PGMQ into a database that lacks it: the extension where the server offers it, else its SQL-only install. */
#pragma once
#include "pg/pg.h"
#include <stdbool.h>

enum { TK_PGMQ_OK, TK_PGMQ_E_MISSING = 100 };
/* In a transaction of its own. ret_version: "1.13.0", or the extension's; "" when the install says none.
 * TK_PGMQ_E_MISSING: neither is there; err says what to do. Otherwise outcomes of pg.h. */
TK_MUST int tk_pgmq_install(struct tk_pg *pg, const char *sql_path, char *ret_version, size_t size, struct tk_err *err);
/* 0 and *ret: whether the schema is there. */
TK_MUST int tk_pgmq_present(struct tk_pg *pg, bool *ret, char *ret_version, size_t size, struct tk_err *err);
