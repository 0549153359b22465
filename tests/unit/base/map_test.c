/* SPDX-License-Identifier: MIT */
/* base/map: against a plain array model with random operations, and the order of walking. */
#include "base/map.h"
#include "base/rand.h"
#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { KEYS = 700, ROUNDS = 60000 };

static void agrees_with_a_model(void **state)
{
        static int values[KEYS][4];
        void *model[KEYS] = {0};
        struct tk_map *map = tk_map_new();
        size_t count = 0;
        (void)state;

        for (int round = 0; round < ROUNDS; round++) {
                size_t k = tk_rand_u64() % KEYS,
                       bias = round / (ROUNDS / 4) % 2 ? 3 : 1; /* grows, shrinks, grows, shrinks */
                char key[16];
                snprintf(key, sizeof key, "key%zu", k);
                if (tk_rand_u64() % 4 >= bias) {
                        void *value = &values[k][tk_rand_u64() % 4];
                        assert_ptr_equal(tk_map_puts(map, key, value), model[k]);
                        count += !model[k];
                        model[k] = value;
                } else {
                        assert_ptr_equal(tk_map_dels(map, key), model[k]);
                        count -= !!model[k];
                        model[k] = NULL;
                }
                assert_int_equal(tk_map_count(map), count);
                k = tk_rand_u64() % KEYS;
                snprintf(key, sizeof key, "key%zu", k);
                assert_ptr_equal(tk_map_gets(map, key), model[k]);
        }
        size_t seen = 0, len;
        const void *key;
        void *value;
        for (size_t at = 0; tk_map_next(map, &at, &key, &len, &value); seen++) {
                unsigned k = KEYS;
                assert_int_equal(sscanf(key, "key%u", &k), 1);
                assert_true(k < KEYS);
                assert_ptr_equal(model[k], value);
                assert_int_equal(len, strlen(key));
        }
        assert_int_equal(seen, count);
        tk_map_free(map);
}

static void walks_in_order_of_insertion_and_may_delete_the_current(void **state)
{
        struct tk_map *map = tk_map_new();
        static int values[1000];
        const void *key;
        void *value;
        size_t len;
        int n = 0;
        (void)state;

        for (int i = 0; i < 1000; i++)
                assert_null(tk_map_put(map, &i, sizeof i, &values[i]));
        for (size_t at = 0; tk_map_next(map, &at, &key, &len, &value); n++) {
                assert_ptr_equal(value, &values[n]);
                if (n % 2)
                        assert_ptr_equal(tk_map_del(map, key, len), value);
        }
        assert_int_equal(n, 1000);
        assert_int_equal(tk_map_count(map), 500);
        n = 999;
        assert_null(tk_map_get(map, &n, sizeof n));
        n = 998;
        assert_ptr_equal(tk_map_get(map, &n, sizeof n), &values[998]);
        tk_map_free(map);
}

static void keys_are_bytes(void **state)
{
        struct tk_map *map = tk_map_new();
        int a, b, empty;
        (void)state;

        tk_map_put(map, "x\0y", 3, &a);
        tk_map_put(map, "x\0z", 3, &b);
        tk_map_put(map, "", 0, &empty);
        assert_ptr_equal(tk_map_get(map, "x\0y", 3), &a);
        assert_ptr_equal(tk_map_get(map, "x\0z", 3), &b);
        assert_null(tk_map_gets(map, "x"));
        assert_ptr_equal(tk_map_gets(map, ""), &empty);
        assert_null(tk_map_free(map));
        assert_null(tk_map_free(NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(agrees_with_a_model),
                cmocka_unit_test(walks_in_order_of_insertion_and_may_delete_the_current),
                cmocka_unit_test(keys_are_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
