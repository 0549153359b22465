/* SPDX-License-Identifier: MIT */
/* cli/database.c: see the header. */
#include "cli/database.h"
#include "base/time.h"
#include <stdio.h>
#include <stdlib.h>

const char cli_db_url_help[] = "PostgreSQL (default $DATABASE_URL, else postgresql://localhost/tasker).";

static const char *database_url(const char *given)
{
        const char *env = getenv("DATABASE_URL");
        return given ? given : env && *env ? env : "postgresql://localhost/tasker";
}

int cli_db_open(const char *command, const char *url, int wait_s, struct tk_pg **ret)
{
        struct tk_pg_conf conf = {.url = database_url(url), .application_name = "tasker-cli"};
        struct tk_err err = {0};
        int64_t deadline = tk_time_mono_ns() + wait_s * TK_NS_PER_S;
        int r;
        while ((r = tk_pg_open(&conf, ret, &err)) == TK_PG_E_DOWN && tk_time_mono_ns() < deadline)
                tk_time_sleep(500 * TK_NS_PER_MS);
        if (!r)
                return CLI_DB_OK;
        fprintf(stderr, "%s: %s\n", command, tk_err_text(&err));
        return CLI_DB_UNREACHABLE;
}
