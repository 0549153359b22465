/* SPDX-License-Identifier: MIT */
/* http/uri.h: a request target taken apart: path segments and query, percent-decoded and checked. Pure.
 * Private to http/. */
#pragma once
#include "http/route.h"

enum { TK_HTTP_QUERY_MAX = 32 };

struct tk_http_uri {
        const char *path; /* as sent, without the query */
        struct tk_http_path segments;
        struct {
                const char *name, *value;
        } query[TK_HTTP_QUERY_MAX];
        unsigned query_n;
};
enum {
        TK_HTTP_URI_OK,
        TK_HTTP_URI_E_BAD /* 400; *ret_why says why */,
        TK_HTTP_URI_E_UNKNOWN /* no route can be that deep */
};
/* Everything is copied into the arena. Refused: bad percent-encoding, a decoded NUL or invalid UTF-8, a
 * parameter given twice. */
TK_MUST int tk_http_uri_parse(const char *target, struct tk_arena *arena, struct tk_http_uri *ret,
                              const char **ret_why);
