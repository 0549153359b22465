/* SPDX-License-Identifier: MIT */
/* base/map.c: entries in a dense array in order of insertion, and a table of positions into it (open
 * addressing, linear probing). Removing leaves a hole in both until the next growth, so a walk may remove
 * what it stands on. Keys come from outside, hence SipHash-1-3 with a key of this process: nobody can aim at
 * one slot. */
#include "base/map.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/rand.h"
#include <pthread.h>
#include <string.h>

enum { TABLE_MIN = 16 };
enum { SLOT_EMPTY = 0, SLOT_HOLE = UINT32_MAX }; /* else: position in entries, plus one */

struct entry {
        char *key; /* owned, NUL-terminated; NULL: removed */
        size_t len;
        uint64_t hash;
        void *value;
};

struct tk_map {
        struct entry *entries;
        size_t used, count; /* entries with holes, and without */
        uint32_t *table;
        size_t mask;
};

static uint64_t seed[2];

static void seed_once(void)
{
        seed[0] = tk_rand_u64();
        seed[1] = tk_rand_u64();
}

static void sip_round(uint64_t v[4])
{
        v[0] += v[1], v[1] = (v[1] << 13 | v[1] >> 51) ^ v[0], v[0] = v[0] << 32 | v[0] >> 32;
        v[2] += v[3], v[3] = (v[3] << 16 | v[3] >> 48) ^ v[2];
        v[0] += v[3], v[3] = (v[3] << 21 | v[3] >> 43) ^ v[0];
        v[2] += v[1], v[1] = (v[1] << 17 | v[1] >> 47) ^ v[2], v[2] = v[2] << 32 | v[2] >> 32;
}

static uint64_t hash_of(const void *key, size_t len)
{
        const unsigned char *at = key;
        uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d,
                         seed[0] ^ 0x6c7967656e657261, seed[1] ^ 0x7465646279746573};
        uint64_t word;

        for (size_t left = len;; left -= 8, at += 8) {
                word = 0;
                memcpy(&word, at, left < 8 ? left : 8);
                if (left < 8)
                        word ^= (uint64_t)len << 56;
                v[3] ^= word;
                sip_round(v);
                v[0] ^= word;
                if (left < 8)
                        break;
        }
        v[2] ^= 0xff;
        sip_round(v);
        sip_round(v);
        sip_round(v);
        return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct tk_map *tk_map_new(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        struct tk_map *map = TK_NEW(struct tk_map);

        pthread_once(&once, seed_once);
        map->mask = TABLE_MIN - 1;
        map->table = tk_calloc(TABLE_MIN, sizeof *map->table);
        map->entries = tk_calloc(TABLE_MIN / 2, sizeof *map->entries);
        return map;
}

struct tk_map *tk_map_free(struct tk_map *map)
{
        if (!map)
                return NULL;
        for (size_t i = 0; i < map->used; i++)
                tk_free(map->entries[i].key);
        tk_free(map->entries);
        tk_free(map->table);
        return tk_free(map);
}

size_t tk_map_count(const struct tk_map *map)
{
        return map->count;
}

/* The slot that refers to the key, or NULL. The table is at most half full, so a probe always ends. */
static uint32_t *slot_find(const struct tk_map *map, const void *key, size_t len, uint64_t hash)
{
        for (size_t at = hash & map->mask;; at = (at + 1) & map->mask) {
                uint32_t *slot = &map->table[at];
                const struct entry *entry;

                if (*slot == SLOT_EMPTY)
                        return NULL;
                if (*slot == SLOT_HOLE)
                        continue;
                entry = &map->entries[*slot - 1];
                if (entry->hash == hash && entry->len == len && !memcmp(entry->key, key, len))
                        return slot;
        }
}

static void table_insert(struct tk_map *map, uint64_t hash, size_t position)
{
        size_t at = hash & map->mask;

        while (map->table[at] != SLOT_EMPTY)
                at = (at + 1) & map->mask;
        map->table[at] = (uint32_t)position + 1;
}

/* Called when the entries fill half of the table: drops the holes, and doubles the table unless holes were
 * the reason. */
static void rebuild(struct tk_map *map)
{
        size_t size = map->mask + 1, kept = 0;

        if (map->count > size / 4)
                size *= 2;
        TK_CHECK(size < SLOT_HOLE);
        for (size_t i = 0; i < map->used; i++)
                if (map->entries[i].key)
                        map->entries[kept++] = map->entries[i];
        map->used = kept;
        map->entries = tk_realloc(map->entries, size / 2, sizeof *map->entries);
        tk_free(map->table);
        map->table = tk_calloc(size, sizeof *map->table);
        map->mask = size - 1;
        for (size_t i = 0; i < map->used; i++)
                table_insert(map, map->entries[i].hash, i);
}

void *tk_map_get(const struct tk_map *map, const void *key, size_t len)
{
        const uint32_t *slot = slot_find(map, key, len, hash_of(key, len));

        return slot ? map->entries[*slot - 1].value : NULL;
}

void *tk_map_put(struct tk_map *map, const void *key, size_t len, void *value)
{
        uint64_t hash = hash_of(key, len);
        const uint32_t *slot = slot_find(map, key, len, hash);
        char *copy;

        TK_CHECK(value);
        if (slot) {
                struct entry *entry = &map->entries[*slot - 1];
                void *old = entry->value;
                entry->value = value;
                return old;
        }
        if (map->used == (map->mask + 1) / 2)
                rebuild(map);
        copy = tk_malloc(len + 1);
        memcpy(copy, key, len);
        copy[len] = 0;
        map->entries[map->used] = (struct entry){.key = copy, .len = len, .hash = hash, .value = value};
        table_insert(map, hash, map->used++);
        map->count++;
        return NULL;
}

void *tk_map_del(struct tk_map *map, const void *key, size_t len)
{
        uint32_t *slot = slot_find(map, key, len, hash_of(key, len));
        struct entry *entry;

        if (!slot)
                return NULL;
        entry = &map->entries[*slot - 1];
        *slot = SLOT_HOLE;
        entry->key = tk_free(entry->key);
        map->count--;
        return entry->value;
}

bool tk_map_next(const struct tk_map *map, size_t *at, const void **ret_key, size_t *ret_len,
                 void **ret_value)
{
        while (*at < map->used) {
                const struct entry *entry = &map->entries[(*at)++];
                if (!entry->key)
                        continue;
                *ret_key = entry->key;
                *ret_len = entry->len;
                *ret_value = entry->value;
                return true;
        }
        return false;
}

void *tk_map_gets(const struct tk_map *map, const char *key)
{
        return tk_map_get(map, key, strlen(key));
}

void *tk_map_puts(struct tk_map *map, const char *key, void *value)
{
        return tk_map_put(map, key, strlen(key), value);
}

void *tk_map_dels(struct tk_map *map, const char *key)
{
        return tk_map_del(map, key, strlen(key));
}
