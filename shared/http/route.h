/* SPDX-License-Identifier: MIT */
/* http/route.h: the route table compiled into a tree of path segments, once; matching never allocates.
 * Private to http/.
 *
 * A literal segment wins over a parameter; the walk steps back when a literal branch leads nowhere. Immutable
 * after tk_http_routes_new, so any thread may match. */
#pragma once
#include "http/http.h"

enum { TK_HTTP_SEGMENTS_MAX = 16, TK_HTTP_METHODS = TK_HTTP_DELETE + 1 };

/* A path in decoded segments: "/v1/tasks" is {"v1", "tasks"}, "/" is {""}. */
struct tk_http_path {
        const char *segments[TK_HTTP_SEGMENTS_MAX];
        unsigned n;
};
struct tk_http_match {
        const struct tk_http_route *const *by_method; /* [TK_HTTP_METHODS]; NULL entries: not allowed */
        const char *params[TK_HTTP_SEGMENTS_MAX];
        unsigned params_n;
};
struct tk_http_routes;
/* -EINVAL: malformed pattern; -EEXIST: the same method and path twice. The rows are borrowed. */
TK_MUST int tk_http_routes_new(const struct tk_http_route *rows, size_t n, struct tk_http_routes **ret,
                               struct tk_err *err);
struct tk_http_routes *tk_http_routes_free(struct tk_http_routes *routes);
bool tk_http_routes_match(const struct tk_http_routes *routes, const struct tk_http_path *path,
                          struct tk_http_match *ret);
/* "GET,HEAD,POST": what a match allows. */
enum { TK_HTTP_ALLOW_TEXT = 40 };
void tk_http_routes_allow(const struct tk_http_match *match, char ret_text[TK_HTTP_ALLOW_TEXT]);
const char *tk_http_method_name(enum tk_http_method method);
/* HEAD counts as GET. 0, or -EINVAL for a method no route can have. */
TK_MUST int tk_http_method_parse(const char *text, enum tk_http_method *ret);
TK_DEFINE_CLEANUP(struct tk_http_routes *, tk_http_routes_free);
