/* SPDX-License-Identifier: MIT */
/* run/lock: waiting ends by signal or by time; waits for a lock are counted. */
#include "base/time.h"
#include "run/lock.h"
#include "run/spread.h"
#include "run/thread.h"
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

struct shared {
        struct tk_lock lock;
        struct tk_cond cond;
        bool flag;
};

static void raise_flag(void *arg)
{
        struct shared *shared = arg;

        TK_LOCKED(&shared->lock);
        shared->flag = true;
        tk_cond_broadcast(&shared->cond);
}

static void waits(void **state)
{
        struct shared shared = {.flag = false};
        struct tk_thread thread, never = {.started = 0};
        int64_t before = tk_time_mono_ns();
        (void)state;

        tk_lock_init(&shared.lock, "test");
        tk_cond_init(&shared.cond);
        tk_lock_take(&shared.lock);
        while (tk_cond_wait(&shared.cond, &shared.lock, before + 20 * TK_NS_PER_MS))
                ;
        assert_true(tk_time_mono_ns() - before >= 20 * TK_NS_PER_MS);
        assert_false(tk_cond_wait(&shared.cond, &shared.lock, 0));
        tk_thread_start(&thread, "raiser", raise_flag, &shared);
        while (!shared.flag)
                tk_cond_wait(&shared.cond, &shared.lock, TK_TIME_NEVER);
        tk_lock_give(&shared.lock);
        tk_thread_join(&thread);
        tk_thread_join(&thread);
        tk_thread_join(&never);
        tk_cond_deinit(&shared.cond);
        tk_lock_deinit(&shared.lock);
}

static void waits_seen(void *user, const struct tk_spread_stats *stats)
{
        uint64_t *count = user;

        if (stats->what == TK_SPREAD_LOCK_WAIT && !strcmp(stats->name, "busy"))
                *count += stats->count;
}

static void take_and_give(void *arg)
{
        struct shared *shared = arg;

        tk_lock_take(&shared->lock);
        tk_lock_give(&shared->lock);
}

/* Only a lock that somebody else has is waited for, and counted. */
static void counts_waits(void **state)
{
        struct shared shared = {.flag = false};
        uint64_t count = 0;
        int64_t deadline = tk_time_mono_ns() + 10 * TK_NS_PER_S;
        (void)state;

        tk_lock_init(&shared.lock, "busy");
        tk_lock_take(&shared.lock);
        tk_lock_give(&shared.lock);
        tk_spread_each(waits_seen, &count);
        assert_int_equal(count, 0);
        while (!count && tk_time_mono_ns() < deadline) { /* whether the other one meets us is the scheduler's to say */
                struct tk_thread thread;

                tk_lock_take(&shared.lock);
                tk_thread_start(&thread, "other", take_and_give, &shared);
                sched_yield();
                tk_lock_give(&shared.lock);
                tk_thread_join(&thread);
                tk_spread_each(waits_seen, &count);
        }
        assert_true(count > 0);
        tk_lock_deinit(&shared.lock);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(waits),
                cmocka_unit_test(counts_waits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
