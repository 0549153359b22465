/* SPDX-License-Identifier: MIT */
/* base/arena.h: bump memory for one request, message or batch, released in one go. Not thread-safe.
 * tk_arena_alloc aborts when the arena's maximum is passed by our own fault; input-sized requests go through
 * tk_arena_try, which returns NULL. Alignment 16. */
#pragma once
#include "base/attr.h"
#include <stddef.h>

struct tk_arena;
TK_MUST struct tk_arena *tk_arena_new(size_t block_size, size_t max); /* never NULL */
struct tk_arena *tk_arena_free(struct tk_arena *arena);               /* NULL is fine; returns NULL */
void tk_arena_reset(struct tk_arena *arena);                          /* keeps the first block */
TK_MUST void *tk_arena_alloc(struct tk_arena *arena, size_t size);    /* zeroed */
TK_MUST void *tk_arena_try(struct tk_arena *arena, size_t size);      /* zeroed; NULL past the maximum */
TK_MUST char *tk_arena_strdup(struct tk_arena *arena, const char *text); /* NULL text gives NULL */
TK_MUST char *tk_arena_strndup(struct tk_arena *arena, const char *text, size_t len);
TK_MUST char *tk_arena_printf(struct tk_arena *arena, const char *fmt, ...) TK_PRINTF(2, 3);
size_t tk_arena_used(const struct tk_arena *arena);
TK_DEFINE_CLEANUP(struct tk_arena *, tk_arena_free);
#define TK_ARENA_NEW(arena, type) ((type *)tk_arena_alloc((arena), sizeof(type)))
#define TK_ARENA_ARRAY(arena, type, n) ((type *)tk_arena_alloc((arena), sizeof(type) * (size_t)(n)))
