/* SPDX-License-Identifier: MIT */
/* Moments as people write them. */
#include "cli/when.h"
#include "base/attr.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define NOW INT64_C(1767225600000000000) /* 2026-01-01T00:00:00Z */

static void from_now_or_with_a_zone(void **state)
{
        static const struct {
                const char *text, *expected;
        } cases[] = {
                {"+0", "2026-01-01T00:00:00.000000Z"},      {"+90", "2026-01-01T00:01:30.000000Z"},
                {"+1500ms", "2026-01-01T00:00:01.500000Z"}, {"+2d", "2026-01-03T00:00:00.000000Z"},
                {"2026-02-03T04:05:06Z", "2026-02-03T04:05:06.000000Z"}, {"2026-02-03T04:05:06+01:00", "2026-02-03T03:05:06.000000Z"},
        };
        (void)state;
        for (size_t i = 0; i < tk_countof(cases); i++) {
                char text[TK_TIME_TEXT];
                assert_int_equal(cli_when_parse(cases[i].text, NOW, text), 0);
                assert_string_equal(text, cases[i].expected);
        }
}

static void nothing_else(void **state)
{
        static const char *const texts[] = {"",           "+",                   "+x",           "+-5m", "10m", "tomorrow",
                                            "2026-02-03", "2026-02-03T04:05:06", "+9223372036s", "+99999999999999999999d"};
        (void)state;
        for (size_t i = 0; i < tk_countof(texts); i++) {
                char text[TK_TIME_TEXT] = "untouched";
                assert_int_not_equal(cli_when_parse(texts[i], NOW, text), 0);
                assert_string_equal(text, "untouched");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(from_now_or_with_a_zone), cmocka_unit_test(nothing_else)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
