/* SPDX-License-Identifier: MIT */
/* worker/api/reply.h: how REST answers of the worker look. */
#pragma once
#include "base/attr.h"
#include "base/buf.h"
#include "http/http.h"

/* {"error":…,"message":…,"timestamp":…,"request_id":null} */
void work_reply_error(struct tk_http_req *req, int status, const char *error, const char *fmt, ...) TK_PRINTF(4, 5);
void work_reply_json(struct tk_http_req *req, const struct tk_buf *body);
/* The error callback of the server (http.h). */
const char *work_reply_server_error(struct tk_http_req *req, int status, const char *message);

void work_put_str(struct tk_buf *buf, const char *text);    /* a JSON string, or null */
void work_put_time(struct tk_buf *buf, int64_t wall_ns);
void work_put_now(struct tk_buf *buf);
