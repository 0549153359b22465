/* SPDX-License-Identifier: MIT */
/* orchestrator/api/reply.c: see the header. */
#include "orchestrator/api/reply.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"
#include "model/decision.h"
#include "orchestrator/app.h"
#include "orchestrator/core/db.h"
#include "orchestrator/core/rows.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MESSAGE_MAX = 2048, RETRY_AFTER_S = 1 };

static const struct {
        int status;
        const char *code;
} errors[] = {
        [ORCH_E_BAD_REQUEST] = {400, "BAD_REQUEST"},
        [ORCH_E_INVALID_UUID] = {400, "INVALID_UUID"},
        [ORCH_E_NOT_FOUND] = {404, "NOT_FOUND"},
        [ORCH_E_CONFLICT] = {409, "CONFLICT"},
        [ORCH_E_DATABASE] = {500, "DATABASE_ERROR"},
        [ORCH_E_INTERNAL] = {500, "INTERNAL_ERROR"},
        [ORCH_E_UNAVAILABLE] = {503, "SERVICE_UNAVAILABLE"},
        [ORCH_E_BACKPRESSURE] = {503, "BACKPRESSURE"},
};

static void envelope(struct tk_buf *buf, const char *code, const char *message, unsigned retry_after_s)
{
        tk_buf_printf(buf, "{\"error\":{\"code\":\"%s\",\"message\":", code);
        tk_buf_put_json_str(buf, message, strlen(message));
        if (retry_after_s)
                tk_buf_printf(buf, ",\"retry_after_seconds\":%u", retry_after_s);
        tk_buf_puts(buf, "}}");
}

static void retry_after(struct tk_http_req *req, unsigned seconds)
{
        char text[16];
        snprintf(text, sizeof text, "%u", seconds);
        tk_http_req_add_header(req, "Retry-After", text);
}

void orch_reply_error(struct tk_http_req *req, enum orch_error code, const char *fmt, ...)
{
        char message[MESSAGE_MAX];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(message, sizeof message, fmt, ap);
        va_end(ap);
        bool later = errors[code].status == 503;
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, 8 * MESSAGE_MAX);
        envelope(&buf, errors[code].code, message, later ? RETRY_AFTER_S : 0);
        if (later)
                retry_after(req, RETRY_AFTER_S);
        tk_http_reply(req, errors[code].status, NULL, buf.data, buf.len);
}

void orch_reply_text(struct tk_http_req *req, int status, const char *fmt, ...)
{
        char message[MESSAGE_MAX];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(message, sizeof message, fmt, ap);
        va_end(ap);
        tk_http_reply(req, status, "text/plain; charset=utf-8", message, strlen(message));
}

void orch_reply_json(struct tk_http_req *req, const char *body, size_t len)
{
        tk_http_reply(req, 200, NULL, body, len);
}

void orch_reply_db(struct tk_http_req *req, struct orch_app *app, const char *what, int outcome, const struct tk_err *err)
{
        orch_db_failed(app, what, outcome, err);
        if (outcome == TK_PG_E_DOWN || outcome == TK_PG_E_RETRY)
                orch_reply_error(req, ORCH_E_UNAVAILABLE,
                                 "Service temporarily unavailable: the database cannot be reached");
        else if (outcome == TK_PG_E_TIMEOUT)
                orch_reply_error(req, ORCH_E_UNAVAILABLE, "Service temporarily unavailable: the database took too long");
        else
                orch_reply_error(req, ORCH_E_DATABASE, "Database operation failed");
}

void orch_reply_busy(struct tk_http_req *req, const char *mailbox)
{
        orch_reply_error(req, ORCH_E_BACKPRESSURE, "Service under backpressure: mailbox '%s' is full", mailbox);
}

const char *orch_reply_server_error(struct tk_http_req *req, int status, const char *message)
{
        const char *code = "INTERNAL_ERROR";
        for (size_t i = 0; i < tk_countof(errors); i++)
                if (errors[i].status == status) {
                        code = errors[i].code;
                        break;
                }
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, 8 * MESSAGE_MAX);
        envelope(&buf, code, message, status == 503 ? RETRY_AFTER_S : 0);
        return tk_arena_strdup(tk_http_req_arena(req), tk_buf_str(&buf));
}

static bool is_json(const char *content_type)
{
        if (!content_type)
                return false;
        size_t len = strcspn(content_type, "; ");
        return (len == 16 && !strncasecmp(content_type, "application/json", len)) ||
               (len > 17 && !strncasecmp(content_type, "application/", 12) &&
                !strncasecmp(content_type + len - 5, "+json", 5));
}

bool orch_rest_json(struct tk_http_req *req)
{
        if (is_json(tk_http_req_header(req, "Content-Type")))
                return true;
        orch_reply_text(req, 415, "Expected request with `Content-Type: application/json`");
        return false;
}

bool orch_rest_parsed(struct tk_http_req *req, int r, const struct tk_err *err)
{
        if (r == TK_DECISION_E_SYNTAX)
                orch_reply_text(req, 400, "Failed to parse the request body as JSON: %s", tk_err_text(err));
        else if (r == TK_DECISION_E_SHAPE)
                orch_reply_text(req, 422, "Failed to deserialize the JSON body into the target type: %s", tk_err_text(err));
        else if (r)
                orch_reply_error(req, ORCH_E_BAD_REQUEST, "%s", tk_err_text(err));
        return !r;
}

void orch_rest_post(struct orch_app *app, struct tk_http_req *req, orch_query_fn *fn, void *arg)
{
        if (orch_query_post(app, fn, arg))
                orch_reply_busy(req, "query");
}

void orch_rest_query(struct orch_app *app, struct tk_http_req *req, orch_query_fn *fn)
{
        orch_rest_post(app, req, fn, req);
}

bool orch_rest_uuid(struct tk_http_req *req, unsigned at, const char *what, struct tk_uuid *ret)
{
        const char *text = tk_http_req_param(req, at);
        if (!tk_uuid_parse_any(text, ret))
                return true;
        if (what)
                orch_reply_error(req, ORCH_E_BAD_REQUEST, "Invalid %s UUID format: '%s'", what, text);
        else
                orch_reply_error(req, ORCH_E_INVALID_UUID, "Invalid UUID: '%s'", text);
        return false;
}

bool orch_rest_arg_uuid(struct tk_http_req *req, struct tk_pg_args *args, const char *key)
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

bool orch_rest_arg_time(struct tk_http_req *req, struct tk_pg_args *args, const char *key)
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

bool orch_rest_no_database(struct tk_http_req *req, const struct tk_pg *pg)
{
        if (pg)
                return false;
        orch_reply_error(req, ORCH_E_UNAVAILABLE, "Service temporarily unavailable: the database cannot be reached");
        return true;
}

int orch_rest_reply_query(struct tk_http_req *req, struct orch_app *app, struct tk_pg *pg, const struct tk_sql *sql,
                          const struct tk_pg_args *args, const char *missing)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_err err = {0};
        int r = tk_pg_query(pg, sql, args, &res, &err);
        if (r)
                orch_reply_db(req, app, sql->name, r, &err);
        else if (!tk_pg_rows(res))
                orch_reply_error(req, ORCH_E_NOT_FOUND, "%s", missing);
        else
                orch_reply_json(req, tk_pg_str(res, 0, 0), tk_pg_len(res, 0, 0));
        return r;
}

void orch_put_next(struct tk_buf *buf, const struct tk_uuid *after)
{
        char text[TK_UUID_TEXT];
        if (!after) {
                tk_buf_puts(buf, ",\"next\":null}");
                return;
        }
        tk_uuid_format(after, text);
        tk_buf_printf(buf, ",\"next\":\"%s\"}", text);
}
