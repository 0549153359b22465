/* SPDX-License-Identifier: MIT */
/* Who waits for whom before a result leaves. A wait that should not be would last a minute. */
#include "base/time.h"
#include "run/thread.h"
#include "worker/core/together.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LONG_NS (60 * TK_NS_PER_S)

struct pair {
        struct work_together company;
        atomic_uint in_hand;
        atomic_bool second_is_over, first_was_early;
};

static int setup(void **state)
{
        static struct pair pair;
        pair = (struct pair){0};
        work_together_init(&pair.company, &pair.in_hand);
        *state = &pair;
        return 0;
}

static int teardown(void **state)
{
        struct pair *pair = *state;
        work_together_deinit(&pair->company);
        return 0;
}

static void leave(struct pair *pair, int64_t wait_ns)
{
        int64_t begin_ns = tk_time_mono_ns();
        work_together_leave(&pair->company, wait_ns ? begin_ns + wait_ns : 0);
        assert_true(tk_time_mono_ns() - begin_ns < LONG_NS / 2);
}

static void alone_nobody_waits(void **state)
{
        struct pair *pair = *state;
        work_together_join(&pair->company);
        leave(pair, LONG_NS);
        assert_int_equal(pair->in_hand, 0);
}

static void first(void *arg)
{
        struct pair *pair = arg;
        work_together_leave(&pair->company, tk_time_mono_ns() + LONG_NS);
        atomic_store(&pair->first_was_early, !atomic_load(&pair->second_is_over));
}

static void the_first_waits_for_the_last(void **state)
{
        struct pair *pair = *state;
        struct tk_thread thread;
        work_together_join(&pair->company);
        work_together_join(&pair->company);
        tk_thread_start(&thread, "first", first, pair);
        while (atomic_load(&pair->in_hand) > 1)
                tk_time_sleep(TK_NS_PER_MS);
        atomic_store(&pair->second_is_over, true);
        leave(pair, LONG_NS);
        tk_thread_join(&thread);
        assert_false(atomic_load(&pair->first_was_early));
}

static void nobody_waits_beyond_its_time(void **state)
{
        struct pair *pair = *state;
        work_together_join(&pair->company);
        work_together_join(&pair->company);
        leave(pair, 1);
        assert_int_equal(pair->company.open, 1);
        leave(pair, 0);
}

static void nobody_waits_while_there_is_other_work(void **state)
{
        struct pair *pair = *state;
        struct work_together others;
        work_together_init(&others, &pair->in_hand);
        work_together_join(&others);
        work_together_join(&pair->company);
        work_together_join(&pair->company);
        leave(pair, LONG_NS);
        assert_int_equal(pair->company.open, 1);
        work_together_leave(&others, 0);
        leave(pair, LONG_NS);
        work_together_deinit(&others);
        assert_int_equal(pair->in_hand, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(alone_nobody_waits, setup, teardown),
                cmocka_unit_test_setup_teardown(the_first_waits_for_the_last, setup, teardown),
                cmocka_unit_test_setup_teardown(nobody_waits_beyond_its_time, setup, teardown),
                cmocka_unit_test_setup_teardown(nobody_waits_while_there_is_other_work, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
