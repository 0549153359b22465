/* SPDX-License-Identifier: MIT */
/* http/reply.c: replies: built in whatever thread answers, queued in the server thread of the connection. */
#include "base/check.h"
#include "base/str.h"
#include "base/uuid.h"
#include "http/internal.h"

void tk_http_req_add_header(struct tk_http_req *req, const char *name, const char *value)
{
        struct tk_http_header *header = TK_ARENA_NEW(req->arena, struct tk_http_header);

        header->name = tk_arena_strdup(req->arena, name);
        header->value = tk_arena_strdup(req->arena, value);
        header->next = req->headers;
        req->headers = header;
}

static void add_cors(struct MHD_Response *response)
{
        (void)MHD_add_response_header(response, "access-control-allow-origin", "*");
        (void)MHD_add_response_header(
                response, "vary", "origin, access-control-request-method, access-control-request-headers");
}

static void add_request_id(struct MHD_Response *response)
{
        struct tk_uuid id;
        char text[TK_UUID_TEXT];
        tk_uuid_v4(&id);
        tk_uuid_format(&id, text);
        (void)MHD_add_response_header(response, "x-request-id", text);
}

void tk_http_reply_build(struct tk_http_req *req, int status, const char *content_type, const void *body,
                         size_t len)
{
        TK_CHECK(!req->response);
        /* The library takes a mutable pointer but only reads what it is told to copy. */
        struct MHD_Response *response = MHD_create_response_from_buffer(len, (void *)(uintptr_t)body,
                                                                        MHD_RESPMEM_MUST_COPY);
        TK_CHECK(response);
        add_cors(response);
        if (req->http->request_ids)
                add_request_id(response);
        for (const struct tk_http_header *at = req->headers; at; at = at->next)
                (void)MHD_add_response_header(response, at->name, at->value);
        if (len)
                (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                              content_type ? content_type : "application/json");
        req->response = response;
        req->status = status;
}

void tk_http_reply_refusal(struct tk_http_req *req)
{
        tk_http_error_fn *error = req->http->error;
        const char *body = "", *type = NULL;
        char allow[TK_HTTP_ALLOW_TEXT];

        if (req->refused == 405) {
                tk_http_routes_allow(&req->match, allow);
                tk_http_req_add_header(req, "allow", allow);
        } else if (req->refused == 503) {
                tk_http_req_add_header(req, "retry-after", "1");
                tk_http_req_add_header(req, "connection", "close");
                body = error ? error(req, req->refused, req->refused_why) : "";
        } else if (req->refused != 404) {
                body = req->refused_why;
                type = "text/plain; charset=utf-8";
        }
        tk_http_reply_build(req, req->refused, type, body, strlen(body));
}

enum MHD_Result tk_http_reply_queue(struct tk_http_req *req)
{
        tk_http_peer_hurry(&req->http->peers, req->peer);
        return MHD_queue_response(req->connection, (unsigned)req->status, req->response);
}

void tk_http_reply(struct tk_http_req *req, int status, const char *content_type, const void *body,
                   size_t len)
{
        struct tk_http *http = req->http;

        TK_CHECK(req->dispatched);
        tk_http_reply_build(req, status, content_type, body, len);
        /* From here on the server thread may send the reply and free the request. */
        struct MHD_Connection *connection = req->connection;
        if (atomic_exchange(&req->phase, TK_HTTP_REPLIED) == TK_HTTP_SUSPENDED)
                MHD_resume_connection(connection);
        TK_LOCKED(&http->lock);
        if (--http->owed == 0)
                tk_cond_broadcast(&http->settled);
}

const char *tk_http_status_class(int status)
{
        static const char *const classes[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
        int class = status / 100 - 1;
        return class >= 0 && class < (int)tk_countof(classes) ? classes[class] : "other";
}
