/* SPDX-License-Identifier: MIT */
/* run/signal: signals arrive as values; the second TERM ends the process. */
#include "base/time.h"
#include "run/signal.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void signals_are_values(void **state)
{
        static const struct {
                int number;
                enum tk_signal meaning;
        } cases[] = {{SIGTERM, TK_SIGNAL_TERM},
                     {SIGINT, TK_SIGNAL_TERM},
                     {SIGHUP, TK_SIGNAL_HUP},
                     {SIGUSR1, TK_SIGNAL_USR1},
                     {SIGCHLD, TK_SIGNAL_CHLD}};
        (void)state;

        tk_signal_block();
        assert_int_equal(tk_signal_wait(0), TK_SIGNAL_NONE);
        assert_int_equal(tk_signal_wait(tk_time_mono_ns() + TK_NS_PER_MS), TK_SIGNAL_NONE);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                assert_int_equal(kill(getpid(), cases[i].number), 0);
                assert_int_equal(tk_signal_wait(TK_TIME_NEVER), cases[i].meaning);
        }
        tk_signal_raise(TK_SIGNAL_TERM);
        assert_int_equal(tk_signal_wait(TK_TIME_NEVER), TK_SIGNAL_TERM);
        tk_signal_raise(TK_SIGNAL_NONE);
        assert_int_equal(tk_signal_wait(0), TK_SIGNAL_NONE);
        assert_int_equal(kill(getpid(), SIGPIPE), 0); /* ignored */
}

static int status_of(pid_t child)
{
        int status = -1;

        assert_int_equal(waitpid(child, &status, 0), child);
        return status;
}

static void second_term_exits(void **state)
{
        pid_t child = fork();
        (void)state;

        if (!child) {
                tk_signal_block();
                kill(getpid(), SIGTERM);
                if (tk_signal_wait(TK_TIME_NEVER) != TK_SIGNAL_TERM)
                        _exit(9);
                tk_signal_exit_on_next_term(7);
                kill(getpid(), SIGINT);
                for (;;)
                        pause();
        }
        int status = status_of(child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 7);
}

static void a_child_dies_of_term_again(void **state)
{
        pid_t child = fork();
        (void)state;

        if (!child) {
                tk_signal_block();
                tk_signal_unblock_child();
                kill(getpid(), SIGTERM);
                _exit(9);
        }
        int status = status_of(child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGTERM);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(signals_are_values),
                cmocka_unit_test(second_term_exits),
                cmocka_unit_test(a_child_dies_of_term_again),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
