/* SPDX-License-Identifier: MIT */
/* cli/retention_policy.h: "tasker retention policy": how long each namespace keeps its ended tasks. */
#pragma once
#include "pg/pg.h"

int cli_retention_policy(int argc, char **argv);
/* The longest policy of all namespaces. 0, an outcome of pg/pg.h, or negative when one keeps its tasks for ever, or there is no namespace. */
TK_MUST int cli_retention_longest(struct tk_pg *pg, int64_t *ret_days, struct tk_err *err);
/* "90 days", "for ever", of a column keep_days. */
const char *cli_retention_keep(const struct tk_pg_result *res, int row, int col, char buf[32]);
/* Connects, and sees that the schema is that of this program: 0, or the exit code after saying why not. */
TK_MUST int cli_retention_open(const char *command, const char *url, struct tk_pg **ret);
/* Says err; returns the exit code of the outcome. */
int cli_retention_fail(const char *command, const struct tk_pg *pg, const struct tk_err *err);
