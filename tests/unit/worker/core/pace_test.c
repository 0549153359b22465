/* SPDX-License-Identifier: MIT */
/* How many attempts a worker takes at once, by how long its handlers take. */
#include "base/time.h"
#include "worker/core/pace.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { PERMITS = 10 };

static unsigned learn(struct work_pace *pace, unsigned n, int64_t ns)
{
        unsigned total = 0;
        while (n--)
                total = work_pace_learn(pace, ns);
        return total;
}

static void takes_nothing_in_advance_before_it_knows(void **state)
{
        (void)state;
        struct work_pace *pace = work_pace_new(PERMITS, -1);
        assert_int_equal(work_pace_now(pace), PERMITS);
        assert_int_equal(work_pace_max(pace), PERMITS * (1 + WORK_PACE_TIMES_MAX));
        work_pace_free(pace);
}

static void many_when_fast_none_when_slow(void **state)
{
        (void)state;
        struct work_pace *pace = work_pace_new(PERMITS, -1);
        assert_int_equal(learn(pace, 1, 50 * 1000), PERMITS * (1 + WORK_PACE_TIMES_MAX));
        assert_int_equal(learn(pace, 200, 60 * TK_NS_PER_S), PERMITS);
        assert_int_equal(learn(pace, 400, 0), PERMITS * (1 + WORK_PACE_TIMES_MAX));
        assert_int_equal(work_pace_now(pace), PERMITS * (1 + WORK_PACE_TIMES_MAX));
        work_pace_free(pace);
}

static void as_much_as_is_done_in_the_time_ahead(void **state)
{
        (void)state;
        struct work_pace *pace = work_pace_new(PERMITS, -1);
        assert_int_equal(learn(pace, 1, WORK_PACE_AHEAD_NS / 4), PERMITS * 5);
        assert_int_equal(learn(pace, 1, WORK_PACE_AHEAD_NS / 4 + 16 * (int64_t)WORK_PACE_AHEAD_NS), PERMITS); /* one outlier moves the mean */
        work_pace_free(pace);
}

static void a_fixed_number_stays(void **state)
{
        (void)state;
        struct work_pace *pace = work_pace_new(PERMITS, 3);
        assert_int_equal(work_pace_now(pace), PERMITS + 3);
        assert_int_equal(learn(pace, 5, 1000), PERMITS + 3);
        assert_int_equal(work_pace_max(pace), PERMITS + 3);
        work_pace_free(pace);
        pace = work_pace_new(PERMITS, 0);
        assert_int_equal(learn(pace, 5, 1000), PERMITS);
        work_pace_free(pace);
}

static void less_than_the_fixed_number_where_it_would_only_be_given_back(void **state)
{
        (void)state;
        struct work_pace *pace = work_pace_new(PERMITS, 25);
        assert_int_equal(learn(pace, 1, WORK_PACE_PATIENCE_NS / 4), PERMITS + 20);
        assert_int_equal(learn(pace, 200, WORK_PACE_PATIENCE_NS), PERMITS);
        assert_int_equal(learn(pace, 400, 1000), PERMITS + 25);
        work_pace_free(pace);
}

static void nothing_in_advance_while_it_would_wait(void **state)
{
        (void)state;
        struct work_pace *pace = work_pace_new(PERMITS, -1);
        assert_int_equal(learn(pace, 100, TK_NS_PER_MS), PERMITS * (1 + WORK_PACE_TIMES_MAX));
        assert_int_equal(work_pace_stalled(pace), PERMITS);
        assert_int_equal(work_pace_now(pace), PERMITS);
        assert_int_equal(learn(pace, 20, TK_NS_PER_MS), PERMITS); /* a few quick ones do not change that */
        assert_int_equal(learn(pace, 100, TK_NS_PER_MS), PERMITS * (1 + WORK_PACE_TIMES_MAX));
        work_pace_free(pace);
        pace = work_pace_new(PERMITS, 25);
        assert_int_equal(work_pace_stalled(pace), PERMITS);
        assert_int_equal(learn(pace, 1, WORK_PACE_PATIENCE_NS), PERMITS);
        work_pace_free(pace);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(takes_nothing_in_advance_before_it_knows),
                cmocka_unit_test(many_when_fast_none_when_slow),
                cmocka_unit_test(as_much_as_is_done_in_the_time_ahead),
                cmocka_unit_test(a_fixed_number_stays),
                cmocka_unit_test(less_than_the_fixed_number_where_it_would_only_be_given_back),
                cmocka_unit_test(nothing_in_advance_while_it_would_wait),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
