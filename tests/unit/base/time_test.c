/* SPDX-License-Identifier: MIT */
/* base/time: RFC 3339 there and back, durations. */
#include "base/time.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void formats(void **state)
{
        static const struct {
                int64_t ns;
                int digits;
                const char *text;
        } cases[] = {
                {0, 0, "1970-01-01T00:00:00Z"},
                {0, 3, "1970-01-01T00:00:00.000Z"},
                {1, 9, "1970-01-01T00:00:00.000000001Z"},
                {-1, 9, "1969-12-31T23:59:59.999999999Z"},
                {-86400 * TK_NS_PER_S, 0, "1969-12-31T00:00:00Z"},
                {951782400 * TK_NS_PER_S, 0, "2000-02-29T00:00:00Z"},
                {951868799 * TK_NS_PER_S, 0, "2000-02-29T23:59:59Z"},
                {1769860800 * TK_NS_PER_S + 123456789, 6, "2026-01-31T12:00:00.123456Z"},
                {4107542399 * TK_NS_PER_S, 0, "2100-02-28T23:59:59Z"},
                {INT64_MAX, 9, "2262-04-11T23:47:16.854775807Z"},
                {INT64_MIN, 9, "1677-09-21T00:12:43.145224192Z"},
        };
        char text[TK_TIME_TEXT];
        (void)state;

        for (size_t i = 0; i < tk_countof(cases); i++) {
                tk_time_format(cases[i].ns, cases[i].digits, text);
                assert_string_equal(text, cases[i].text);
        }
}

static void parses(void **state)
{
        static const int64_t noon = 1769860800 * TK_NS_PER_S;
        static const struct {
                const char *text;
                int64_t ns;
        } cases[] = {
                {"2026-01-31T12:00:00Z", noon},
                {"2026-01-31 12:00:00", noon},
                {"2026-01-31t12:00:00z", noon},
                {"2026-01-31 12:00:00+00", noon},
                {"2026-01-31T13:30:00+01:30", noon},
                {"2026-01-31T07:00:00-0500", noon},
                {"2026-01-31T12:00:00.5Z", noon + 500000000},
                {"2026-01-31 12:00:00.123456+00", noon + 123456000},
                {"2026-01-31T12:00:00.1234567899Z", noon + 123456789},
                {"2026-01-31T11:59:60Z", noon},
        };
        (void)state;

        for (size_t i = 0; i < tk_countof(cases); i++) {
                int64_t ns = 0;
                assert_int_equal(tk_time_parse(cases[i].text, &ns), 0);
                assert_int_equal(ns, cases[i].ns);
        }
}

static void refuses(void **state)
{
        static const char *const wrong[] = {
                "",
                "2026",
                "2026-01-31",
                "2026-01-31T",
                "2026-01-31T12:00Z",
                "2026-13-01T00:00:00Z",
                "2026-00-01T00:00:00Z",
                "2026-02-29T00:00:00Z",
                "2100-02-29T00:00:00Z",
                "2026-04-31T00:00:00Z",
                "2026-01-31T24:00:00Z",
                "2026-01-31T12:60:00Z",
                "2026-01-31T12:00:61Z",
                "2026-01-31T12:00:00.Z",
                "2026-01-31T12:00:00ZZ",
                "2026-01-31T12:00:00+1",
                "2026-01-31T12:00:00+24",
                "2026-01-31T12:00:00+01:",
                "2026-01-31T12:00:00+01:60",
                "2026-01-31x12:00:00Z",
                "26-01-31T12:00:00Z",
                "9999-01-01T00:00:00Z",
                "0001-01-01T00:00:00Z",
                "infinity",
        };
        (void)state;

        for (size_t i = 0; i < tk_countof(wrong); i++) {
                int64_t ns = 77;
                assert_int_equal(tk_time_parse(wrong[i], &ns), -EINVAL);
                assert_int_equal(ns, 77);
        }
}

static void every_day_of_900_years_goes_round(void **state)
{
        char text[TK_TIME_TEXT];
        (void)state;

        for (int64_t day = -106000; day < 106000; day++) {
                int64_t ns = day * 86400 * TK_NS_PER_S + 86399 * TK_NS_PER_S, again;
                tk_time_format(ns, 0, text);
                assert_int_equal(tk_time_parse(text, &again), 0);
                assert_int_equal(ns, again);
        }
}

static void durations(void **state)
{
        static const struct {
                const char *text;
                int result;
                int64_t ns;
        } cases[] = {
                {"0", 0, 0},
                {"250ms", 0, 250 * TK_NS_PER_MS},
                {"30s", 0, 30 * TK_NS_PER_S},
                {"5m", 0, 300 * TK_NS_PER_S},
                {"2h", 0, 7200 * TK_NS_PER_S},
                {"1d", 0, 86400 * TK_NS_PER_S},
                {"7", 0, 7 * TK_NS_PER_S},
                {"9us", 0, 9000},
                {"9ns", 0, 9},
                {"", -EINVAL, 0},
                {"s", -EINVAL, 0},
                {"-1s", -EINVAL, 0},
                {"1 s", -EINVAL, 0},
                {"1S", -EINVAL, 0},
                {"1.5s", -EINVAL, 0},
                {"1w", -EINVAL, 0},
                {"106752d", -ERANGE, 0},
                {"99999999999999999999s", -ERANGE, 0},
        };
        (void)state;

        for (size_t i = 0; i < tk_countof(cases); i++) {
                int64_t ns = 0;
                assert_int_equal(tk_time_duration_parse(cases[i].text, &ns), cases[i].result);
                if (!cases[i].result)
                        assert_int_equal(ns, cases[i].ns);
        }
}

static void clocks_move_forward(void **state)
{
        int64_t before = tk_time_mono_ns();
        (void)state;

        assert_true(tk_time_mono_ns() >= before);
        assert_true(tk_time_wall_ns() > 1700000000 * TK_NS_PER_S);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(formats),   cmocka_unit_test(parses),
                cmocka_unit_test(refuses),   cmocka_unit_test(every_day_of_900_years_goes_round),
                cmocka_unit_test(durations), cmocka_unit_test(clocks_move_forward),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
