/* SPDX-License-Identifier: MIT */
/* json: RFC 8785, its number table (appendix B), its key order and its escapes. */
#include "base/rand.h"
#include "json/json.h"
#include "json/number.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static double from_bits(uint64_t bits)
{
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
}

static void numbers(void **state)
{
        static const struct {
                uint64_t bits;
                const char *text;
        } cases[] = {
                {0x0000000000000000, "0"},
                {0x8000000000000000, "0"},
                {0x0000000000000001, "5e-324"},
                {0x8000000000000001, "-5e-324"},
                {0x7fefffffffffffff, "1.7976931348623157e+308"},
                {0xffefffffffffffff, "-1.7976931348623157e+308"},
                {0x4340000000000000, "9007199254740992"},
                {0xc340000000000000, "-9007199254740992"},
                {0x4430000000000000, "295147905179352830000"},
                {0x44b52d02c7e14af5, "9.999999999999997e+22"},
                {0x44b52d02c7e14af6, "1e+23"},
                {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
                {0x444b1ae4d6e2ef4e, "999999999999999700000"},
                {0x444b1ae4d6e2ef4f, "999999999999999900000"},
                {0x444b1ae4d6e2ef50, "1e+21"},
                {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
                {0x3eb0c6f7a0b5ed8d, "0.000001"},
                {0x41b3de4355555553, "333333333.3333332"},
                {0x41b3de4355555554, "333333333.33333325"},
                {0x41b3de4355555555, "333333333.3333333"},
                {0x41b3de4355555556, "333333333.3333334"},
                {0x41b3de4355555557, "333333333.33333343"},
                {0xbecbf647612f3696, "-0.0000033333333333333333"},
                {0x43143ff3c1cb0959, "1424953923781206.2"},
                {0x3fb999999999999a, "0.1"},
                {0x4024000000000000, "10"},
                {0x3d30000000000000, "5.684341886080802e-14"}, /* a power of two: not the nearest 16 digits */
                {0x0010000000000000, "2.2250738585072014e-308"},
                {0x000fffffffffffff, "2.225073858507201e-308"},
        };
        char text[TK_JSON_NUMBER_TEXT];
        (void)state;

        for (size_t i = 0; i < tk_countof(cases); i++) {
                tk_json_number_format(from_bits(cases[i].bits), text);
                assert_string_equal(text, cases[i].text);
        }
}

static void random_doubles_read_back(void **state)
{
        char text[TK_JSON_NUMBER_TEXT];
        (void)state;

        for (int i = 0; i < 20000; i++) {
                double value = from_bits(tk_rand_u64());
                if (!isfinite(value))
                        continue;
                tk_json_number_format(value, text);
                assert_true(strtod(text, NULL) == value);
                value = ldexp(1, (int)(tk_rand_u64() % 2098) - 1074);
                tk_json_number_format(value, text);
                assert_true(strtod(text, NULL) == value);
        }
}

static void expect(const char *in, const char *out)
{
        TK_AUTOJSON json_t *value = NULL;
        TK_AUTOBUF struct tk_buf buf;
        struct tk_err err = {0};

        tk_buf_init(&buf, 10000);
        if (tk_json_parse(in, strlen(in), &tk_json_limits_default, &value, &err))
                fail_msg("%s: %s", in, err.text);
        tk_json_canonical(value, &buf);
        assert_string_equal(tk_buf_str(&buf), out);
}

static void values(void **state)
{
        (void)state;
        expect(" { } ", "{}");
        expect("[ ]", "[]");
        expect("{\"numbers\": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],"
               "\"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\", \"literals\": "
               "[null, true, false]}",
               "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
               "\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
        expect("{\"peach\":1,\"péché\":2,\"pêche\":3,\"sin\":4}",
               "{\"peach\":1,\"péché\":2,\"pêche\":3,\"sin\":4}");
        expect("{\"b\":{\"d\":1,\"c\":2},\"a\":[{\"z\":1,\"y\":2}]}",
               "{\"a\":[{\"y\":2,\"z\":1}],\"b\":{\"c\":2,\"d\":1}}");
        expect("{\"ab\":1,\"a\":2,\"\":3,\"aa\":4}", "{\"\":3,\"a\":2,\"aa\":4,\"ab\":1}");
}

static void keys_sort_by_utf16(void **state)
{
        (void)state; /* RFC 8785, 3.2.3: 😀 (surrogates) before U+FB33, though its code point is higher */
        expect("{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":\"Hebrew\",\"1\":\"One\","
               "\"\\ud83d\\ude00\":\"Emoji\",\"\\u0080\":\"Control\",\"\\u00f6\":\"o\"}",
               "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\",\"ö\":\"o\",\"€\":\"Euro "
               "Sign\","
               "\"😀\":\"Emoji\",\"\xef\xac\xb3\":\"Hebrew\"}");
        expect("{\"\\ud83d\\ude01\":1,\"\\ud83d\\ude00\":2,\"\\ud7ff\":3}",
               "{\"\xed\x9f\xbf\":3,\"😀\":2,\"😁\":1}");
}

static void one_value_one_text(void **state)
{
        (void)state;
        expect("[1, 1.0, 1e0, 10E-1, -0.0, -0]", "[1,1,1,1,0,0]");
        expect("[9007199254740993, 9007199254740992, 9007199254740992.0]",
               "[9007199254740993,9007199254740992,9007199254740992]");
        expect("[1152921504606846976, 1.152921504606846976e18, 1152921504606847000]",
               "[1152921504606846976,1152921504606846976,1152921504606847000]");
        expect("[9223372036854775807, -9223372036854775808, -9.223372036854775808e18]",
               "[9223372036854775807,-9223372036854775808,-9223372036854775808]");
        expect("[9.223372036854775808e18]", "[9223372036854776000]");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(numbers),
                cmocka_unit_test(random_doubles_read_back),
                cmocka_unit_test(values),
                cmocka_unit_test(keys_sort_by_utf16),
                cmocka_unit_test(one_value_one_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
