/* SPDX-License-Identifier: MIT */
/* base/uuid: text there and back, order and version bits. */
#include "base/uuid.h"
#include "base/time.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void text_goes_round(void **state)
{
        static const char text[] = "01234567-89ab-cdef-0123-456789abcdef";
        struct tk_uuid uuid;
        char again[TK_UUID_TEXT];
        (void)state;

        assert_int_equal(tk_uuid_parse(text, &uuid), 0);
        assert_int_equal(uuid.b[0], 0x01);
        assert_int_equal(uuid.b[15], 0xef);
        tk_uuid_format(&uuid, again);
        assert_string_equal(again, text);
        assert_int_equal(tk_uuid_parse("01234567-89AB-CDEF-0123-456789ABCDEF", &uuid), 0);
        tk_uuid_format(&uuid, again);
        assert_string_equal(again, text);
        assert_int_equal(tk_uuid_parse_n("01234567-89ab-cdef-0123-456789abcdefX", 36, &uuid), 0);
}

static void wrong_texts_are_refused(void **state)
{
        static const char *const wrong[] = {
                "",
                "0123",
                "01234567-89ab-cdef-0123-456789abcde",
                "01234567-89ab-cdef-0123-456789abcdef0",
                "01234567089ab-cdef-0123-456789abcdef",
                "0123456789abcdef0123456789abcdef0000",
                "0123456g-89ab-cdef-0123-456789abcdef",
                "01234567-89ab-cdef-0123-456789abcd-f",
                "01234567-89ab-cdef-0123-456789abcdeG",
        };
        struct tk_uuid uuid = {.b = {1}};
        (void)state;

        for (size_t i = 0; i < tk_countof(wrong); i++)
                assert_int_equal(tk_uuid_parse(wrong[i], &uuid), -EINVAL);
        assert_int_equal(uuid.b[0], 1);
}

static void every_spelling_is_read(void **state)
{
        static const char *const same[] = {
                "01234567-89ab-cdef-0123-456789abcdef", "0123456789abcdef0123456789ABCDEF", "{01234567-89ab-cdef-0123-456789abcdef}",
                "urn:uuid:01234567-89ab-cdef-0123-456789abcdef", "URN:UUID:01234567-89ab-cdef-0123-456789abcdef",
        };
        static const char *const wrong[] = {
                "", "{}", "urn:uuid:", "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdef0",
                "{01234567-89ab-cdef-0123-456789abcdef",
                "01234567-89ab-cdef-0123-456789abcdef}", "{0123456789abcdef0123456789abcdef}x", "0123456789abcdef0123456789abcdeg",
                "urn:uuid:{01234567-89ab-cdef-0123-456789abcdef", "((((((((((((((((((((((((((((((((((((((((((((((",
        };
        struct tk_uuid uuid, expected;
        (void)state;

        assert_int_equal(tk_uuid_parse(same[0], &expected), 0);
        for (size_t i = 0; i < tk_countof(same); i++) {
                assert_int_equal(tk_uuid_parse_any(same[i], &uuid), 0);
                assert_true(tk_uuid_eq(&uuid, &expected));
        }
        for (size_t i = 0; i < tk_countof(wrong); i++)
                assert_int_equal(tk_uuid_parse_any(wrong[i], &uuid), -EINVAL);
}

static void v7_ascends_and_carries_the_time(void **state)
{
        struct tk_uuid last = {0}, next;
        uint64_t ms = 0, now_ms = (uint64_t)(tk_time_wall_ns() / TK_NS_PER_MS);
        (void)state;

        for (int i = 0; i < 100000; i++) {
                tk_uuid_v7(&next);
                assert_true(memcmp(&next, &last, sizeof next) > 0);
                last = next;
        }
        for (int i = 0; i < 6; i++)
                ms = ms << 8 | last.b[i];
        assert_in_range(ms, now_ms, now_ms + 60000);
        assert_int_equal(last.b[6] >> 4, 7);
        assert_int_equal(last.b[8] >> 6, 2);
}

static void v4_is_random(void **state)
{
        struct tk_uuid a, b;
        (void)state;

        tk_uuid_v4(&a);
        tk_uuid_v4(&b);
        assert_int_equal(a.b[6] >> 4, 4);
        assert_int_equal(a.b[8] >> 6, 2);
        assert_false(tk_uuid_eq(&a, &b));
        assert_false(tk_uuid_is_nil(&a));
        assert_true(tk_uuid_is_nil(&(struct tk_uuid){0}));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(text_goes_round),
                cmocka_unit_test(wrong_texts_are_refused),
                cmocka_unit_test(every_spelling_is_read),
                cmocka_unit_test(v7_ascends_and_carries_the_time),
                cmocka_unit_test(v4_is_random),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
