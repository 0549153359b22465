/* SPDX-License-Identifier: MIT */
/* The route tree: what matches, what wins, what is refused when it is built. */
#include "base/str.h"
#include "http/route.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define ROUTE(m, p) {.method = TK_HTTP_##m, .pattern = (p)}

static const struct tk_http_route rows[] = {
        ROUTE(GET, "/"),
        ROUTE(GET, "/v1/tasks"),
        ROUTE(POST, "/v1/tasks"),
        ROUTE(GET, "/v1/tasks/{uuid}"),
        ROUTE(DELETE, "/v1/tasks/{uuid}"),
        ROUTE(GET, "/v1/tasks/{uuid}/steps/{step}"),
        ROUTE(GET, "/v1/tasks/stats"),
        ROUTE(PUT, "/v1/tasks/stats/reset"),
        ROUTE(GET, "/a/{x}/b"),
        ROUTE(GET, "/{y}/{z}/c"),
};

/* Splits on '/', as the parser of targets does. */
static struct tk_http_path path_of(const char *text, char *scratch, size_t size)
{
        struct tk_http_path path = {0};

        assert_int_equal(tk_str_copy(scratch, size, text), 0);
        for (char *at = scratch; at;) {
                *at++ = '\0';
                path.segments[path.n++] = at;
                at = strchr(at, '/');
        }
        return path;
}

static const struct tk_http_route *find(const struct tk_http_routes *routes, enum tk_http_method method,
                                        const char *text, struct tk_http_match *ret)
{
        static char scratch[256];
        struct tk_http_path path = path_of(text, scratch, sizeof scratch);

        return tk_http_routes_match(routes, &path, ret) ? ret->by_method[method] : NULL;
}

static void matches_literals_and_parameters(void **state)
{
        struct tk_http_routes *routes;
        struct tk_http_match match;

        (void)state;
        assert_int_equal(tk_http_routes_new(rows, tk_countof(rows), &routes, NULL), 0);
        assert_ptr_equal(find(routes, TK_HTTP_GET, "/", &match), &rows[0]);
        assert_ptr_equal(find(routes, TK_HTTP_POST, "/v1/tasks", &match), &rows[2]);
        assert_ptr_equal(find(routes, TK_HTTP_DELETE, "/v1/tasks/abc", &match), &rows[4]);
        assert_int_equal(match.params_n, 1);
        assert_string_equal(match.params[0], "abc");
        assert_ptr_equal(find(routes, TK_HTTP_GET, "/v1/tasks/a/steps/b", &match), &rows[5]);
        assert_int_equal(match.params_n, 2);
        assert_string_equal(match.params[1], "b");
        tk_http_routes_free(routes);
}

static void literal_wins_and_the_walk_steps_back(void **state)
{
        struct tk_http_routes *routes;
        struct tk_http_match match;

        (void)state;
        assert_int_equal(tk_http_routes_new(rows, tk_countof(rows), &routes, NULL), 0);
        assert_ptr_equal(find(routes, TK_HTTP_GET, "/v1/tasks/stats", &match), &rows[6]);
        assert_int_equal(match.params_n, 0);
        assert_ptr_equal(find(routes, TK_HTTP_GET, "/v1/tasks/stats/steps/x", &match), &rows[5]);
        assert_int_equal(match.params_n, 2);
        assert_string_equal(match.params[0], "stats");
        assert_ptr_equal(find(routes, TK_HTTP_GET, "/a/1/c", &match), &rows[9]);
        assert_int_equal(match.params_n, 2);
        assert_string_equal(match.params[0], "a");
        assert_string_equal(match.params[1], "1");
        tk_http_routes_free(routes);
}

static void unknown_paths_do_not_match(void **state)
{
        static const char *const unknown[] = {"/v1",
                                              "/v1/",
                                              "/v1/tasks/",
                                              "/v1/tasks/a/steps",
                                              "/v1/tasks/a/steps/",
                                              "/v1/tasks//steps/b",
                                              "/v1/Tasks",
                                              "//"};
        struct tk_http_routes *routes;
        struct tk_http_match match;

        (void)state;
        assert_int_equal(tk_http_routes_new(rows, tk_countof(rows), &routes, NULL), 0);
        for (size_t at = 0; at < tk_countof(unknown); at++)
                assert_null(find(routes, TK_HTTP_GET, unknown[at], &match));
        tk_http_routes_free(routes);
}

static void allow_lists_methods(void **state)
{
        struct tk_http_routes *routes;
        struct tk_http_match match;
        char text[TK_HTTP_ALLOW_TEXT];

        (void)state;
        assert_int_equal(tk_http_routes_new(rows, tk_countof(rows), &routes, NULL), 0);
        assert_null(find(routes, TK_HTTP_PATCH, "/v1/tasks", &match));
        tk_http_routes_allow(&match, text);
        assert_string_equal(text, "GET,HEAD,POST");
        assert_null(find(routes, TK_HTTP_GET, "/v1/tasks/stats/reset", &match));
        tk_http_routes_allow(&match, text);
        assert_string_equal(text, "PUT");
        tk_http_routes_free(routes);
}

static void bad_tables_are_refused(void **state)
{
        static const struct tk_http_route twice[] = {ROUTE(GET, "/a/{x}"), ROUTE(GET, "/a/{y}")};
        static const struct tk_http_route relative[] = {ROUTE(GET, "a")};
        static const struct tk_http_route deep[] = {ROUTE(GET, "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17")};
        struct tk_http_routes *routes;
        struct tk_err err;

        (void)state;
        assert_int_equal(tk_http_routes_new(twice, 2, &routes, &err), -EEXIST);
        assert_non_null(strstr(tk_err_text(&err), "GET /a/{y}"));
        assert_int_equal(tk_http_routes_new(relative, 1, &routes, &err), -EINVAL);
        assert_int_equal(tk_http_routes_new(deep, 1, &routes, &err), -EINVAL);
        assert_non_null(strstr(tk_err_text(&err), "16 segments"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(matches_literals_and_parameters),
                cmocka_unit_test(literal_wins_and_the_walk_steps_back),
                cmocka_unit_test(unknown_paths_do_not_match),
                cmocka_unit_test(allow_lists_methods),
                cmocka_unit_test(bad_tables_are_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
