/* SPDX-License-Identifier: MIT */
/* base/arena: alignment, zeroes, the maximum, reset. */
#include "base/arena.h"
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void memory_is_aligned_zeroed_and_bounded(void **state)
{
        struct tk_arena *arena = tk_arena_new(256, 4096);
        (void)state;

        for (size_t size = 0; size < 40; size++) {
                unsigned char *at = tk_arena_alloc(arena, size);
                assert_int_equal((uintptr_t)at % 16, 0);
                for (size_t i = 0; i < size; i++)
                        assert_int_equal(at[i], 0);
                memset(at, 0xff, size);
        }
        assert_null(tk_arena_try(arena, 4096));
        assert_null(tk_arena_try(arena, SIZE_MAX));
        assert_non_null(tk_arena_try(arena, 1024)); /* larger than a block */
        assert_null(tk_arena_free(arena));
}

static void reset_gives_everything_back(void **state)
{
        struct tk_arena *arena = tk_arena_new(256, 1024);
        (void)state;

        for (int round = 0; round < 10; round++) {
                unsigned char *at = tk_arena_try(arena, 1024);
                assert_non_null(at);
                assert_int_equal(at[1023], 0);
                memset(at, 0xff, 1024);
                assert_int_equal(tk_arena_used(arena), 1024);
                assert_null(tk_arena_try(arena, 1));
                tk_arena_reset(arena);
                assert_int_equal(tk_arena_used(arena), 0);
        }
        tk_arena_free(arena);
}

static void texts_are_copied(void **state)
{
        struct tk_arena *arena = tk_arena_new(256, 4096);
        (void)state;

        assert_null(tk_arena_strdup(arena, NULL));
        assert_string_equal(tk_arena_strdup(arena, "abc"), "abc");
        assert_string_equal(tk_arena_strndup(arena, "abcdef", 3), "abc");
        assert_string_equal(tk_arena_strndup(arena, "ab", 9), "ab");
        assert_string_equal(tk_arena_printf(arena, "%s-%d", "step", 7), "step-7");
        tk_arena_free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(memory_is_aligned_zeroed_and_bounded),
                cmocka_unit_test(reset_gives_everything_back),
                cmocka_unit_test(texts_are_copied),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
