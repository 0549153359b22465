/* SPDX-License-Identifier: MIT */
/* http/route.c: see route.h. One node per distinct pattern prefix; children are a sibling list, literals
 * before the parameter, so that the first match of a depth-first walk is the most literal one. */
#include "http/route.h"

#include "base/arena.h"
#include "base/mem.h"
#include "base/str.h"
#include <errno.h>
#include <stdio.h>

enum { BLOCK = 4096, TABLE_MAX = 1 << 20 };

struct node {
        const char *literal; /* NULL: a parameter */
        struct node *child, *sibling;
        const struct tk_http_route *by_method[TK_HTTP_METHODS];
        bool ends_here; /* some route has exactly this path */
};
struct tk_http_routes {
        struct tk_arena *arena;
        struct node root;
};

static const char *const method_names[TK_HTTP_METHODS] = {
        [TK_HTTP_GET] = "GET",     [TK_HTTP_POST] = "POST",     [TK_HTTP_PUT] = "PUT",
        [TK_HTTP_PATCH] = "PATCH", [TK_HTTP_DELETE] = "DELETE",
};

const char *tk_http_method_name(enum tk_http_method method)
{
        return method_names[method];
}

int tk_http_method_parse(const char *text, enum tk_http_method *ret)
{
        if (tk_streq(text, "HEAD"))
                return *ret = TK_HTTP_GET, 0;
        for (unsigned at = 0; at < TK_HTTP_METHODS; at++)
                if (tk_streq(text, method_names[at]))
                        return *ret = (enum tk_http_method)at, 0;
        return -EINVAL;
}

/* The child for one pattern segment, made when it is new. */
static struct node *child_of(struct tk_arena *arena, struct node *parent, const char *text, size_t len)
{
        bool param = len >= 2 && text[0] == '{' && text[len - 1] == '}';
        struct node **at = &parent->child;
        for (; *at && (*at)->literal; at = &(*at)->sibling)
                if (!param && strlen((*at)->literal) == len && !memcmp((*at)->literal, text, len))
                        return *at;
        if (param && *at)
                return *at;
        struct node *node = TK_ARENA_NEW(arena, struct node);
        node->literal = param ? NULL : tk_arena_strndup(arena, text, len);
        node->sibling = *at;
        return *at = node;
}

static int add(struct tk_http_routes *routes, const struct tk_http_route *row, struct tk_err *err)
{
        const char *pattern = row->pattern;
        struct node *node = &routes->root;
        unsigned segments = 0;

        if (!pattern || pattern[0] != '/')
                return TK_ERR(err, -EINVAL, "route %s: a pattern starts with '/'",
                              pattern ? pattern : "(null)");
        for (const char *text = pattern; text;) {
                const char *start = text + 1, *end = strchrnul(start, '/');
                if (++segments > TK_HTTP_SEGMENTS_MAX)
                        return TK_ERR(err, -EINVAL, "route %s: more than %d segments", pattern,
                                      TK_HTTP_SEGMENTS_MAX);
                node = child_of(routes->arena, node, start, (size_t)(end - start));
                text = *end ? end : NULL;
        }
        if (node->by_method[row->method])
                return TK_ERR(err, -EEXIST, "route %s %s: listed twice", method_names[row->method], pattern);
        node->by_method[row->method] = row;
        node->ends_here = true;
        return 0;
}

int tk_http_routes_new(const struct tk_http_route *rows, size_t n, struct tk_http_routes **ret,
                       struct tk_err *err)
{
        TK_CLEANUP(tk_http_routes_free) struct tk_http_routes *routes = TK_NEW(struct tk_http_routes);

        routes->arena = tk_arena_new(BLOCK, TABLE_MAX);
        for (size_t at = 0; at < n; at++) {
                int r = add(routes, &rows[at], err);
                if (r < 0)
                        return r;
        }
        *ret = routes;
        routes = NULL;
        return 0;
}

struct tk_http_routes *tk_http_routes_free(struct tk_http_routes *routes)
{
        if (routes)
                tk_arena_free(routes->arena);
        return tk_free(routes);
}

/* Depth is bounded by TK_HTTP_SEGMENTS_MAX. */
static const struct node *walk(const struct node *node, const struct tk_http_path *path, unsigned at,
                               struct tk_http_match *match)
{
        if (at == path->n)
                return node->ends_here ? node : NULL;
        for (const struct node *next = node->child; next; next = next->sibling) {
                const char *segment = path->segments[at];
                unsigned params_n = match->params_n;
                if (next->literal ? !tk_streq(next->literal, segment) : !*segment)
                        continue;
                if (!next->literal)
                        match->params[match->params_n++] = segment;
                const struct node *found = walk(next, path, at + 1, match);
                if (found)
                        return found;
                match->params_n = params_n;
        }
        return NULL;
}

bool tk_http_routes_match(const struct tk_http_routes *routes, const struct tk_http_path *path,
                          struct tk_http_match *ret)
{
        ret->params_n = 0;
        const struct node *node = walk(&routes->root, path, 0, ret);
        ret->by_method = node ? node->by_method : NULL;
        return node != NULL;
}

void tk_http_routes_allow(const struct tk_http_match *match, char ret_text[TK_HTTP_ALLOW_TEXT])
{
        int len = 0;

        ret_text[0] = '\0';
        for (unsigned at = 0; at < TK_HTTP_METHODS; at++)
                if (match->by_method[at])
                        len += snprintf(ret_text + len, (size_t)(TK_HTTP_ALLOW_TEXT - len), "%s%s%s",
                                        len ? "," : "", method_names[at], at == TK_HTTP_GET ? ",HEAD" : "");
}
