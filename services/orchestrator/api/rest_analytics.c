/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rest_analytics.c: how tasks went, and what was slow. */
#include "base/str.h"
#include "orchestrator/api/reply.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/app.h"
#include "tk_sql.h"

enum { HOURS = 24, HOURS_MAX = 24 * 366, LIMIT = 10, LIMIT_MAX = 1000, EXECUTIONS = 5 };

/* Puts a number of the query as the next argument; false: replied. */
static bool arg_number(struct tk_http_req *req, struct tk_pg_args *args, const char *key, int64_t otherwise, int64_t max)
{
        const char *text = tk_http_req_query(req, key);
        int64_t value = otherwise;
        if (text && tk_str_to_i64(text, 0, max, &value)) {
                orch_reply_text(req, 400, "Failed to deserialize query string: %s: must be a number between 0 and %lld, found '%.64s'", key,
                                (long long)max, text);
                return false;
        }
        tk_pg_arg_i32(args, (int32_t)value);
        return true;
}

static int performance(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct tk_http_req *req = arg;
        struct tk_pg_args args;
        if (orch_rest_no_database(req, pg))
                return 0;
        tk_pg_args_init(&args, arena);
        if (!arg_number(req, &args, "hours", HOURS, HOURS_MAX))
                return 0;
        return orch_rest_reply_query(req, app, pg, &tk_sql_analytics_performance, &args, "Resource not found");
}

static int bottlenecks(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct tk_http_req *req = arg;
        struct tk_pg_args args;
        if (orch_rest_no_database(req, pg))
                return 0;
        tk_pg_args_init(&args, arena);
        if (!arg_number(req, &args, "limit", LIMIT, LIMIT_MAX) || !arg_number(req, &args, "min_executions", EXECUTIONS, INT32_MAX))
                return 0;
        return orch_rest_reply_query(req, app, pg, &tk_sql_analytics_bottlenecks, &args, "Resource not found");
}

void orch_rest_performance(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, performance);
}

void orch_rest_bottlenecks(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, bottlenecks);
}
