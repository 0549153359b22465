/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rest_list.c: GET /v1/tasks: filters, pages as the contract has them, and pages by cursor. */
#include "base/str.h"
#include "base/time.h"
#include "orchestrator/api/reply.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/app.h"
#include "tk_sql.h"

enum { PER_PAGE_MAX = 100, PER_PAGE = 25 };

/* Puts an optional UUID or time of the query as the next argument; false: replied. */
static bool arg_uuid(struct tk_http_req *req, struct tk_pg_args *args, const char *key)
{
        const char *text = tk_http_req_query(req, key);
        struct tk_uuid uuid;
        if (text && *text && tk_uuid_parse(text, &uuid)) {
                orch_reply_error(req, ORCH_E_BAD_REQUEST, "%s must be a UUID, found '%.64s'", key, text);
                return false;
        }
        tk_pg_arg_uuid(args, text && *text ? &uuid : NULL);
        return true;
}

static bool arg_time(struct tk_http_req *req, struct tk_pg_args *args, const char *key)
{
        const char *text = tk_http_req_query(req, key);
        int64_t at;
        if (!text) {
                tk_pg_arg_null(args);
                return true;
        }
        if (tk_time_parse(text, &at)) {
                orch_reply_error(req, ORCH_E_BAD_REQUEST, "%s must be a date and time such as 2026-01-31T12:00:00Z, found '%.64s'", key, text);
                return false;
        }
        tk_pg_arg_time(args, at);
        return true;
}

/* A number of the query; false: replied. Absent: *ret stays. */
static bool query_number(struct tk_http_req *req, const char *name, int64_t *ret)
{
        const char *text = tk_http_req_query(req, name);
        if (!text || !tk_str_to_i64(text, 0, UINT32_MAX, ret))
                return true;
        orch_reply_text(req, 400, "Failed to deserialize query string: %s: expected a number from 0 to %u, found '%.40s'", name, UINT32_MAX, text);
        return false;
}

static bool pages(struct tk_http_req *req, struct tk_pg_args *args)
{
        int64_t page = 1, per_page = PER_PAGE;
        const char *cursor = tk_http_req_query(req, "cursor");
        if (!query_number(req, "page", &page) || !query_number(req, "per_page", &per_page))
                return false;
        if (per_page < 1 || per_page > PER_PAGE_MAX) {
                orch_reply_error(req, ORCH_E_BAD_REQUEST, "per_page must be between 1 and %d", PER_PAGE_MAX);
                return false;
        }
        if (page < 1) {
                orch_reply_error(req, ORCH_E_BAD_REQUEST, "page must be >= 1");
                return false;
        }
        if (cursor && tk_http_req_query(req, "page")) {
                orch_reply_error(req, ORCH_E_BAD_REQUEST, "page and cursor exclude each other");
                return false;
        }
        tk_pg_arg_i32(args, (int32_t)(page < INT32_MAX ? page : INT32_MAX)); /* there is nothing there either */
        tk_pg_arg_i32(args, (int32_t)per_page);
        tk_pg_arg_bool(args, cursor != NULL);
        return arg_uuid(req, args, "cursor");
}

static int task_list(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        static const char *const texts[] = {"namespace", "status", "initiator", "source_system", "name", "version", "tag"};
        struct tk_http_req *req = arg;
        struct tk_pg_args args;
        if (orch_rest_no_database(req, pg))
                return 0;
        tk_pg_args_init(&args, arena);
        if (!pages(req, &args))
                return 0;
        for (size_t i = 0; i < tk_countof(texts); i++)
                tk_pg_arg_text(&args, tk_http_req_query(req, texts[i]));
        if (!arg_uuid(req, &args, "correlation_id") || !arg_time(req, &args, "created_after") || !arg_time(req, &args, "created_before"))
                return 0;
        return orch_rest_reply_query(req, app, pg, &tk_sql_task_list, &args, "Resource not found");
}

void orch_rest_task_list(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, task_list);
}
