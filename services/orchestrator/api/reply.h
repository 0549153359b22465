/* SPDX-License-Identifier: MIT */
/* orchestrator/api/reply.h: how REST answers look, and the only place that maps outcomes to status codes. */
#pragma once
#include "base/attr.h"
#include "base/buf.h"
#include "base/uuid.h"
#include "http/http.h"
#include "model/decision.h"
#include "orchestrator/actor/query.h"
#include <stdbool.h>

struct orch_app;
/* {"error":{"code":…,"message":…}} with the status that belongs to the code. */
enum orch_error {
        ORCH_E_BAD_REQUEST,
        ORCH_E_INVALID_UUID,
        ORCH_E_NOT_FOUND,
        ORCH_E_CONFLICT,
        ORCH_E_DATABASE,
        ORCH_E_INTERNAL,
        ORCH_E_UNAVAILABLE,
        ORCH_E_BACKPRESSURE
};
void orch_reply_error(struct tk_http_req *req, enum orch_error code, const char *fmt, ...) TK_PRINTF(3, 4);
/* Body could not be read as what was wanted: text/plain, as the wire contract has it. */
void orch_reply_text(struct tk_http_req *req, int status, const char *fmt, ...) TK_PRINTF(3, 4);
void orch_reply_json(struct tk_http_req *req, const char *body, size_t len);
/* A statement failed: 503 with Retry-After while the database is away, else 500. */
void orch_reply_db(struct tk_http_req *req, struct orch_app *app, const char *what, int outcome, const struct tk_err *err);
/* 503 with Retry-After: a mailbox is full. */
void orch_reply_busy(struct tk_http_req *req, const char *mailbox);
/* The error callback of the server (http.h). */
const char *orch_reply_server_error(struct tk_http_req *req, int status, const char *message);

/* The Content-Type says JSON; otherwise 415 was replied. */
TK_MUST bool orch_rest_json(struct tk_http_req *req);
/* r: an outcome of model/decision.h; anything but OK is replied. */
TK_MUST bool orch_rest_parsed(struct tk_http_req *req, int r, const struct tk_err *err);
/* Reads the body with a parser of shared/model, whose further arguments follow: false when it was no good, which is replied. */
#define ORCH_REST_PARSE(req, parse, ...)                                                                                          \
        ({                                                                                                                        \
                struct tk_err err_ = {0};                                                                                         \
                size_t len_ = 0;                                                                                                  \
                const void *body_ = tk_http_req_body(req, &len_);                                                                 \
                orch_rest_json(req) && orch_rest_parsed(req, parse(body_, len_, tk_http_req_arena(req), __VA_ARGS__, &err_), &err_); \
        })
/* Runs fn in a query thread; answers 503 itself when that is not possible. */
void orch_rest_post(struct orch_app *app, struct tk_http_req *req, orch_query_fn *fn, void *arg);
/* The same with arg = req. */
void orch_rest_query(struct orch_app *app, struct tk_http_req *req, orch_query_fn *fn);
/* The at-th path parameter as UUID; replies 400 itself when it is none. */
TK_MUST bool orch_rest_uuid(struct tk_http_req *req, unsigned at, const char *what, struct tk_uuid *ret);
/* The UUID in the path of a route of the dead-letter queue, whose contract has its own words for a wrong one; replies 400 itself. */
TK_MUST bool orch_rest_dlq_uuid(struct tk_http_req *req, const char *name, struct tk_uuid *ret);
/* An optional UUID or time of the query becomes the next argument; replies 400 itself when it is none. */
TK_MUST bool orch_rest_arg_uuid(struct tk_http_req *req, struct tk_pg_args *args, const char *key);
TK_MUST bool orch_rest_arg_time(struct tk_http_req *req, struct tk_pg_args *args, const char *key);
/* pg NULL means the database is away: replies 503 and returns true. */
TK_MUST bool orch_rest_no_database(struct tk_http_req *req, const struct tk_pg *pg);
/* Runs a query whose one column `body` is the answer. No row: 404 with `missing`. */
int orch_rest_reply_query(struct tk_http_req *req, struct orch_app *app, struct tk_pg *pg, const struct tk_sql *sql,
                          const struct tk_pg_args *args, const char *missing);
/* Ends an object that is a page: where the next one begins; NULL: this was the last. */
void orch_put_next(struct tk_buf *buf, const struct tk_uuid *after);
