/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rest_list.c: GET /v1/tasks: filters, pages as the contract has them, and pages by cursor. */
#include "base/str.h"
#include "orchestrator/api/reply.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/app.h"
#include "tk_sql.h"

enum { PER_PAGE_MAX = 100, PER_PAGE = 25, PATH_MAX_BYTES = 512, VALUE_MAX_BYTES = 1000 };

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
        return orch_rest_arg_uuid(req, args, "cursor");
}

/* No index knows what is in a context, so a page looks at so many and says where it stopped: by cursor only. */
static bool arg_context(struct tk_http_req *req, struct tk_pg_args *args)
{
        const char *path = tk_http_req_query(req, "context_path"), *value = tk_http_req_query(req, "context_value");
        if (value && !path)
                orch_reply_error(req, ORCH_E_BAD_REQUEST, "context_value goes with context_path, a JSON path such as $.customer.id");
        else if (path && !tk_http_req_query(req, "cursor"))
                orch_reply_error(req, ORCH_E_BAD_REQUEST,
                                 "context_path goes with cursor (cursor= begins with the newest): its matches are not counted");
        else if (path && (!*path || strlen(path) > PATH_MAX_BYTES))
                orch_reply_error(req, ORCH_E_BAD_REQUEST, "context_path must have 1 to %d bytes, found %zu", PATH_MAX_BYTES, strlen(path));
        else if (value && strlen(value) > VALUE_MAX_BYTES)
                orch_reply_error(req, ORCH_E_BAD_REQUEST, "context_value must have at most %d bytes, found %zu", VALUE_MAX_BYTES, strlen(value));
        else {
                tk_pg_arg_text(args, path);
                tk_pg_arg_text(args, value);
                return true;
        }
        return false; /* replied: the request is gone */
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
        if (!orch_rest_arg_uuid(req, &args, "correlation_id") || !orch_rest_arg_uuid(req, &args, "parent_correlation_id") ||
            !orch_rest_arg_time(req, &args, "created_after") || !orch_rest_arg_time(req, &args, "created_before") || !arg_context(req, &args))
                return 0;
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_err err = {0};
        int r = tk_pg_query(pg, &tk_sql_task_list, &args, &res, &err);
        if (r == TK_PG_E_DATA)
                orch_reply_error(req, ORCH_E_BAD_REQUEST, "context_path must be a JSON path such as $.customer.id: %s", tk_err_text(&err));
        else if (r)
                orch_reply_db(req, app, "task.list", r, &err);
        else
                orch_reply_json(req, tk_pg_str(res, 0, 0), tk_pg_len(res, 0, 0));
        return r == TK_PG_E_DATA ? 0 : r;
}

void orch_rest_task_list(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, task_list);
}
