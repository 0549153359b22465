/* SPDX-License-Identifier: MIT */
/* base/buf: growth, the sticky maximum, JSON strings. */
#include "base/buf.h"
#include "base/mem.h"
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void growth_keeps_content_and_nul(void **state)
{
        TK_AUTOBUF struct tk_buf buf;
        (void)state;

        tk_buf_init(&buf, 100000);
        assert_string_equal(tk_buf_str(&buf), "");
        for (int i = 0; i < 5000; i++)
                tk_buf_printf(&buf, "%04d,", i);
        assert_int_equal(buf.len, 25000);
        assert_memory_equal(buf.data + 24995, "4999,", 6);
        tk_buf_printf(&buf, "%0600d", 1); /* longer than the small buffer inside */
        assert_int_equal(buf.len, 25600);
        assert_int_equal(buf.data[25599], '1');
        assert_false(tk_buf_failed(&buf));
}

static void failure_is_sticky_until_reset(void **state)
{
        TK_AUTOBUF struct tk_buf buf;
        (void)state;

        tk_buf_init(&buf, 4);
        tk_buf_puts(&buf, "abcd");
        assert_false(tk_buf_failed(&buf));
        tk_buf_putc(&buf, 'e');
        assert_true(tk_buf_failed(&buf));
        assert_string_equal(tk_buf_str(&buf), "abcd");
        assert_null(tk_buf_grow(&buf, 0));
        assert_null(tk_buf_grow(&buf, SIZE_MAX));
        tk_buf_reset(&buf);
        tk_buf_puts(&buf, "xy");
        assert_false(tk_buf_failed(&buf));
        assert_string_equal(tk_buf_str(&buf), "xy");
}

static void take_hands_over(void **state)
{
        TK_AUTOBUF struct tk_buf buf;
        char *text;
        (void)state;

        tk_buf_init(&buf, 10);
        text = tk_buf_take(&buf);
        assert_string_equal(text, "");
        tk_free(text);
        tk_buf_puts(&buf, "hello");
        text = tk_buf_take(&buf);
        assert_string_equal(text, "hello");
        assert_int_equal(buf.len, 0);
        tk_free(text);
}

static void json_strings(void **state)
{
        static const struct {
                const char *in, *out;
        } cases[] = {
                {"", "\"\""},
                {"plain", "\"plain\""},
                {"q\"b\\s/", "\"q\\\"b\\\\s/\""},
                {"\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\""},
                {"ä€😀", "\"ä€😀\""},
                {"a\xff"
                 "b",
                 "\"a\xef\xbf\xbd"
                 "b\""},
                {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* a surrogate */
                {"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* cut */
        };
        (void)state;

        for (size_t i = 0; i < tk_countof(cases); i++) {
                TK_AUTOBUF struct tk_buf buf;
                tk_buf_init(&buf, 1000);
                tk_buf_put_json_str(&buf, cases[i].in, strlen(cases[i].in));
                assert_string_equal(tk_buf_str(&buf), cases[i].out);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(growth_keeps_content_and_nul),
                cmocka_unit_test(failure_is_sticky_until_reset),
                cmocka_unit_test(take_hands_over),
                cmocka_unit_test(json_strings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
