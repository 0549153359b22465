/* SPDX-License-Identifier: MIT */
/* cli/database.h: a connection for the commands that talk to the database itself, and the exit codes they share. */
#pragma once
#include "pg/pg.h"

enum { CLI_DB_OK, CLI_DB_FAILED, CLI_DB_USAGE, CLI_DB_UNREACHABLE };
extern const char cli_db_url_help[];

/* url: NULL is $DATABASE_URL, else postgresql://localhost/tasker. A database that is starting is waited for, wait_s at most: a migration
 * job may come up before it. CLI_DB_OK, or CLI_DB_UNREACHABLE after saying why. */
TK_MUST int cli_db_open(const char *command, const char *url, int wait_s, struct tk_pg **ret);
