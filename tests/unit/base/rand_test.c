/* SPDX-License-Identifier: MIT */
/* base/rand: bounds, and a child that does not repeat its parent. */
#include "base/rand.h"
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void values_stay_in_their_bounds(void **state)
{
        uint64_t ones = 0, zeros = 0;
        (void)state;

        for (int i = 0; i < 10000; i++) {
                double f = tk_rand_f64();
                int64_t jitter = tk_rand_jitter(1000, 0.2);
                uint64_t bits = tk_rand_u64();
                assert_true(f >= 0 && f < 1);
                assert_in_range(jitter, 800, 1200);
                ones |= bits;
                zeros |= ~bits;
        }
        assert_int_equal(ones, UINT64_MAX);
        assert_int_equal(zeros, UINT64_MAX);
}

static void backoff_doubles_up_to_its_maximum(void **state)
{
        (void)state;
        for (int i = 0; i < 1000; i++) {
                assert_in_range(tk_rand_backoff(0, 100, 5000), 50, 100);
                assert_in_range(tk_rand_backoff(3, 100, 5000), 400, 800);
                assert_in_range(tk_rand_backoff(6, 100, 5000), 2500, 5000);
                assert_in_range(tk_rand_backoff(UINT32_MAX, 100, 5000), 2500, 5000);
                assert_in_range(tk_rand_backoff(UINT32_MAX, 1, INT64_MAX), INT64_MAX / 2, INT64_MAX);
        }
}

static void a_forked_child_goes_its_own_way(void **state)
{
        uint64_t theirs = 0, ours;
        int pipes[2], status;
        pid_t child;
        (void)state;

        (void)tk_rand_u64();
        assert_int_equal(pipe(pipes), 0);
        child = fork();
        if (!child) {
                theirs = tk_rand_u64();
                _exit(write(pipes[1], &theirs, sizeof theirs) != sizeof theirs);
        }
        ours = tk_rand_u64();
        assert_int_equal(read(pipes[0], &theirs, sizeof theirs), sizeof theirs);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_not_equal(ours, theirs);
        close(pipes[0]);
        close(pipes[1]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(values_stay_in_their_bounds),
                cmocka_unit_test(backoff_doubles_up_to_its_maximum),
                cmocka_unit_test(a_forked_child_goes_its_own_way),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
