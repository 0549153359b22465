/* SPDX-License-Identifier: MIT */
/* http/serve.c: what the daemon calls, all in server threads: begin (request line read), serve (head read,
 * body pieces, body complete, resumed), end (reply sent or connection lost).
 *
 * A request we refuse is still read to its end when that is cheap, for a client in the middle of sending
 * would see a reset instead of our answer; a client that waits for "100 Continue", or announces too much, is
 * answered at once. */
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "http/internal.h"
#include "run/spread.h"

enum { IGNORED_BODY_MAX = 64 * 1024, DRAIN_MAX = 16 * 1024 * 1024 };

static void set_thread_name(void)
{
        static _Thread_local bool named;

        if (!named)
                tk_log_thread_name("http");
        named = true;
}

void *tk_http_serve_begin(void *cls, const char *target, struct MHD_Connection *connection)
{
        set_thread_name();
        return tk_http_req_new(cls, connection, target);
}

void tk_http_serve_peer(void *cls, struct MHD_Connection *connection, void **at,
                        enum MHD_ConnectionNotificationCode code)
{
        struct tk_http *http = cls;

        if (code == MHD_CONNECTION_NOTIFY_STARTED)
                *at = tk_http_peer_new(
                        &http->peers,
                        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
        else
                *at = tk_http_peer_free(&http->peers, *at);
}

/* Counts the request among those in flight; false when there are too many, or no new ones are wanted. */
static bool count_in(struct tk_http_req *req)
{
        struct tk_http *http = req->http;

        TK_LOCKED(&http->lock);
        if (http->draining || http->inflight >= http->inflight_max)
                return false;
        http->inflight++;
        return req->counted = true;
}

static size_t body_max(const struct tk_http_req *req)
{
        if (!req->route || !req->route->body_max)
                return IGNORED_BODY_MAX;
        return req->http->body_max ? req->http->body_max : req->route->body_max;
}

/* How long the client says its body is; 0 when it does not (no body, or chunked). */
static uint64_t announced(const struct tk_http_req *req)
{
        const char *text = tk_http_req_header(req, MHD_HTTP_HEADER_CONTENT_LENGTH);
        int64_t len;

        return text && tk_str_to_i64(text, 0, INT64_MAX, &len) == 0 ? (uint64_t)len : text ? UINT64_MAX : 0;
}

static void refuse_body(struct tk_http_req *req)
{
        tk_http_req_refuse(req, 413,
                           tk_arena_printf(req->arena,
                                           "Failed to buffer the request body: length limit exceeded: "
                                           "at most %zu bytes are taken here",
                                           body_max(req)));
}

static void route(struct tk_http_req *req, const char *method)
{
        if (req->refused)
                return;
        if (!tk_http_routes_match(req->http->routes, &req->uri.segments, &req->match)) {
                tk_http_req_refuse(req, 404, "Resource not found");
        } else if (tk_http_method_parse(method, &req->method) < 0 || !req->match.by_method[req->method]) {
                tk_http_req_refuse(req, 405,
                                   tk_arena_printf(req->arena, "Method %.16s is not allowed here", method));
        } else {
                req->route = req->match.by_method[req->method];
                if (announced(req) > body_max(req))
                        refuse_body(req);
                else if (!count_in(req))
                        tk_http_req_refuse(req, 503, "Service temporarily unavailable");
        }
        req->body.max = req->refused || !req->route->body_max ? 0 : body_max(req);
}

/* The head is complete. A reply now would close the connection when a body follows. */
static enum MHD_Result take_head(struct tk_http_req *req, const char *method)
{
        const char *expect = tk_http_req_header(req, MHD_HTTP_HEADER_EXPECT);

        req->headers_done = true;
        if (tk_streq(method, MHD_HTTP_METHOD_OPTIONS)) {
                tk_http_req_add_header(req, "access-control-allow-methods", "*");
                tk_http_req_add_header(req, "access-control-allow-headers", "*");
                tk_http_reply_build(req, 200, NULL, "", 0);
                return MHD_YES; /* sent when the (unusual) body is read */
        }
        route(req, method);
        if (!req->refused || (!expect && announced(req) <= DRAIN_MAX))
                return MHD_YES;
        tk_http_reply_refusal(req);
        return tk_http_reply_queue(req);
}

/* MHD_NO drops the connection: only for a client that keeps sending what was refused. */
static enum MHD_Result take_body(struct tk_http_req *req, const char *data, size_t *len)
{
        size_t piece = *len;

        *len = 0;
        if (req->body.max && !req->refused) {
                tk_buf_put(&req->body, data, piece);
                if (!tk_buf_failed(&req->body))
                        return MHD_YES;
                refuse_body(req);
                tk_buf_deinit(&req->body);
        }
        req->dropped += piece;
        if (!req->response && req->dropped > IGNORED_BODY_MAX)
                refuse_body(req);
        return req->dropped <= DRAIN_MAX ? MHD_YES : MHD_NO;
}

/* Calls the handler; suspends the connection unless it has replied meanwhile. A reply that comes between the
 * two finds READING, so this thread resumes; one that comes later finds SUSPENDED and resumes itself. */
static enum MHD_Result dispatch(struct tk_http_req *req)
{
        struct tk_http *http = req->http;

        req->dispatched = true;
        tk_lock_take(&http->lock);
        http->owed++;
        tk_lock_give(&http->lock);
        tk_http_peer_relax(req->peer);
        int64_t begin_ns = tk_time_mono_ns();
        req->route->handle(req, http->app);
        tk_spread_observe(http->turns, tk_time_mono_ns() - begin_ns);
        if (atomic_load(&req->phase) == TK_HTTP_REPLIED)
                return tk_http_reply_queue(req);

        struct MHD_Connection *connection = req->connection;
        enum tk_http_phase reading = TK_HTTP_READING;
        MHD_suspend_connection(connection);
        if (!atomic_compare_exchange_strong(&req->phase, &reading, TK_HTTP_SUSPENDED))
                MHD_resume_connection(connection);
        return MHD_YES;
}

enum MHD_Result tk_http_serve(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data, size_t *data_len,
                              void **at)
{
        struct tk_http_req *req = *at;

        (void)cls, (void)connection, (void)url, (void)version;
        if (!req->headers_done)
                return take_head(req, method);
        if (*data_len)
                return take_body(req, data, data_len);
        if (req->refused && !req->response)
                tk_http_reply_refusal(req);
        return req->response ? tk_http_reply_queue(req) : dispatch(req);
}

void tk_http_serve_end(void *cls, struct MHD_Connection *connection, void **at,
                       enum MHD_RequestTerminationCode code)
{
        struct tk_http *http = cls;
        struct tk_http_req *req = *at;
        bool counted;

        (void)connection, (void)code;
        if (!req)
                return;
        counted = req->counted;
        tk_http_peer_hurry(&http->peers, req->peer);
        if (http->observe && req->status)
                http->observe(http->app, req->route, req->status, tk_time_mono_ns() - req->started_ns);
        *at = tk_http_req_free(req);
        TK_LOCKED(&http->lock);
        if (counted && --http->inflight == 0)
                tk_cond_broadcast(&http->settled);
}
