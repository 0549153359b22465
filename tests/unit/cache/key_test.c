/* SPDX-License-Identifier: MIT */
/* Keys: different questions never share one, and a change finds all that depend on it. */
#include "cache/core/key.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void texts(void **state)
{
        (void)state;
        struct cache_key key;
        assert_int_equal(cache_key_named(&key, "shop", "order", "1.0.0"), 0);
        assert_string_equal(key.text, "named:shop/order/1.0.0");
        assert_true(cache_key_changes(&key));
        assert_int_equal(cache_key_named(&key, "shop", "order", ""), 0);
        assert_string_equal(key.text, "named:shop/order/");
        assert_int_equal(cache_key_template(&key, DIGEST), 0);
        assert_string_equal(key.text, "template:" DIGEST);
        assert_false(cache_key_changes(&key));
        assert_int_equal(cache_key_list(&key, ""), 0);
        assert_string_equal(key.text, "list:");
        assert_true(cache_key_changes(&key));
}

static void what_could_be_mistaken_is_refused(void **state)
{
        (void)state;
        char longest[CACHE_PART_MAX + 2];
        struct cache_key key;
        memset(longest, 'x', sizeof longest);
        longest[CACHE_PART_MAX + 1] = '\0';
        assert_int_equal(cache_key_named(&key, "a/b", "c", "1"), -EINVAL); /* else a/b + c and a + b/c would be one */
        assert_int_equal(cache_key_named(&key, "a", "b/c", "1"), -EINVAL);
        assert_int_equal(cache_key_named(&key, "a", "b\n", "1"), -EINVAL);
        assert_int_equal(cache_key_named(&key, "a", "", "1"), -EINVAL);
        assert_int_equal(cache_key_named(&key, longest, "b", "1"), -EINVAL);
        assert_int_equal(cache_key_template(&key, longest), -EINVAL);
        assert_int_equal(cache_key_template(&key, "ab12"), -EINVAL); /* no digest */
        longest[CACHE_PART_MAX] = '\0';
        assert_int_equal(cache_key_named(&key, longest, longest, longest), 0);
        assert_true(strlen(key.text) < CACHE_KEY_MAX);
}

static void a_version_touches_itself_the_newest_and_two_lists(void **state)
{
        (void)state;
        static const char *const expected[CACHE_DEPENDENTS] = {"named:shop/order/1.0.0", "named:shop/order/",
                                                               "list:shop", "list:"};
        struct cache_key keys[CACHE_DEPENDENTS];
        assert_int_equal(cache_key_dependents("shop", "order", "1.0.0", keys), 0);
        for (unsigned i = 0; i < CACHE_DEPENDENTS; i++) {
                unsigned times = 0;
                for (unsigned j = 0; j < CACHE_DEPENDENTS; j++)
                        times += !strcmp(keys[j].text, expected[i]);
                assert_int_equal(times, 1);
        }
        assert_int_equal(cache_key_dependents("shop", "a/b", "1.0.0", keys), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(texts),
                cmocka_unit_test(what_could_be_mistaken_is_refused),
                cmocka_unit_test(a_version_touches_itself_the_newest_and_two_lists),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
