/* SPDX-License-Identifier: MIT */
/* worker/api/reply.c: see the header. */
#include "worker/api/reply.h"
#include "base/str.h"
#include "base/time.h"
#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_MAX = 2048 };

void work_put_str(struct tk_buf *buf, const char *text)
{
        if (text)
                tk_buf_put_json_str(buf, text, strlen(text));
        else
                tk_buf_puts(buf, "null");
}

void work_put_time(struct tk_buf *buf, int64_t wall_ns)
{
        char text[TK_TIME_TEXT];
        tk_time_format(wall_ns, 6, text);
        work_put_str(buf, text);
}

void work_put_now(struct tk_buf *buf)
{
        work_put_time(buf, tk_time_wall_ns());
}

static void put_error(struct tk_buf *buf, const char *error, const char *message)
{
        tk_buf_puts(buf, "{\"error\":");
        work_put_str(buf, error);
        tk_buf_puts(buf, ",\"message\":");
        work_put_str(buf, message);
        tk_buf_puts(buf, ",\"timestamp\":");
        work_put_now(buf);
        tk_buf_puts(buf, ",\"request_id\":null}");
}

void work_reply_error(struct tk_http_req *req, int status, const char *error, const char *fmt, ...)
{
        char message[MESSAGE_MAX];
        TK_AUTOBUF struct tk_buf buf;
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(message, sizeof message, fmt, ap);
        va_end(ap);
        tk_buf_init(&buf, 8 * MESSAGE_MAX);
        put_error(&buf, error, message);
        if (status == 503)
                tk_http_req_add_header(req, "Retry-After", "1");
        tk_http_reply(req, status, NULL, buf.data, buf.len);
}

void work_reply_json(struct tk_http_req *req, const struct tk_buf *body)
{
        if (tk_buf_failed(body))
                work_reply_error(req, 500, "internal_error", "the answer is too large");
        else
                tk_http_reply(req, 200, NULL, body->data, body->len);
}

const char *work_reply_server_error(struct tk_http_req *req, int status, const char *message)
{
        static const struct {
                int status;
                const char *error;
        } errors[] = {{400, "bad_request"},
                      {404, "not_found"},
                      {405, "method_not_allowed"},
                      {413, "payload_too_large"},
                      {503, "service_unavailable"}};
        const char *error = "internal_error";
        TK_AUTOBUF struct tk_buf buf;
        for (size_t i = 0; i < tk_countof(errors); i++)
                if (errors[i].status == status)
                        error = errors[i].error;
        tk_buf_init(&buf, 8 * MESSAGE_MAX);
        put_error(&buf, error, message);
        return tk_arena_strdup(tk_http_req_arena(req), tk_buf_str(&buf));
}
