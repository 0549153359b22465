/* SPDX-License-Identifier: MIT */
/* Request targets taken apart. */
#include "http/uri.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct tk_arena *arena;

static int parse(const char *target, struct tk_http_uri *uri, const char **why)
{
        tk_arena_reset(arena);
        return tk_http_uri_parse(target, arena, uri, why);
}

static void segments_are_decoded_after_the_split(void **state)
{
        struct tk_http_uri uri;
        const char *why;

        (void)state;
        assert_int_equal(parse("/v1/t%C3%A4sk%2Fx/a+b", &uri, &why), TK_HTTP_URI_OK);
        assert_int_equal(uri.segments.n, 3);
        assert_string_equal(uri.segments.segments[0], "v1");
        assert_string_equal(uri.segments.segments[1], "täsk/x");
        assert_string_equal(uri.segments.segments[2], "a+b");
        assert_string_equal(uri.path, "/v1/t%C3%A4sk%2Fx/a+b");
        assert_int_equal(uri.query_n, 0);
}

static void root_and_trailing_slash_are_empty_segments(void **state)
{
        struct tk_http_uri uri;
        const char *why;

        (void)state;
        assert_int_equal(parse("/", &uri, &why), TK_HTTP_URI_OK);
        assert_int_equal(uri.segments.n, 1);
        assert_string_equal(uri.segments.segments[0], "");
        assert_int_equal(parse("/a/?", &uri, &why), TK_HTTP_URI_OK);
        assert_int_equal(uri.segments.n, 2);
        assert_string_equal(uri.segments.segments[1], "");
}

static void query_is_decoded(void **state)
{
        struct tk_http_uri uri;
        const char *why;

        (void)state;
        assert_int_equal(parse("/t?wait=30s&name=a+b%26c&flag&&empty=&eq=a=b", &uri, &why), TK_HTTP_URI_OK);
        assert_int_equal(uri.query_n, 5);
        assert_string_equal(uri.query[0].name, "wait");
        assert_string_equal(uri.query[0].value, "30s");
        assert_string_equal(uri.query[1].value, "a b&c");
        assert_string_equal(uri.query[2].name, "flag");
        assert_string_equal(uri.query[2].value, "");
        assert_string_equal(uri.query[3].value, "");
        assert_string_equal(uri.query[4].value, "a=b");
        assert_string_equal(uri.path, "/t");
}

static void absolute_form_is_understood(void **state)
{
        struct tk_http_uri uri;
        const char *why;

        (void)state;
        assert_int_equal(parse("http://host:80/a/b?c=d", &uri, &why), TK_HTTP_URI_OK);
        assert_string_equal(uri.path, "/a/b");
        assert_string_equal(uri.query[0].value, "d");
        assert_int_equal(parse("http://host?c=d", &uri, &why), TK_HTTP_URI_OK);
        assert_string_equal(uri.path, "/");
        assert_int_equal(uri.query_n, 1);
}

static void broken_targets_are_refused(void **state)
{
        static const struct {
                const char *target, *why;
        } broken[] = {
                {"/a/%", "path segment 2"},      {"/a/%4", "path segment 2"},
                {"/%zz", "path segment 1"},      {"/a%00b", "path segment 1"},
                {"/%ff", "path segment 1"},      {"/%ed%a0%80", "path segment 1"},
                {"/a?x=%", "query parameter 1"}, {"/a?x=1&%c3=1", "parameter 2"},
                {"*", "must start with '/'"},    {"/a?x=1&y=2&x=3", "duplicate field `x`"},
        };
        struct tk_http_uri uri;
        const char *why;

        (void)state;
        for (size_t at = 0; at < sizeof broken / sizeof *broken; at++) {
                assert_int_equal(parse(broken[at].target, &uri, &why), TK_HTTP_URI_E_BAD);
                assert_non_null(strstr(why, broken[at].why));
        }
}

static void depth_and_query_are_bounded(void **state)
{
        char many[512] = "/a?";
        struct tk_http_uri uri;
        const char *why;

        (void)state;
        assert_int_equal(parse("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", &uri, &why), TK_HTTP_URI_OK);
        assert_int_equal(parse("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", &uri, &why),
                         TK_HTTP_URI_E_UNKNOWN);
        for (int at = 0; at <= TK_HTTP_QUERY_MAX; at++)
                snprintf(many + strlen(many), sizeof many - strlen(many), "p%d=1&", at);
        assert_int_equal(parse(many, &uri, &why), TK_HTTP_URI_E_BAD);
        assert_non_null(strstr(why, "more than 32"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(segments_are_decoded_after_the_split),
                cmocka_unit_test(root_and_trailing_slash_are_empty_segments),
                cmocka_unit_test(query_is_decoded),
                cmocka_unit_test(absolute_form_is_understood),
                cmocka_unit_test(broken_targets_are_refused),
                cmocka_unit_test(depth_and_query_are_bounded),
        };
        arena = tk_arena_new(4096, 1 << 20);
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        arena = tk_arena_free(arena);
        return failed;
}
