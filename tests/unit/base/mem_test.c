/* SPDX-License-Identifier: MIT */
/* base/mem: sizes, copies, and the abort on overflow. */
#include "base/mem.h"
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void zero_sizes_and_copies(void **state)
{
        char *text = tk_strndup("hello", 3);
        int *numbers = tk_calloc(4, sizeof *numbers);
        (void)state;

        assert_string_equal(text, "hel");
        text = tk_realloc(text, 100, 2);
        assert_string_equal(text, "hel");
        assert_null(tk_free(text));
        assert_int_equal(numbers[3], 0);
        tk_free(numbers);
        text = tk_malloc(0);
        assert_non_null(text);
        tk_free(text);
}

static void overflow_aborts(void **state)
{
        int status;
        pid_t child = fork();
        (void)state;

        if (!child) {
                const struct rlimit none = {0};
                setrlimit(RLIMIT_CORE, &none);
                close(STDERR_FILENO);
                signal(SIGABRT, SIG_DFL);
                _exit(tk_realloc(NULL, SIZE_MAX, 2) != NULL);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(zero_sizes_and_copies),
                cmocka_unit_test(overflow_aborts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
