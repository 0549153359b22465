/* SPDX-License-Identifier: MIT */
/* base/str: numbers, sizes, UTF-8. */
#include "base/str.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void copies_say_when_they_cut(void **state)
{
        char room[4];
        (void)state;

        assert_int_equal(tk_str_copy(room, sizeof room, "abc"), 0);
        assert_string_equal(room, "abc");
        assert_int_equal(tk_str_copy(room, sizeof room, "abcd"), -E2BIG);
        assert_string_equal(room, "abc");
        assert_int_equal(tk_str_copy(room, 0, ""), -E2BIG);
}

static void whole_numbers(void **state)
{
        static const struct {
                const char *text;
                int result;
                int64_t value;
        } cases[] = {
                {"0", 0, 0},         {"-7", 0, -7},
                {"+7", 0, 7},        {"100", 0, 100},
                {"101", -ERANGE, 0}, {"-101", -ERANGE, 0},
                {"", -EINVAL, 0},    {" 1", -EINVAL, 0},
                {"1 ", -EINVAL, 0},  {"1x", -EINVAL, 0},
                {"0x1", -EINVAL, 0}, {"-", -EINVAL, 0},
                {"--1", -EINVAL, 0}, {"99999999999999999999", -ERANGE, 0},
        };
        int64_t value;
        (void)state;

        for (size_t i = 0; i < tk_countof(cases); i++) {
                value = 0;
                assert_int_equal(tk_str_to_i64(cases[i].text, -100, 100, &value), cases[i].result);
                assert_int_equal(value, cases[i].value);
        }
        assert_int_equal(tk_str_to_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &value), 0);
        assert_true(value == INT64_MIN);
}

static void floating_numbers(void **state)
{
        static const char *const wrong[] = {"", "inf", "nan", "0x1p3", " 1", "1 ", "1e", "-", "1.2.3"};
        double value = 0;
        (void)state;

        assert_int_equal(tk_str_to_f64("-1.5e3", &value), 0);
        assert_true(value == -1500);
        assert_int_equal(tk_str_to_f64("1e999", &value), -ERANGE);
        for (size_t i = 0; i < tk_countof(wrong); i++)
                assert_int_equal(tk_str_to_f64(wrong[i], &value), -EINVAL);
}

static void sizes(void **state)
{
        static const struct {
                const char *text;
                int result;
                uint64_t value;
        } cases[] = {
                {"0", 0, 0},
                {"512", 0, 512},
                {"64k", 0, 65536},
                {"10M", 0, 10485760},
                {"1G", 0, 1073741824},
                {"2KiB", 0, 2048},
                {"16777215T", 0, 16777215ULL << 40},
                {"16777216T", -ERANGE, 0},
                {"-1", -EINVAL, 0},
                {"1x", -EINVAL, 0},
                {"", -EINVAL, 0},
                {"k", -EINVAL, 0},
                {"1 k", -EINVAL, 0},
                {"99999999999999999999", -ERANGE, 0},
        };
        (void)state;

        for (size_t i = 0; i < tk_countof(cases); i++) {
                uint64_t value = 0;
                assert_int_equal(tk_str_to_size(cases[i].text, &value), cases[i].result);
                assert_int_equal(value, cases[i].value);
        }
}

static void utf8(void **state)
{
        static const char *const right[] = {
                "", "a", "ä", "€", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"};
        static const char *const wrong[] = {
                "\x80",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x9f\xbf",
                "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                "\xc3",         "\xe2\x82",         "\xf0\x9f\x98",     "a\xff"};
        (void)state;

        for (size_t i = 0; i < tk_countof(right); i++)
                assert_true(tk_str_utf8_valid(right[i], strlen(right[i])));
        for (size_t i = 0; i < tk_countof(wrong); i++)
                assert_false(tk_str_utf8_valid(wrong[i], strlen(wrong[i])));
        assert_false(tk_str_utf8_valid("a\0b", 3));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(copies_say_when_they_cut),
                cmocka_unit_test(whole_numbers),
                cmocka_unit_test(floating_numbers),
                cmocka_unit_test(sizes),
                cmocka_unit_test(utf8),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
