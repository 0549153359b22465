/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rest_dlq.c: looking at the dead-letter queue: its entries, what is urgent, figures, and which tasks are about to come in. */
#include "base/str.h"
#include "model/dead_letter.h"
#include "orchestrator/api/reply.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/app.h"
#include "orchestrator/core/staleness.h"
#include "tk_sql.h"

enum { LIST = 50, QUEUE = 100, LIMIT_MAX = 1000 };

/* Puts a number of the query as the next argument; false: replied. */
static bool arg_number(struct tk_http_req *req, struct tk_pg_args *args, const char *key, int64_t min, int64_t otherwise, int64_t max)
{
        const char *text = tk_http_req_query(req, key);
        int64_t value = otherwise;
        if (text && tk_str_to_i64(text, min, max, &value)) {
                orch_reply_text(req, 400, "Failed to deserialize query string: %s: must be a number between %lld and %lld, found '%.64s'", key,
                                (long long)min, (long long)max, text);
                return false;
        }
        tk_pg_arg_i32(args, (int32_t)value);
        return true;
}

/* The same for a word in either spelling. */
static bool arg_word(struct tk_http_req *req, struct tk_pg_args *args, const char *key, const char *(*word)(const char *), const char *known)
{
        const char *text = tk_http_req_query(req, key), *stored = text ? word(text) : NULL;
        if (text && !stored) {
                orch_reply_text(req, 400, "Failed to deserialize query string: %s: unknown variant `%.64s`, expected one of %s", key, text, known);
                return false;
        }
        tk_pg_arg_text(args, stored);
        return true;
}

static const char no_cursor[] = "DLQ entry of the cursor not found";

static bool arg_times(struct tk_http_req *req, struct tk_pg_args *args)
{
        return orch_rest_arg_time(req, args, "entered_after") && orch_rest_arg_time(req, args, "entered_before");
}

static int list(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        static const char *const texts[] = {"namespace", "name", "version"};
        struct tk_http_req *req = arg;
        struct tk_pg_args args;
        if (orch_rest_no_database(req, pg))
                return 0;
        tk_pg_args_init(&args, arena);
        if (!arg_word(req, &args, "resolution_status", tk_dead_letter_status, TK_DEAD_LETTER_STATUSES) ||
            !arg_word(req, &args, "reason", tk_dead_letter_reason, TK_DEAD_LETTER_REASONS))
                return 0;
        for (size_t i = 0; i < tk_countof(texts); i++)
                tk_pg_arg_text(&args, tk_http_req_query(req, texts[i]));
        const char *cursor = tk_http_req_query(req, "cursor");
        if (cursor && *cursor && tk_http_req_query(req, "offset")) {
                orch_reply_error(req, ORCH_E_BAD_REQUEST, "offset and cursor exclude each other");
                return 0;
        }
        if (!arg_times(req, &args) || !arg_number(req, &args, "limit", 1, LIST, LIMIT_MAX) || !arg_number(req, &args, "offset", 0, 0, INT32_MAX) ||
            !orch_rest_arg_uuid(req, &args, "cursor"))
                return 0;
        return orch_rest_reply_query(req, app, pg, &tk_sql_dlq_list, &args, no_cursor);
}

static int stats(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct tk_pg_args args;
        if (orch_rest_no_database(arg, pg))
                return 0;
        tk_pg_args_init(&args, arena);
        return orch_rest_reply_query(arg, app, pg, &tk_sql_dlq_stats, &args, "Resource not found");
}

static int queue(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct tk_pg_args args;
        if (orch_rest_no_database(arg, pg))
                return 0;
        tk_pg_args_init(&args, arena);
        if (!arg_number(arg, &args, "limit", 1, QUEUE, LIMIT_MAX) || !arg_times(arg, &args) || !orch_rest_arg_uuid(arg, &args, "cursor"))
                return 0;
        return orch_rest_reply_query(arg, app, pg, &tk_sql_dlq_queue, &args, no_cursor);
}

static int staleness(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct tk_pg_args args;
        if (orch_rest_no_database(arg, pg))
                return 0;
        tk_pg_args_init(&args, arena);
        orch_staleness_args(app, &args);
        if (!arg_number(arg, &args, "limit", 1, QUEUE, LIMIT_MAX))
                return 0;
        return orch_rest_reply_query(arg, app, pg, &tk_sql_dlq_staleness, &args, "Resource not found");
}

bool orch_rest_dlq_uuid(struct tk_http_req *req, const char *name, struct tk_uuid *ret)
{
        const char *text = tk_http_req_param(req, 0);
        if (!tk_uuid_parse_any(text, ret))
                return true;
        orch_reply_text(req, 400, "Invalid URL: Cannot parse `%s` with value `%s`: UUID parsing failed: expected 32 hexadecimal digits", name, text);
        return false;
}

static int one(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct tk_http_req *req, const char *name, const struct tk_sql *sql,
               const char *missing)
{
        struct tk_uuid uuid;
        char text[TK_UUID_TEXT];
        struct tk_pg_args args;
        if (!orch_rest_dlq_uuid(req, name, &uuid) || orch_rest_no_database(req, pg))
                return 0;
        tk_uuid_format(&uuid, text);
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &uuid);
        return orch_rest_reply_query(req, app, pg, sql, &args, tk_arena_printf(arena, "%s %s", missing, text));
}

static int by_task(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        return one(app, pg, arena, arg, "task_uuid", &tk_sql_dlq_by_task, "DLQ entry not found for task");
}

static int by_entry(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        return one(app, pg, arena, arg, "dlq_entry_uuid", &tk_sql_dlq_by_entry, "DLQ entry not found:");
}

void orch_rest_dlq_list(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, list);
}

void orch_rest_dlq_stats(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, stats);
}

void orch_rest_dlq_queue(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, queue);
}

void orch_rest_dlq_staleness(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, staleness);
}

void orch_rest_dlq_by_task(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, by_task);
}

void orch_rest_dlq_get(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, by_entry);
}
