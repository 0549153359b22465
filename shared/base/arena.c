/* SPDX-License-Identifier: MIT */
/* base/arena.c: a chain of blocks, newest first; allocation moves a mark inside the newest. What is larger
 * than a block gets a block of its own size. */
#include "base/arena.h"
#include "base/check.h"
#include "base/mem.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ALIGN = 16, BLOCK_MIN = 256 };

struct block {
        struct block *older;
        size_t size, used; /* of data */
        _Alignas(ALIGN) unsigned char data[];
};

struct tk_arena {
        struct block *newest;
        size_t block_size, max;
        size_t used; /* bytes handed out, padding included */
};

static struct block *block_new(size_t size, struct block *older)
{
        size_t total;
        struct block *block;

        TK_CHECK(!__builtin_add_overflow(sizeof *block, size, &total));
        block = tk_malloc(total);
        block->older = older;
        block->size = size;
        block->used = 0;
        return block;
}

struct tk_arena *tk_arena_new(size_t block_size, size_t max)
{
        struct tk_arena *arena = TK_NEW(struct tk_arena);

        arena->block_size = block_size < BLOCK_MIN ? BLOCK_MIN : block_size;
        arena->max = max;
        arena->newest = block_new(arena->block_size, NULL);
        return arena;
}

struct tk_arena *tk_arena_free(struct tk_arena *arena)
{
        if (!arena)
                return NULL;
        tk_arena_reset(arena);
        tk_free(arena->newest);
        return tk_free(arena);
}

void tk_arena_reset(struct tk_arena *arena)
{
        while (arena->newest->older) {
                struct block *block = arena->newest;
                arena->newest = block->older;
                tk_free(block);
        }
        arena->newest->used = 0;
        arena->used = 0;
}

void *tk_arena_try(struct tk_arena *arena, size_t size)
{
        struct block *block = arena->newest;
        size_t padded;
        void *at;

        if (__builtin_add_overflow(size ? size : 1, (size_t)ALIGN - 1, &padded))
                return NULL;
        padded &= ~((size_t)ALIGN - 1);
        if (padded > arena->max || arena->used > arena->max - padded)
                return NULL;
        if (padded > block->size - block->used) {
                block = block_new(padded > arena->block_size ? padded : arena->block_size, block);
                arena->newest = block;
        }
        at = block->data + block->used;
        block->used += padded;
        arena->used += padded;
        return memset(at, 0, padded);
}

void *tk_arena_alloc(struct tk_arena *arena, size_t size)
{
        void *at = tk_arena_try(arena, size);

        if (tk_unlikely(!at))
                TK_BUG("arena maximum passed");
        return at;
}

char *tk_arena_strdup(struct tk_arena *arena, const char *text)
{
        return text ? tk_arena_strndup(arena, text, strlen(text)) : NULL;
}

char *tk_arena_strndup(struct tk_arena *arena, const char *text, size_t len)
{
        size_t n = strnlen(text, len);
        char *copy = tk_arena_alloc(arena, n + 1);

        memcpy(copy, text, n);
        return copy;
}

char *tk_arena_printf(struct tk_arena *arena, const char *fmt, ...)
{
        va_list args, again;
        char *text;
        int n;

        va_start(args, fmt);
        va_copy(again, args);
        n = vsnprintf(NULL, 0, fmt, args);
        va_end(args);
        TK_CHECK(n >= 0);
        text = tk_arena_alloc(arena, (size_t)n + 1);
        vsnprintf(text, (size_t)n + 1, fmt, again);
        va_end(again);
        return text;
}

size_t tk_arena_used(const struct tk_arena *arena)
{
        return arena->used;
}
