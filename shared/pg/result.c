/* SPDX-License-Identifier: MIT */
/* pg/result.c: rows as text. */
#include "base/check.h"
#include "base/mem.h"
#include "base/time.h"
#include "pg/internal.h"
#include <stdlib.h>

struct tk_pg_result *tk_pg_result_free(struct tk_pg_result *res)
{
        if (!res)
                return NULL;
        PQclear(res->res);
        return tk_free(res);
}

int tk_pg_rows(const struct tk_pg_result *res)
{
        return PQntuples(res->res);
}

int tk_pg_column(const struct tk_pg_result *res, const char *name)
{
        int col = PQfnumber(res->res, name);
        TK_CHECK(col >= 0);
        return col;
}

bool tk_pg_is_null(const struct tk_pg_result *res, int row, int col)
{
        return PQgetisnull(res->res, row, col);
}

const char *tk_pg_str(const struct tk_pg_result *res, int row, int col)
{
        return PQgetvalue(res->res, row, col);
}

size_t tk_pg_len(const struct tk_pg_result *res, int row, int col)
{
        return (size_t)PQgetlength(res->res, row, col);
}

int64_t tk_pg_i64(const struct tk_pg_result *res, int row, int col)
{
        return strtoll(PQgetvalue(res->res, row, col), NULL, 10);
}

double tk_pg_f64(const struct tk_pg_result *res, int row, int col)
{
        return strtod(PQgetvalue(res->res, row, col), NULL);
}

bool tk_pg_bool(const struct tk_pg_result *res, int row, int col)
{
        return *PQgetvalue(res->res, row, col) == 't';
}

struct tk_uuid tk_pg_uuid(const struct tk_pg_result *res, int row, int col)
{
        struct tk_uuid uuid = {0};
        if (!tk_pg_is_null(res, row, col))
                TK_CHECK(!tk_uuid_parse(tk_pg_str(res, row, col), &uuid));
        return uuid;
}

int64_t tk_pg_time(const struct tk_pg_result *res, int row, int col)
{
        int64_t wall_ns = 0;
        if (!tk_pg_is_null(res, row, col))
                TK_CHECK(!tk_time_parse(tk_pg_str(res, row, col), &wall_ns));
        return wall_ns;
}
