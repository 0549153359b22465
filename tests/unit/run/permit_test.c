/* SPDX-License-Identifier: MIT */
/* run/permit: never more than allowed, waiting, closing. */
#include "base/time.h"
#include "run/permit.h"
#include "run/thread.h"
#include <stdatomic.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct tk_permits *permits;
static atomic_int inside, most;

static void work(void *arg)
{
        (void)arg;
        for (int i = 0; i < 500; i++) {
                if (!tk_permits_take(permits, TK_TIME_NEVER))
                        return;
                int now = atomic_fetch_add(&inside, 1) + 1, seen = atomic_load(&most);
                while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now))
                        ;
                sched_yield();
                atomic_fetch_sub(&inside, 1);
                tk_permits_give(permits);
        }
}

static void at_most_so_many(void **state)
{
        struct tk_thread threads[6];
        struct tk_permits_stats stats;
        (void)state;

        permits = tk_permits_new("test", 3);
        for (size_t i = 0; i < tk_countof(threads); i++)
                tk_thread_start(&threads[i], "worker", work, NULL);
        for (size_t i = 0; i < tk_countof(threads); i++)
                tk_thread_join(&threads[i]);
        tk_permits_stats(permits, &stats);
        assert_in_range(atomic_load(&most), 1, 3);
        assert_int_equal(stats.acquired, 3000);
        assert_int_equal(stats.in_use, 0);
        assert_int_equal(stats.waiting, 0);
        assert_in_range(stats.high_water, 1, 3);
        permits = tk_permits_free(permits);
}

static void wait_for_ever(void *arg)
{
        *(bool *)arg = tk_permits_take(permits, TK_TIME_NEVER);
}

static void time_and_close_end_the_wait(void **state)
{
        struct tk_permits_stats stats = {0};
        struct tk_thread thread;
        bool taken = true;
        (void)state;

        permits = tk_permits_new("test", 1);
        assert_true(tk_permits_take(permits, 0));
        assert_false(tk_permits_take(permits, 0));
        assert_false(tk_permits_take(permits, tk_time_mono_ns() + TK_NS_PER_MS));
        tk_thread_start(&thread, "waiter", wait_for_ever, &taken);
        while (!stats.waiting)
                tk_permits_stats(permits, &stats);
        tk_permits_close(permits);
        tk_thread_join(&thread);
        assert_false(taken);
        tk_permits_give(permits);
        assert_false(tk_permits_take(permits, TK_TIME_NEVER)); /* closed for good */
        permits = tk_permits_free(permits);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(at_most_so_many),
                cmocka_unit_test(time_and_close_end_the_wait),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
