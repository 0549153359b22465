/* SPDX-License-Identifier: MIT */
/* base/map.h: hash map from byte strings (copied) to pointers (borrowed). Seeded per process. Not thread-safe.
 * Iteration order is insertion order as long as nothing was removed. */
#pragma once
#include "base/attr.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tk_map;
TK_MUST struct tk_map *tk_map_new(void);
struct tk_map *tk_map_free(struct tk_map *map); /* NULL is fine; values are the caller's */
size_t tk_map_count(const struct tk_map *map);
void *tk_map_get(const struct tk_map *map, const void *key, size_t len); /* NULL when absent */
void *tk_map_put(struct tk_map *map, const void *key, size_t len, void *value); /* returns the value it replaced, or NULL; value not NULL */
void *tk_map_del(struct tk_map *map, const void *key, size_t len); /* returns the removed value, or NULL */
/* for (size_t at = 0; tk_map_next(map, &at, &key, &len, &value);) – no put or del while walking, except del of the current key. */
bool tk_map_next(const struct tk_map *map, size_t *at, const void **ret_key, size_t *ret_len, void **ret_value);
void *tk_map_gets(const struct tk_map *map, const char *key);
void *tk_map_puts(struct tk_map *map, const char *key, void *value);
void *tk_map_dels(struct tk_map *map, const char *key);
TK_DEFINE_CLEANUP(struct tk_map *, tk_map_free);
