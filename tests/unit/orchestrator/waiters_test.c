/* SPDX-License-Identifier: MIT */
/* Requests that wait for tasks: each is answered exactly once, by news, by time, or by whoever takes it back. */
#include "base/mem.h"
#include "base/time.h"
#include "orchestrator/core/waiters.h"
#include "run/lock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { MANY = 500 };
#define SOON (20 * TK_NS_PER_MS)
#define LATER (60 * TK_NS_PER_S)

/* What was answered, and how often. */
static struct {
        struct tk_lock lock;
        struct tk_cond changed;
        unsigned total;
} answers;

static void answer(void *request)
{
        TK_LOCKED(&answers.lock);
        ++*(unsigned *)request;
        answers.total++;
        tk_cond_broadcast(&answers.changed);
}

static void wait_for(unsigned total)
{
        int64_t deadline_ns = tk_time_mono_ns() + LATER;
        TK_LOCKED(&answers.lock);
        while (answers.total < total)
                assert_true(tk_cond_wait(&answers.changed, &answers.lock, deadline_ns));
        assert_int_equal(answers.total, total);
}

static uint64_t add(struct orch_waiters *w, const struct tk_uuid *task, int64_t for_ns, unsigned *count)
{
        bool moving;
        return orch_waiters_add(w, task, tk_time_mono_ns() + for_ns, answer, count, &moving);
}

static bool moving(struct orch_waiters *w, const struct tk_uuid *task)
{
        unsigned count = 0;
        bool ret;
        uint64_t ticket = orch_waiters_add(w, task, tk_time_mono_ns() + LATER, answer, &count, &ret);
        assert_true(orch_waiters_take(w, ticket));
        return ret;
}

static int setup(void **state)
{
        tk_lock_init(&answers.lock, "answers");
        tk_cond_init(&answers.changed);
        answers.total = 0;
        *state = orch_waiters_new();
        return 0;
}

static int teardown(void **state)
{
        orch_waiters_free(*state);
        tk_cond_deinit(&answers.changed);
        tk_lock_deinit(&answers.lock);
        return 0;
}

static void news_of_a_task_answer_those_who_wait_for_it(void **state)
{
        struct orch_waiters *w = *state;
        struct tk_uuid a, b;
        unsigned of_a[3] = {0}, of_b = 0;
        tk_uuid_v4(&a);
        tk_uuid_v4(&b);
        for (unsigned i = 0; i < 3; i++)
                (void)add(w, &a, LATER, &of_a[i]);
        (void)add(w, &b, LATER, &of_b);
        assert_int_equal(orch_waiters_count(w), 4);
        orch_waiters_notify(w, &a);
        wait_for(3);
        assert_int_equal(of_a[0] + of_a[1] + of_a[2], 3);
        assert_int_equal(of_b, 0);
        orch_waiters_notify(w, &a); /* nobody is left */
        assert_int_equal(orch_waiters_count(w), 1);
        orch_waiters_notify_all(w);
        wait_for(4);
        assert_int_equal(of_b, 1);
}

static void time_answers_the_earliest_first(void **state)
{
        struct orch_waiters *w = *state;
        struct tk_uuid task;
        unsigned late = 0, soon = 0;
        tk_uuid_v4(&task);
        (void)add(w, &task, LATER, &late);
        int64_t from_ns = tk_time_mono_ns();
        (void)add(w, &task, SOON, &soon);
        wait_for(1);
        assert_int_equal(soon, 1);
        assert_int_equal(late, 0);
        assert_true(tk_time_mono_ns() - from_ns >= SOON);
        assert_int_equal(orch_waiters_count(w), 1);
        orch_waiters_notify_all(w);
        assert_int_equal(late, 1);
}

static void whoever_takes_it_back_answers_it(void **state)
{
        struct orch_waiters *w = *state;
        struct tk_uuid task;
        unsigned count = 0;
        tk_uuid_v4(&task);
        uint64_t ticket = add(w, &task, LATER, &count);
        assert_true(orch_waiters_take(w, ticket));
        assert_false(orch_waiters_take(w, ticket));
        orch_waiters_notify(w, &task);
        assert_int_equal(count, 0);
        ticket = add(w, &task, LATER, &count);
        orch_waiters_notify(w, &task);
        assert_false(orch_waiters_take(w, ticket)); /* answered already */
        assert_int_equal(count, 1);
}

static void the_end_answers_all(void **state)
{
        struct orch_waiters *w = *state;
        static unsigned counts[MANY];
        struct tk_uuid task;
        for (unsigned i = 0; i < MANY; i++) {
                tk_uuid_v4(&task);
                (void)add(w, &task, LATER - i * TK_NS_PER_MS, &counts[i]);
        }
        *state = orch_waiters_free(w);
        assert_int_equal(answers.total, MANY);
        for (unsigned i = 0; i < MANY; i++)
                assert_int_equal(counts[i], 1);
}

static void a_task_of_ours_is_known_to_move_until_it_rests(void **state)
{
        struct orch_waiters *w = *state;
        struct tk_uuid task, other;
        tk_uuid_v7(&task);
        tk_uuid_v7(&other);
        assert_false(moving(w, &task));
        orch_waiters_moving(w, &task);
        assert_true(moving(w, &task));
        assert_false(moving(w, &other));
        orch_waiters_notify(w, &other);
        assert_true(moving(w, &task));
        orch_waiters_notify(w, &task);
        assert_false(moving(w, &task));
        orch_waiters_moving(w, &task);
        orch_waiters_notify_all(w); /* something may have been missed: nothing is known any more */
        assert_false(moving(w, &task));
}

static void what_is_known_is_bounded(void **state)
{
        struct orch_waiters *w = *state;
        static struct tk_uuid tasks[40000];
        unsigned known = 0;
        for (unsigned i = 0; i < 40000; i++) {
                tk_uuid_v7(&tasks[i]);
                orch_waiters_moving(w, &tasks[i]);
        }
        assert_true(moving(w, &tasks[39999]));
        for (unsigned i = 0; i < 40000; i++)
                known += moving(w, &tasks[i]);
        assert_in_range(known, 4000, 8192);
}

static struct orch_waiters *looked_at;
static unsigned looks, looked_for; /* so often, for so many in all */

static void look(void *user)
{
        size_t n;
        TK_AUTOFREE struct tk_uuid *tasks = orch_waiters_long(looked_at, &n);
        (void)tasks;
        TK_LOCKED(&answers.lock);
        ++*(unsigned *)user;
        looked_for += (unsigned)n;
        tk_cond_broadcast(&answers.changed);
}

static void wait_for_looks(unsigned n)
{
        TK_LOCKED(&answers.lock);
        while (looks < n)
                assert_true(tk_cond_wait(&answers.changed, &answers.lock, tk_time_mono_ns() + LATER));
        assert_int_equal(looks, n);
}

static void who_waits_for_long_is_looked_at_and_one_look_ends_before_the_next(void **state)
{
        struct orch_waiters *w = looked_at = *state;
        struct tk_uuid task;
        unsigned first = 0, second = 0;
        tk_uuid_v4(&task);
        looks = looked_for = 0;
        orch_waiters_watch(w, SOON, look, &looks);
        (void)add(w, &task, LATER, &first);
        wait_for_looks(1);
        (void)add(w, &task, 5 * SOON, &second); /* time for several looks, but the first has not ended */
        wait_for(1);
        wait_for_looks(1);
        orch_waiters_looked(w);
        wait_for_looks(2);
        orch_waiters_stop(w);
        assert_int_equal(looked_for, 2);
        assert_int_equal(first, 0); /* looking alone answers nobody */
        assert_int_equal(second, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(news_of_a_task_answer_those_who_wait_for_it, setup, teardown),
                cmocka_unit_test_setup_teardown(time_answers_the_earliest_first, setup, teardown),
                cmocka_unit_test_setup_teardown(whoever_takes_it_back_answers_it, setup, teardown),
                cmocka_unit_test_setup_teardown(the_end_answers_all, setup, teardown),
                cmocka_unit_test_setup_teardown(a_task_of_ours_is_known_to_move_until_it_rests, setup, teardown),
                cmocka_unit_test_setup_teardown(who_waits_for_long_is_looked_at_and_one_look_ends_before_the_next, setup, teardown),
                cmocka_unit_test_setup_teardown(what_is_known_is_bounded, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
