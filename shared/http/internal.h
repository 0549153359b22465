/* SPDX-License-Identifier: MIT */
/* http/internal.h: the server and its requests from inside. Private to http/.
 *
 * Life of a request: made when its request line is there, filled in the server thread, handed to the handler,
 * ended by the server thread when the reply was sent or the connection died. In between exactly one party
 * owns it: the server thread until `handle`, then the handler (or the thread it gave the request to) until
 * tk_http_reply. */
#pragma once
#include "base/buf.h"
#include "http/http.h"
#include "http/peer.h"
#include "http/uri.h"
#include <microhttpd.h>
#include <stdatomic.h>

struct tk_http {
        struct MHD_Daemon *daemon;
        struct tk_http_routes *routes;
        struct tk_http_peers peers;
        tk_http_error_fn *error;
        bool request_ids;
        size_t body_max;
        void *app;
        void (*observe)(void *app, const struct tk_http_route *route, int status, int64_t ns);
        struct tk_spread *turns; /* how long handlers keep an HTTP thread */
        unsigned inflight_max;
        uint16_t port;
        int listen_fd;

        struct tk_lock lock;
        struct tk_cond settled; /* inflight or owed fell to 0 */
        unsigned inflight;      /* routed requests whose reply is not sent; under lock */
        unsigned owed;          /* handlers called whose tk_http_reply has not returned; under lock */
        bool draining;          /* under lock */
};

enum tk_http_phase { TK_HTTP_READING, TK_HTTP_SUSPENDED, TK_HTTP_REPLIED };

struct tk_http_header {
        struct tk_http_header *next;
        const char *name, *value;
};
struct tk_http_req {
        struct tk_http *http;
        struct MHD_Connection *connection;
        struct tk_http_peer *peer;
        struct tk_arena *arena;
        int64_t started_ns;

        struct tk_http_uri uri;
        struct tk_http_match match;
        const struct tk_http_route *route; /* NULL until routed, and when nothing matched */
        enum tk_http_method method;
        struct tk_buf body;
        size_t dropped;         /* body bytes read and thrown away */
        int refused;            /* a status of our own, or 0 */
        const char *refused_why;
        bool headers_done, counted, dispatched;

        struct tk_http_header *headers; /* of the reply, newest first */
        struct MHD_Response *response;
        int status;
        _Atomic(enum tk_http_phase) phase;
};

/* request.c: the server thread's side of a request */
TK_MUST struct tk_http_req *tk_http_req_new(struct tk_http *http, struct MHD_Connection *connection,
                                            const char *target);
struct tk_http_req *tk_http_req_free(struct tk_http_req *req);
void tk_http_req_refuse(struct tk_http_req *req, int status, const char *why); /* the first refusal stays */
/* reply.c */
void tk_http_reply_build(struct tk_http_req *req, int status, const char *content_type, const void *body,
                         size_t len);
void tk_http_reply_refusal(struct tk_http_req *req);
enum MHD_Result tk_http_reply_queue(struct tk_http_req *req);
/* serve.c: the callbacks the daemon calls */
enum MHD_Result tk_http_serve(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data, size_t *data_len,
                              void **at);
void *tk_http_serve_begin(void *cls, const char *target, struct MHD_Connection *connection);
void tk_http_serve_end(void *cls, struct MHD_Connection *connection, void **at,
                       enum MHD_RequestTerminationCode code);
void tk_http_serve_peer(void *cls, struct MHD_Connection *connection, void **at,
                        enum MHD_ConnectionNotificationCode code);
