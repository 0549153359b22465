/* SPDX-License-Identifier: MIT */
/* A member's text, found without parsing. */
#include "json/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void finds(void **state)
{
        static const struct {
                const char *text, *key, *value; /* NULL: not found */
        } cases[] = {
                {"{\"a\":1}", "a", "1"},
                {" { \"a\" : 1 , \"b\" : \"x\" } ", "a", "1"},
                {" { \"a\" : 1 , \"b\" : \"x\" } ", "b", "\"x\""},
                {"{\"a\":{\"b\":[1,{\"c\":2}]},\"b\":3}", "b", "3"},
                {"{\"a\":{\"b\":[1,{\"c\":2}]},\"b\":3}", "a", "{\"b\":[1,{\"c\":2}]}"},
                {"{\"a\":\"},\\\"b\\\":1\",\"b\":2}", "b", "2"},
                {"{\"a\":\"\\\\\",\"b\":2}", "b", "2"},
                {"{\"a\":1,\"a\":2}", "a", "1"},
                {"{\"ab\":1}", "a", NULL},
                {"{\"a\\u0062\":1}", "ab", NULL},
                {"{}", "a", NULL},
                {"[{\"a\":1}]", "a", NULL},
                {"", "a", NULL},
                /* not JSON: nothing, or something that does not parse; never beyond the end */
                {"{\"a\"", "a", NULL},
                {"{\"a\":", "a", NULL},
                {"{\"a", "a", NULL},
                {"{\"a\":\"\\", "a", "\"\\"},
                {"{\"a\":[[[", "a", "[[["},
                {"{\"a\":1 \"b\":2}", "b", NULL},
                {"{\"a\" 1}", "a", NULL},
        };
        (void)state;
        for (size_t i = 0; i < tk_countof(cases); i++) {
                const char *at = NULL;
                size_t len = 0, n = strlen(cases[i].text);
                char *text = malloc(n + 1); /* for the address sanitizer: exactly so long */
                memcpy(text, cases[i].text, n + 1);
                char *exact = realloc(text, n ? n : 1);
                bool found = tk_json_member(exact, n, cases[i].key, &at, &len);
                if (found != (cases[i].value != NULL) || (found && (len != strlen(cases[i].value) || memcmp(at, cases[i].value, len) != 0)))
                        fail_msg("case %zu: %s of %s: found %d %.*s", i, cases[i].key, cases[i].text, found, (int)len, at ? at : "");
                free(exact);
        }
}

static bool deeper(const char *prefix, size_t open, const char *middle, size_t depth_max)
{
        size_t len = strlen(prefix) + 2 * open + strlen(middle);
        char *text = malloc(len); /* without an end, for the address sanitizer */
        memcpy(text, prefix, strlen(prefix));
        for (size_t i = 0; i < open; i++) {
                text[strlen(prefix) + i] = i % 2 ? '{' : '[';
                text[len - 1 - i] = i % 2 ? '}' : ']';
        }
        memcpy(text + strlen(prefix) + open, middle, strlen(middle));
        bool r = tk_json_deeper(text, len, depth_max);
        free(text);
        return r;
}

static void depth(void **state)
{
        (void)state;
        assert_false(deeper("", 8, "", 8));
        assert_true(deeper("", 9, "", 8));
        assert_true(deeper("", 100000, "", 128));
        assert_true(deeper("[[]]    ", 9, "\"]]]]]]\\\"]]\"", 8));
        assert_false(deeper("                    ", 7, "\"[[[[[{{{\"", 8));
        assert_false(deeper("[][][][][][][]{}{}{}", 8, "", 8));
        assert_false(deeper("]]]]]]]]]]]]]]]]]]", 8, "\"\\", 8));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(finds),
                cmocka_unit_test(depth),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
