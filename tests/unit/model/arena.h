/* SPDX-License-Identifier: MIT */
/* tests/unit/model/arena.h: what tests of parsers have in common: an arena of each test's own, and the last error. After cmocka's headers. */
#pragma once
#include "base/arena.h"
#include "base/err.h"

static struct tk_arena *arena;
static struct tk_err err;

static int setup(void **state)
{
        (void)state;
        arena = tk_arena_new(4096, 16 << 20);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        arena = tk_arena_free(arena);
        return 0;
}
