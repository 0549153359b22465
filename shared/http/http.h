/* SPDX-License-Identifier: MIT */
/* http/http.h: a small HTTP/1.1 server on libmicrohttpd (epoll, a few threads). Only this folder includes it.
 *
 * Routes are a table; the server has checked method, path, body limit and total count before a handler runs.
 * A handler runs in a server thread and must not block: it either replies at once, or keeps `req` (the
 * connection is then suspended) and some other thread replies later with tk_http_reply. Exactly one reply per
 * request. Unknown path: 404; known path, wrong method: 405 with Allow, both without a body; body over the limit: 413;
 * broken target: 400, both as plain text; too many requests, or stopping: 503 with a body made by the service's `error` function.
 * HEAD is answered like GET without a body. OPTIONS and CORS headers are built in. A peer that takes longer
 * than the idle timeout to send a request or to take a reply is cut off, however it trickles; a request that
 * waits for us is never idle. */
#pragma once
#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tk_http_method { TK_HTTP_GET, TK_HTTP_POST, TK_HTTP_PUT, TK_HTTP_PATCH, TK_HTTP_DELETE };
struct tk_http_req;
struct tk_http_route {
        enum tk_http_method method;
        const char *pattern;    /* "/v1/tasks/{uuid}"; {x} matches one non-empty segment, percent-decoded */
        void (*handle)(struct tk_http_req *req, void *app);
        size_t body_max;        /* bytes; 0: no body wanted (one is ignored up to 64 KiB) */
        const char *summary;    /* for --dump-routes */
};
/* The body of the 503 that the server itself gives, in the arena of req. */
typedef const char *tk_http_error_fn(struct tk_http_req *req, int status, const char *message);

struct tk_http_conf {
        const char *bind;       /* "127.0.0.1:8080", ":8080" = all interfaces, port 0 = any free */
        unsigned threads;       /* 0: 2 */
        unsigned connections_max; /* 0: 4096; requests in hand, the surplus hears 503 */
        int64_t idle_timeout_ns;  /* 0: 60 s */
        size_t body_max;          /* of every route that wants a body; 0: as the routes say */
        const struct tk_http_route *routes;
        size_t routes_n;
        tk_http_error_fn *error;
        bool request_ids;         /* a fresh x-request-id (UUID v4) in every answer */
        void *app;
        /* After each request, for metrics; may be NULL. route NULL: none matched. */
        void (*observe)(void *app, const struct tk_http_route *route, int status, int64_t ns);
};
struct tk_http;
TK_MUST int tk_http_new(const struct tk_http_conf *conf, struct tk_http **ret, struct tk_err *err);
uint16_t tk_http_port(const struct tk_http *http);
/* New requests hear 503 at once; waits until those in hand were replied to or the deadline passed. */
void tk_http_quiesce(struct tk_http *http, int64_t deadline_ns);
struct tk_http *tk_http_free(struct tk_http *http); /* NULL is fine; every request must be replied to */
unsigned tk_http_inflight(struct tk_http *http);

enum tk_http_method tk_http_req_method(const struct tk_http_req *req);
const char *tk_http_req_path(const struct tk_http_req *req);
/* The at-th {…} of the pattern, percent-decoded. */
const char *tk_http_req_param(const struct tk_http_req *req, unsigned at);
/* Percent-decoded; NULL when absent. A parameter given twice was refused. */
const char *tk_http_req_query(const struct tk_http_req *req, const char *name);
/* The name in any case; NULL when absent. */
const char *tk_http_req_header(const struct tk_http_req *req, const char *name);
/* A NUL follows that does not count. */
const void *tk_http_req_body(const struct tk_http_req *req, size_t *ret_len);
/* Lives until the reply. */
struct tk_arena *tk_http_req_arena(struct tk_http_req *req);
int64_t tk_http_req_started_ns(const struct tk_http_req *req);
/* Adds a response header before the reply; both copied. */
void tk_http_req_add_header(struct tk_http_req *req, const char *name, const char *value);
/* From any thread, once. The body is copied. content_type NULL: application/json. */
void tk_http_reply(struct tk_http_req *req, int status, const char *content_type, const void *body,
                   size_t len);
/* "2xx", for metrics. */
const char *tk_http_status_class(int status);
