/* SPDX-License-Identifier: MIT */
/* json: limits and errors say where; members with fallbacks; dump keeps what it reads. */
#include "base/mem.h"
#include "json/json.h"
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct tk_json_limits small = {
        .bytes_max = 300, .depth_max = 4, .entries_max = 3, .string_max = 8};

static void expect(const char *text, int result, const char *message)
{
        struct tk_err err = {0};
        json_t *value = NULL;
        int found = tk_json_parse(text, strlen(text), &small, &value, &err);

        if (found != result || (message && !strstr(err.text, message)))
                fail_msg("%s: got %d \"%s\", expected %d \"%s\"", text, found, err.text, result,
                         message ? message : "");
        assert_true(!!value == !result);
        json_decref(value);
}

static void expect_read(const char *text, int result, const char *dumped)
{
        TK_AUTOBUF struct tk_buf buf;
        TK_AUTOJSON json_t *value = NULL;
        struct tk_err err = {0};

        tk_buf_init(&buf, 1000);
        assert_int_equal(tk_json_read(text, strlen(text), &small, &value, &err), result);
        if (value)
                tk_json_canonical(value, &buf);
        assert_string_equal(value ? buf.data : err.text, dumped);
}

/* What came as 1e20 is kept as an integer by canonical texts and by jsonb. */
static void integers_beyond_64_bits_are_read_back_as_what_they_were(void **state)
{
        (void)state;

        expect("100000000000000000000", TK_JSON_E_SYNTAX, "too big integer");
        expect_read("100000000000000000000", 0, "100000000000000000000");
        expect_read("[-18446744073709551616,9223372036854775807,1]", 0, "[-18446744073709552000,9223372036854775807,1]");
        expect_read("[9223372036854775808,-9223372036854775808]", 0, "[9223372036854776000,-9223372036854775808]");
        expect_read("[-9223372036854775809,9223372036854775808]", 0, "[-9223372036854775808,9223372036854776000]");
        expect_read("[\"\\\"1\",\"9\",100000000000000000000]", 0, "[\"\\\"1\",\"9\",100000000000000000000]");
        expect_read("[1000000000000000000000.5, 100000000000000000000e1]", 0, "[1e+21,1e+21]");
        expect_read("[100000000000000000000,1e999]", TK_JSON_E_SYNTAX, "line 1, column 30: real number overflow near '1e999'");
        expect_read("[1,]", TK_JSON_E_SYNTAX, "line 1, column 4: unexpected token near ']'");
        expect_read("", TK_JSON_E_SYNTAX, "line 1, column 0: the text is empty");
}

static void limits(void **state)
{
        char long_text[302];
        (void)state;

        expect("[1,2,3]", 0, NULL);
        expect("[1,2,3,4]", TK_JSON_E_LIMIT, "at \"\": the number of elements is 4 or more, the limit is 3");
        expect("{\"a\":1,\"b\":2,\"c\":3}", 0, NULL);
        expect("{\"x\":{\"a\":1,\"b\":2,\"c\":3,\"d\":4}}", TK_JSON_E_LIMIT,
               "at \"/x\": the number of members is 4 or more, the limit is 3");
        expect("[[],[{\"k\":[1,2,3,4]}]]", TK_JSON_E_LIMIT, "at \"/1/0/k\": the number of elements is 4");
        expect("[[],[],[]]", 0, NULL);
        expect("[[[[]]]]", 0, NULL);
        expect("{\"a\":[[[[]]]]}", TK_JSON_E_LIMIT,
               "at \"/a/0/0/0\": the nesting depth is 5 or more, the limit is 4");
        expect("\"12345678\"", 0, NULL);
        expect("[\"123456789\"]", TK_JSON_E_LIMIT,
               "at \"/0\": a string has a length in bytes of 9 or more, the limit is 8");
        expect("{\"123456789\":1}", TK_JSON_E_LIMIT, "at \"\": a string");
        expect("\"\\u20ac\\u20ac12\"", 0, NULL);             /* 8 bytes once decoded */
        expect("\"\\ud83d\\ude00\\ud83d\\ude00\"", 0, NULL); /* 8 bytes */
        expect("\"\\ud83d\\ude00\\ud83d\\ude00x\"", TK_JSON_E_LIMIT, "limit is 8");
        expect("\"[[[[[[[\"", 0, NULL); /* brackets in a string are text */
        expect("\"\\\"[[[[[\"", 0, NULL);
        memset(long_text, ' ', sizeof long_text);
        long_text[301] = 0;
        expect(long_text, TK_JSON_E_LIMIT, "the text has 301 bytes, the limit is 300");
}

static void syntax(void **state)
{
        (void)state;
        expect("", TK_JSON_E_SYNTAX, "line 1, column 0: the text is empty");
        expect("{\"a\":\n\n  x}", TK_JSON_E_SYNTAX, "line 3, column 3: ");
        expect("[1,]", TK_JSON_E_SYNTAX, "line 1");
        expect("[1] 2", TK_JSON_E_SYNTAX, "line 1");
        expect("{\"a\":1,\"a\":2}", TK_JSON_E_SYNTAX, "duplicate");
        expect("\"\\u0000\"", TK_JSON_E_SYNTAX, "line 1");
        expect("\"\xff\"", TK_JSON_E_SYNTAX, "unable to decode byte 0xff");
        expect("\"\\ud800\"", TK_JSON_E_SYNTAX, "line 1");
        expect("[NaN]", TK_JSON_E_SYNTAX, "line 1");
        expect("[1e999]", TK_JSON_E_SYNTAX, "line 1");
        expect("]]]]", TK_JSON_E_SYNTAX, "line 1");
        expect("\"abc\\", TK_JSON_E_SYNTAX, "line 1");
        expect("\"\\u12", TK_JSON_E_SYNTAX, "line 1");
        expect("null", 0, NULL);
}

static void depth_is_checked_before_the_parser_sees_the_text(void **state)
{
        enum { N = 1000000 };
        char *text = tk_malloc(N);
        struct tk_err err = {0};
        json_t *value;
        (void)state;

        memset(text, '[', N);
        assert_int_equal(tk_json_parse(text, N, &tk_json_limits_default, &value, &err), TK_JSON_E_LIMIT);
        assert_non_null(strstr(err.text, "the limit is 64"));
        assert_int_equal(tk_json_parse(text, N, &tk_json_limits_default, &value, NULL), TK_JSON_E_LIMIT);
        tk_free(text);
}

static void members(void **state)
{
        static const char text[] = "{\"s\":\"x\",\"i\":5,\"f\":1.5,\"t\":true,\"n\":null}";
        TK_AUTOJSON json_t *value = NULL;
        (void)state;

        assert_int_equal(tk_json_parse(text, sizeof text - 1, &tk_json_limits_default, &value, NULL), 0);
        assert_string_equal(tk_json_str(value, "s"), "x");
        assert_null(tk_json_str(value, "i"));
        assert_null(tk_json_str(value, "missing"));
        assert_int_equal(tk_json_i64(value, "i", 9), 5);
        assert_int_equal(tk_json_i64(value, "f", 9), 9);
        assert_true(tk_json_f64(value, "i", 9) == 5 && tk_json_f64(value, "f", 9) == 1.5 &&
                    tk_json_f64(value, "s", 9) == 9);
        assert_int_equal(tk_json_bool(value, "t", 0), 1);
        assert_int_equal(tk_json_bool(value, "n", 1), 1);
        assert_null(tk_json_str(NULL, "s"));
}

static void dump_keeps_order_and_types(void **state)
{
        static const char text[] =
                "{\"b\":[1,1.0,0.1,-2.5e-7,1e+300],\"a\":{\"\\\"\":\"ä\\n\"},\"t\":[true,false,null]}";
        TK_AUTOJSON json_t *value = NULL, *again = NULL;
        TK_AUTOBUF struct tk_buf buf;
        (void)state;

        tk_buf_init(&buf, 1000);
        assert_int_equal(tk_json_parse(text, sizeof text - 1, &tk_json_limits_default, &value, NULL), 0);
        tk_json_dump(value, &buf);
        assert_string_equal(tk_buf_str(&buf), text);
        assert_int_equal(tk_json_parse(buf.data, buf.len, &tk_json_limits_default, &again, NULL), 0);
        assert_true(json_equal(value, again));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(integers_beyond_64_bits_are_read_back_as_what_they_were),
                cmocka_unit_test(limits),
                cmocka_unit_test(syntax),
                cmocka_unit_test(depth_is_checked_before_the_parser_sees_the_text),
                cmocka_unit_test(members),
                cmocka_unit_test(dump_keeps_order_and_types),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
