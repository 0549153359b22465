/* SPDX-License-Identifier: MIT */
/* cache/core/store.c: see the header. A map for finding, a list for the order of use (newest first), one lock: an entry is
 * copied out in less time than a second lock would cost. */
#include "cache/core/store.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "run/lock.h"

struct entry {
        struct tk_list link;
        int64_t expires_ns;
        size_t cost;
        size_t len;
        bool negative, changes;
        char *key;
        char data[];
};

struct cache_store {
        struct tk_lock lock;
        struct tk_map *map;
        struct tk_list lru;
        size_t bytes, bytes_max;
        uint64_t generation, evictions;
};

/* What an entry costs beside its bytes: itself, its slot in the map and the map's copy of the key. */
enum { OVERHEAD = sizeof(struct entry) + 64 };

struct cache_store *cache_store_new(size_t bytes_max)
{
        struct cache_store *store = TK_NEW(struct cache_store);
        tk_lock_init(&store->lock, "store");
        store->map = tk_map_new();
        tk_list_init(&store->lru);
        store->bytes_max = bytes_max;
        return store;
}

static void entry_free(struct cache_store *store, struct entry *entry)
{
        tk_list_remove(&entry->link);
        store->bytes -= entry->cost;
        tk_free(entry->key);
        tk_free(entry);
}

struct cache_store *cache_store_free(struct cache_store *store)
{
        if (!store)
                return NULL;
        tk_list_each(node, &store->lru)
                entry_free(store, tk_list_entry(node, struct entry, link));
        tk_map_free(store->map);
        tk_lock_deinit(&store->lock);
        return tk_free(store);
}

/* Under the lock. */
static bool drop(struct cache_store *store, const char *key)
{
        struct entry *entry = tk_map_dels(store->map, key);
        if (entry)
                entry_free(store, entry);
        return entry;
}

enum cache_found cache_store_get(struct cache_store *store, const char *key, int64_t now_ns, struct tk_buf *ret)
{
        TK_LOCKED(&store->lock);
        struct entry *entry = tk_map_gets(store->map, key);
        if (!entry)
                return CACHE_MISS;
        if (entry->expires_ns <= now_ns) {
                drop(store, key);
                return CACHE_MISS;
        }
        tk_list_remove(&entry->link);
        tk_list_prepend(&store->lru, &entry->link);
        if (entry->negative)
                return CACHE_NEGATIVE;
        tk_buf_put(ret, entry->data, entry->len);
        return CACHE_HIT;
}

uint64_t cache_store_generation(struct cache_store *store)
{
        TK_LOCKED(&store->lock);
        return store->generation;
}

static void make_room(struct cache_store *store)
{
        while (store->bytes > store->bytes_max) {
                struct entry *oldest = tk_list_entry(store->lru.prev, struct entry, link);
                (void)tk_map_dels(store->map, oldest->key);
                entry_free(store, oldest);
                store->evictions++;
        }
}

bool cache_store_put(struct cache_store *store, const char *key, const void *data, size_t len, int64_t expires_ns,
                     bool changes, uint64_t generation)
{
        size_t cost = OVERHEAD + 2 * (strlen(key) + 1) + len;
        if (cost > store->bytes_max)
                return false;
        TK_LOCKED(&store->lock);
        if (changes && generation != store->generation)
                return false;
        drop(store, key);
        struct entry *entry = tk_malloc(sizeof *entry + len);
        *entry = (struct entry){.expires_ns = expires_ns, .cost = cost, .len = len, .negative = !data,
                                 .changes = changes, .key = tk_strdup(key)};
        if (len)
                memcpy(entry->data, data, len);
        tk_list_init(&entry->link);
        tk_list_prepend(&store->lru, &entry->link);
        (void)tk_map_puts(store->map, key, entry);
        store->bytes += cost;
        make_room(store);
        return true;
}

bool cache_store_drop(struct cache_store *store, const char *key)
{
        TK_LOCKED(&store->lock);
        store->generation++;
        return drop(store, key);
}

size_t cache_store_drop_changing(struct cache_store *store)
{
        size_t n = 0;
        TK_LOCKED(&store->lock);
        store->generation++;
        tk_list_each(node, &store->lru) {
                struct entry *entry = tk_list_entry(node, struct entry, link);
                if (!entry->changes)
                        continue;
                (void)tk_map_dels(store->map, entry->key);
                entry_free(store, entry);
                n++;
        }
        return n;
}

void cache_store_stats(struct cache_store *store, struct cache_store_stats *ret)
{
        TK_LOCKED(&store->lock);
        *ret = (struct cache_store_stats){.entries = tk_map_count(store->map), .bytes = store->bytes, .bytes_max = store->bytes_max,
                                          .evictions = store->evictions};
}
