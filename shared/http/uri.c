/* SPDX-License-Identifier: MIT */
/* http/uri.c: see uri.h. Segments are split before they are decoded, so an encoded slash stays inside its
 * segment. */
#include "http/uri.h"

#include "base/str.h"

static int hex(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The decoded text; NULL when the encoding is broken or the bytes are not UTF-8 text. */
static const char *decode(struct tk_arena *arena, const char *text, size_t len, bool plus_is_space)
{
        char *out = tk_arena_alloc(arena, len + 1);
        size_t n = 0;

        for (size_t at = 0; at < len; at++) {
                char c = text[at];
                if (c == '%') {
                        int high = len - at > 2 ? hex(text[at + 1]) : -1,
                            low = len - at > 2 ? hex(text[at + 2]) : -1;
                        if (high < 0 || low < 0)
                                return NULL;
                        c = (char)(high << 4 | low);
                        at += 2;
                } else if (c == '+' && plus_is_space) {
                        c = ' ';
                }
                out[n++] = c;
        }
        return tk_str_utf8_valid(out, n) ? out : NULL;
}

static int parse_path(struct tk_arena *arena, struct tk_http_uri *uri, const char **ret_why)
{
        const char *text = uri->path;

        if (*text != '/') {
                *ret_why = "the request path must start with '/'";
                return TK_HTTP_URI_E_BAD;
        }
        while (*text) {
                const char *start = text + 1, *end = strchrnul(start, '/');
                if (uri->segments.n == TK_HTTP_SEGMENTS_MAX)
                        return TK_HTTP_URI_E_UNKNOWN;
                const char *segment = decode(arena, start, (size_t)(end - start), false);
                if (!segment) {
                        *ret_why = tk_arena_printf(arena,
                                                   "path segment %u is not valid percent-encoded UTF-8",
                                                   uri->segments.n + 1);
                        return TK_HTTP_URI_E_BAD;
                }
                uri->segments.segments[uri->segments.n++] = segment;
                text = end;
        }
        return TK_HTTP_URI_OK;
}

static int add_query(struct tk_arena *arena, struct tk_http_uri *uri, const char *start, const char *end,
                     const char **ret_why)
{
        const char *equals = memchr(start, '=', (size_t)(end - start));
        const char *name_end = equals ? equals : end, *value_start = equals ? equals + 1 : end;
        const char *name = decode(arena, start, (size_t)(name_end - start), true);
        const char *value = decode(arena, value_start, (size_t)(end - value_start), true);

        if (!name || !value)
                *ret_why = tk_arena_printf(arena, "query parameter %u is not valid percent-encoded UTF-8",
                                           uri->query_n + 1);
        else if (uri->query_n == TK_HTTP_QUERY_MAX)
                *ret_why = tk_arena_printf(arena, "more than %d query parameters", TK_HTTP_QUERY_MAX);
        else
                for (unsigned at = 0; at < uri->query_n && !*ret_why; at++)
                        if (tk_streq(uri->query[at].name, name))
                                *ret_why = tk_arena_printf(
                                        arena, "Failed to deserialize query string: duplicate field `%s`",
                                        name);
        if (*ret_why)
                return TK_HTTP_URI_E_BAD;
        uri->query[uri->query_n].name = name;
        uri->query[uri->query_n++].value = value;
        return TK_HTTP_URI_OK;
}

static int parse_query(struct tk_arena *arena, struct tk_http_uri *uri, const char *text,
                       const char **ret_why)
{
        while (*text) {
                const char *end = strchrnul(text, '&');
                int r = end > text ? add_query(arena, uri, text, end, ret_why) : TK_HTTP_URI_OK;
                if (r)
                        return r;
                text = *end ? end + 1 : end;
        }
        return TK_HTTP_URI_OK;
}

int tk_http_uri_parse(const char *target, struct tk_arena *arena, struct tk_http_uri *ret,
                      const char **ret_why)
{
        const char *start = target, *end = strchrnul(target, '?'), *scheme = strstr(target, "://");

        *ret = (struct tk_http_uri){0};
        *ret_why = NULL;
        if (*start != '/' && scheme && scheme < end) /* absolute form, as proxies send it */
                start = memchr(scheme + 3, '/', (size_t)(end - scheme - 3));
        ret->path = start ? tk_arena_strndup(arena, start, (size_t)(end - start)) : "/";
        int r = parse_path(arena, ret, ret_why);
        return r || !*end ? r : parse_query(arena, ret, end + 1, ret_why);
}
