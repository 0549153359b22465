/* SPDX-License-Identifier: MIT */
/* bench/client/http.h: one keep-alive HTTP/1.1 connection, non-blocking. Only what the measured servers answer: a status, a
 * Content-Length or chunks, a body. One request at a time. */
#pragma once
#include "base/buf.h"

struct http_target {
        char host[256], port[16], prefix[256]; /* of http://host:port/prefix */
};

struct http {
        int fd; /* -1: not connected */
        struct tk_buf out, in;
        size_t sent;
        bool waiting; /* a request is under way */
        int status;
        unsigned retry_after_s; /* 0: not said */
        const char *body;       /* into `in`; valid until the next request; a NUL follows */
        size_t body_len;
};

enum http_state { HTTP_AGAIN, HTTP_DONE, HTTP_BROKEN };

TK_MUST int http_target_parse(const char *url, struct http_target *ret); /* 0, or -EINVAL */
void http_init(struct http *http);
void http_deinit(struct http *http);
TK_MUST int http_connect(struct http *http, const struct http_target *target); /* blocking; 0, or -errno */
/* Starts an exchange; body NULL: none. */
void http_request(struct http *http, const struct http_target *target, const char *method, const char *path, const char *body,
                  size_t body_len);
/* Goes on after the socket became readable or writable. */
enum http_state http_drive(struct http *http);
