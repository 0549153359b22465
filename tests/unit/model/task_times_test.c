/* SPDX-License-Identifier: MIT */
/* When a task may start and when it must be complete. */
#include "base/time.h"
#include "json/json.h"
#include "model/task_request.h"
#include "model/task_times.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define NOW INT64_C(1767225600000000000) /* 2026-01-01T00:00:00Z */

static int parse(const char *text, struct tk_task_times *ret, struct tk_err *err)
{
        TK_AUTOJSON json_t *request = json_loads(text, 0, NULL);
        assert_non_null(request);
        return tk_task_times_parse(request, NOW, ret, err);
}

static void nothing_is_none(void **state)
{
        static const char *const texts[] = {"{}", "{\"run_at\":null,\"deadline\":null,\"timeout_seconds\":null}", "{\"priority\":5}"};
        (void)state;
        for (size_t i = 0; i < tk_countof(texts); i++) {
                struct tk_task_times times = {.run_at_ns = 7};
                struct tk_err err = {0};
                assert_int_equal(parse(texts[i], &times, &err), 0);
                assert_false(tk_task_times_any(&times));
        }
}

static void zones_are_the_same_moment(void **state)
{
        static const char *const texts[] = {"2026-01-01T01:00:00Z", "2026-01-01T02:00:00+01:00", "2025-12-31T20:00:00-05:00",
                                            "2026-01-01t01:00:00.000z"};
        (void)state;
        for (size_t i = 0; i < tk_countof(texts); i++) {
                int64_t ns = 0;
                assert_int_equal(tk_task_time_parse(texts[i], &ns), 0);
                assert_int_equal(ns, NOW + 3600 * TK_NS_PER_S);
        }
        int64_t ns;
        assert_int_not_equal(tk_task_time_parse("2026-01-01T01:00:00", &ns), 0);
        assert_int_not_equal(tk_task_time_parse("2026-01-01", &ns), 0);
        assert_int_not_equal(tk_task_time_parse("", &ns), 0);
}

static void all_of_them(void **state)
{
        struct tk_task_times times;
        struct tk_err err = {0};
        (void)state;
        assert_int_equal(parse("{\"run_at\":\"2026-01-01T00:00:01Z\",\"deadline\":\"2026-01-01T00:00:02Z\",\"timeout_seconds\":31622400}",
                               &times, &err), 0);
        assert_int_equal(times.run_at_ns, NOW + TK_NS_PER_S);
        assert_int_equal(times.deadline_ns, NOW + 2 * TK_NS_PER_S);
        assert_int_equal(times.timeout_s, 31622400);
        assert_true(tk_task_times_any(&times));
}

static void refusals_name_field_limit_and_what_was_found(void **state)
{
        static const struct {
                const char *request;
                int outcome;
                const char *says;
        } cases[] = {
                {"{\"run_at\":5}", TK_TASK_REQUEST_E_SHAPE, "run_at: invalid type"},
                {"{\"run_at\":\"soon\"}", TK_TASK_REQUEST_E_VALUE,
                 "run_at: must be a time with a zone, such as 2026-01-31T12:00:00Z, found 'soon'"},
                {"{\"run_at\":\"2027-01-03T00:00:00Z\"}", TK_TASK_REQUEST_E_VALUE,
                 "run_at: may be 366 days ahead at most, found 2027-01-03T00:00:00Z"},
                {"{\"deadline\":\"2026-01-01T00:00:00Z\"}", TK_TASK_REQUEST_E_VALUE, "deadline: must be to come, found 2026-01-01T00:00:00Z"},
                {"{\"run_at\":\"2026-01-02T00:00:00Z\",\"deadline\":\"2026-01-02T00:00:00Z\"}", TK_TASK_REQUEST_E_VALUE,
                 "deadline: must be after run_at, found 2026-01-02T00:00:00Z"},
                {"{\"timeout_seconds\":1.5}", TK_TASK_REQUEST_E_SHAPE, "timeout_seconds: invalid type"},
                {"{\"timeout_seconds\":0}", TK_TASK_REQUEST_E_VALUE, "timeout_seconds: must be between 1 and 31622400, found 0"},
                {"{\"timeout_seconds\":31622401}", TK_TASK_REQUEST_E_VALUE, "timeout_seconds: must be between 1 and 31622400, found 31622401"},
        };
        (void)state;
        for (size_t i = 0; i < tk_countof(cases); i++) {
                struct tk_task_times times;
                struct tk_err err = {0};
                assert_int_equal(parse(cases[i].request, &times, &err), cases[i].outcome);
                assert_non_null(strstr(tk_err_text(&err), cases[i].says));
        }
}

static void a_start_that_has_passed_is_taken(void **state)
{
        struct tk_task_times times;
        struct tk_err err = {0};
        (void)state;
        assert_int_equal(parse("{\"run_at\":\"2020-01-01T00:00:00Z\",\"deadline\":\"2026-01-01T00:00:01Z\"}", &times, &err), 0);
        assert_true(times.run_at_ns < NOW);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_is_none),
                cmocka_unit_test(zones_are_the_same_moment),
                cmocka_unit_test(all_of_them),
                cmocka_unit_test(refusals_name_field_limit_and_what_was_found),
                cmocka_unit_test(a_start_that_has_passed_is_taken),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
