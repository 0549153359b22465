/* SPDX-License-Identifier: MIT */
/* What TASKER_FAULTS may say, and which passings of a point then fail. */
#include "fault/fault.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { PASSINGS = 10000 };

static unsigned strikes(enum tk_fault point)
{
        unsigned n = 0;
        for (unsigned i = 0; i < PASSINGS; i++)
                n += tk_fault(point);
        return n;
}

static void nothing_is_asked_for(void **state)
{
        (void)state;
        assert_int_equal(tk_fault_init(NULL, NULL), 0);
        assert_false(tk_fault_on);
        assert_int_equal(tk_fault_init("", NULL), 0);
        for (int point = 0; point < TK_FAULTS; point++)
                assert_int_equal(strikes((enum tk_fault)point), 0);
}

static void by_chance_and_once(void **state)
{
        (void)state;
        assert_int_equal(tk_fault_init("statement_after:0.1,push_twice:#7,post:1", NULL), 0);
        assert_true(tk_fault_on);
        assert_in_range(strikes(TK_FAULT_STATEMENT_AFTER), PASSINGS / 20, PASSINGS / 5);
        for (unsigned i = 1; i < 20; i++)
                assert_int_equal(tk_fault(TK_FAULT_PUSH_TWICE), i == 7);
        assert_int_equal(strikes(TK_FAULT_POST), PASSINGS);
        assert_int_equal(strikes(TK_FAULT_STATEMENT_BEFORE), 0);
        assert_int_equal(tk_fault_init(NULL, NULL), 0);
        assert_int_equal(strikes(TK_FAULT_POST), 0);
}

static void what_is_not_understood(void **state)
{
        static const char *const texts[] = {"nowhere:0.1", "post", "post:", "post:2", "post:0", "post:-1", "post:x", "post:0.1x", "post:#0",
                                            "post:#x", "push_lose:0.1,post"};
        struct tk_err err;
        (void)state;
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
                assert_int_equal(tk_fault_init(texts[i], &err), -EINVAL);
                assert_false(tk_fault_on);
        }
        assert_string_equal(tk_err_text(&err), "TASKER_FAULTS: post needs a probability above 0 and to 1, or #n, found ''");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_is_asked_for),
                cmocka_unit_test(by_chance_and_once),
                cmocka_unit_test(what_is_not_understood),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
