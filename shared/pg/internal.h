/* SPDX-License-Identifier: MIT */
/* pg/internal.h: what the files of this folder share. */
#pragma once
#include "pg/pg.h"
#include <libpq-fe.h>

struct tk_map;
struct tk_pg {
        PGconn *conn;
        struct tk_map *prepared; /* statement text pointer → itself: prepared on this connection */
        struct tk_spread *calls; /* these two: of all connections of that application name */
        struct tk_meter *meter;
        char sqlstate[6];
};
struct tk_pg_result {
        PGresult *res;
};
/* Maps a failed result (NULL: none came) to an outcome and fills err. Remembers the SQLSTATE. */
int tk_pg_outcome(struct tk_pg *pg, const PGresult *res, const char *what, struct tk_err *err);
