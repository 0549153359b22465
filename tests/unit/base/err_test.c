/* SPDX-License-Identifier: MIT */
/* base/err: texts, prefixes, cuts. */
#include "base/err.h"
#include <errno.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void text_and_place(void **state)
{
        struct tk_err err = {0};
        (void)state;

        assert_int_equal(TK_ERR(&err, -EINVAL, "limit is %d", 7), -EINVAL);
        assert_string_equal(tk_err_text(&err), "limit is 7");
        assert_int_equal(err.code, -EINVAL);
        assert_non_null(strstr(err.file, "err_test.c"));
        tk_err_prefix(&err, "file:%d", 3);
        assert_string_equal(tk_err_text(&err), "file:3: limit is 7");
        assert_int_equal(TK_ERR((struct tk_err *)NULL, 5, "nobody listens"), 5);
        tk_err_prefix(NULL, "nobody");
}

static void without_a_text(void **state)
{
        struct tk_err err = {.code = -ENOENT};
        (void)state;

        assert_string_equal(tk_err_text(&err), "No such file or directory");
        err.code = 3;
        assert_string_equal(tk_err_text(&err), "unknown error");
        assert_string_equal(tk_err_text(NULL), "unknown error");
}

static void long_texts_end_in_an_ellipsis(void **state)
{
        struct tk_err err = {0};
        char text[600];
        (void)state;

        memset(text, 'x', sizeof text);
        text[599] = 0;
        for (int shift = 0; shift < 4; shift++) { /* the cut never halves a character */
                memcpy(text + 500 + shift, "😀😀😀", 12);
                (void)TK_ERR(&err, -1, "%s", text);
                assert_true(strlen(err.text) < sizeof err.text);
                assert_string_equal(err.text + strlen(err.text) - 3, "…");
                assert_true(((unsigned char)err.text[strlen(err.text) - 4] & 0xc0) == 0x80 ||
                            err.text[strlen(err.text) - 4] == 'x');
        }
        tk_err_prefix(&err, "outer");
        assert_memory_equal(err.text, "outer: xx", 9);
        assert_string_equal(err.text + strlen(err.text) - 3, "…");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(text_and_place),
                cmocka_unit_test(without_a_text),
                cmocka_unit_test(long_texts_end_in_an_ellipsis),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
