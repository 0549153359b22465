/* SPDX-License-Identifier: MIT */
/* cache/core/store.h: the first level: answers as the bytes they are sent in, least recently used out first, bounded by
 * bytes, each with its own end. No I/O; time comes from the caller. Thread-safe.
 *
 * Loads race with invalidations: a load that read the old row before the change must not store it after the drop. So a
 * loader takes the generation before it reads, and a put of an older generation is refused. */
#pragma once
#include "base/attr.h"
#include "base/buf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cache_found { CACHE_MISS, CACHE_HIT, CACHE_NEGATIVE };
struct cache_store;
TK_MUST struct cache_store *cache_store_new(size_t bytes_max);
struct cache_store *cache_store_free(struct cache_store *store);

/* On CACHE_HIT the value is appended to ret. */
enum cache_found cache_store_get(struct cache_store *store, const char *key, int64_t now_ns, struct tk_buf *ret);
uint64_t cache_store_generation(struct cache_store *store);
/* data NULL: remembers that there is none. `changes`: the value may be invalidated, so the generation counts.
 * False: refused (dropped meanwhile, or larger than the whole store). */
bool cache_store_put(struct cache_store *store, const char *key, const void *data, size_t len, int64_t expires_ns,
                     bool changes, uint64_t generation);
/* Returns whether it was there. Loads under way do not store what they read. */
bool cache_store_drop(struct cache_store *store, const char *key);
/* Everything that may change; returns how many. */
size_t cache_store_drop_changing(struct cache_store *store);

struct cache_store_stats {
        size_t entries, bytes, bytes_max;
        uint64_t evictions;
};
void cache_store_stats(struct cache_store *store, struct cache_store_stats *ret);
