/* SPDX-License-Identifier: MIT */
/* http/request.c: a request's memory and what a handler may ask of it. */
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "http/internal.h"

enum {
        ARENA_BLOCK = 4096,
        ARENA_MAX = 256 * 1024 *
                1024, /* for what handlers build; input is bounded by the limits on head and body */
};

struct tk_http_req *tk_http_req_new(struct tk_http *http, struct MHD_Connection *connection,
                                    const char *target)
{
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        struct tk_http_req *req = TK_NEW(struct tk_http_req);
        const char *why;

        req->http = http;
        req->connection = connection;
        req->peer = info->socket_context;
        req->arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        req->started_ns = tk_time_mono_ns();
        tk_buf_init(&req->body, 0);
        int r = tk_http_uri_parse(target, req->arena, &req->uri, &why);
        if (r == TK_HTTP_URI_E_BAD)
                tk_http_req_refuse(req, 400, why);
        else if (r == TK_HTTP_URI_E_UNKNOWN)
                tk_http_req_refuse(req, 404, "Resource not found");
        return req;
}

struct tk_http_req *tk_http_req_free(struct tk_http_req *req)
{
        if (req->response)
                MHD_destroy_response(req->response);
        tk_buf_deinit(&req->body);
        tk_arena_free(req->arena);
        return tk_free(req);
}

void tk_http_req_refuse(struct tk_http_req *req, int status, const char *why)
{
        if (req->refused)
                return;
        req->refused = status;
        req->refused_why = why;
}

enum tk_http_method tk_http_req_method(const struct tk_http_req *req)
{
        return req->method;
}

const char *tk_http_req_path(const struct tk_http_req *req)
{
        return req->uri.path;
}

const char *tk_http_req_param(const struct tk_http_req *req, unsigned at)
{
        return at < req->match.params_n ? req->match.params[at] : NULL;
}

const char *tk_http_req_query(const struct tk_http_req *req, const char *name)
{
        for (unsigned at = 0; at < req->uri.query_n; at++)
                if (tk_streq(req->uri.query[at].name, name))
                        return req->uri.query[at].value;
        return NULL;
}

const char *tk_http_req_header(const struct tk_http_req *req, const char *name)
{
        return MHD_lookup_connection_value(req->connection, MHD_HEADER_KIND, name);
}

const void *tk_http_req_body(const struct tk_http_req *req, size_t *ret_len)
{
        *ret_len = req->body.len;
        return tk_buf_str(&req->body);
}

struct tk_arena *tk_http_req_arena(struct tk_http_req *req)
{
        return req->arena;
}

int64_t tk_http_req_started_ns(const struct tk_http_req *req)
{
        return req->started_ns;
}
