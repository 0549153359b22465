/* SPDX-License-Identifier: MIT */
/* The first level of the cache: bounded by bytes, least recently used out first, no value from before its invalidation. */
#include "cache/core/store.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { ROOM = 64 * 1024, VALUE = 1000, FOREVER = 1000000 };

static enum cache_found get(struct cache_store *store, const char *key, int64_t now_ns, char *ret, size_t size)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, 1 << 20);
        enum cache_found found = cache_store_get(store, key, now_ns, &buf);
        if (ret)
                (void)snprintf(ret, size, "%.*s", (int)buf.len, buf.data ? (const char *)buf.data : "");
        return found;
}

static bool put(struct cache_store *store, const char *key, const char *text, int64_t expires_ns, bool changes)
{
        return cache_store_put(store, key, text, text ? strlen(text) : 0, expires_ns, changes,
                               cache_store_generation(store));
}

static struct cache_store_stats stats(struct cache_store *store)
{
        struct cache_store_stats ret;
        cache_store_stats(store, &ret);
        return ret;
}

static void values_and_their_end(void **state)
{
        (void)state;
        char text[32];
        struct cache_store *store = cache_store_new(ROOM);
        assert_int_equal(get(store, "a", 0, NULL, 0), CACHE_MISS);
        assert_true(put(store, "a", "one", 100, true));
        assert_true(put(store, "b", NULL, 50, true));
        assert_int_equal(get(store, "a", 99, text, sizeof text), CACHE_HIT);
        assert_string_equal(text, "one");
        assert_int_equal(get(store, "b", 49, text, sizeof text), CACHE_NEGATIVE);
        assert_string_equal(text, "");
        assert_int_equal(get(store, "b", 50, NULL, 0), CACHE_MISS);
        assert_true(put(store, "a", "two", 100, true)); /* replaces */
        assert_int_equal(get(store, "a", 0, text, sizeof text), CACHE_HIT);
        assert_string_equal(text, "two");
        assert_int_equal(get(store, "a", 100, NULL, 0), CACHE_MISS);
        assert_int_equal(stats(store).entries, 0); /* what has ended is gone once it was looked at */
        assert_int_equal(stats(store).bytes, 0);
        cache_store_free(store);
}

static void the_least_recently_used_leaves_first(void **state)
{
        (void)state;
        char value[VALUE + 1], key[16];
        unsigned n = 0;
        memset(value, 'x', VALUE);
        value[VALUE] = '\0';
        struct cache_store *store = cache_store_new(ROOM);
        while (!stats(store).evictions) {
                (void)snprintf(key, sizeof key, "k%u", n++);
                assert_true(put(store, key, value, FOREVER, true));
                assert_int_equal(get(store, "k0", 0, NULL, 0), CACHE_HIT); /* stays in use */
                assert_true(stats(store).bytes <= ROOM);
                assert_true(n < 100);
        }
        assert_int_equal(get(store, "k1", 0, NULL, 0), CACHE_MISS);
        assert_int_equal(get(store, "k0", 0, NULL, 0), CACHE_HIT);
        assert_int_equal(get(store, key, 0, NULL, 0), CACHE_HIT);
        assert_int_equal(stats(store).entries, n - stats(store).evictions);
        cache_store_free(store);
}

static void what_is_larger_than_the_store_is_refused(void **state)
{
        (void)state;
        static char large[ROOM + 1];
        memset(large, 'x', ROOM);
        struct cache_store *store = cache_store_new(ROOM);
        assert_true(put(store, "a", "small", FOREVER, true));
        assert_false(put(store, "b", large, FOREVER, true));
        assert_int_equal(get(store, "a", 0, NULL, 0), CACHE_HIT); /* nothing was thrown out for it */
        cache_store_free(store);
}

static void a_load_from_before_an_invalidation_is_not_stored(void **state)
{
        (void)state;
        struct cache_store *store = cache_store_new(ROOM);
        uint64_t before = cache_store_generation(store);
        assert_false(cache_store_drop(store, "a"));
        assert_false(cache_store_put(store, "a", "old", 3, FOREVER, true, before));
        assert_int_equal(get(store, "a", 0, NULL, 0), CACHE_MISS);
        assert_true(cache_store_put(store, "t", "body", 4, FOREVER, false, before)); /* never changes: of no concern */
        assert_true(put(store, "a", "new", FOREVER, true));
        assert_true(cache_store_drop(store, "a"));
        assert_int_equal(get(store, "a", 0, NULL, 0), CACHE_MISS);
        cache_store_free(store);
}

static void all_that_changes_can_be_dropped(void **state)
{
        (void)state;
        struct cache_store *store = cache_store_new(ROOM);
        uint64_t before = cache_store_generation(store);
        assert_true(put(store, "name", "digest", FOREVER, true));
        assert_true(put(store, "none", NULL, FOREVER, true));
        assert_true(put(store, "template", "body", FOREVER, false));
        assert_int_equal(cache_store_drop_changing(store), 2);
        assert_int_equal(get(store, "name", 0, NULL, 0), CACHE_MISS);
        assert_int_equal(get(store, "none", 0, NULL, 0), CACHE_MISS);
        assert_int_equal(get(store, "template", 0, NULL, 0), CACHE_HIT);
        assert_false(cache_store_put(store, "name", "old", 3, FOREVER, true, before));
        cache_store_free(store);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(values_and_their_end),
                cmocka_unit_test(the_least_recently_used_leaves_first),
                cmocka_unit_test(what_is_larger_than_the_store_is_refused),
                cmocka_unit_test(a_load_from_before_an_invalidation_is_not_stored),
                cmocka_unit_test(all_that_changes_can_be_dropped),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
