/* SPDX-License-Identifier: MIT */
/* One load for all who ask at the same time, and a load of one's own for whoever asks after a change. */
#include "cache/core/flights.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { MANY = 1000 };

static unsigned landed(struct cache_flights *flights, struct cache_flight *flight)
{
        struct tk_list waiters;
        unsigned n = 0;
        cache_flights_land(flights, flight, &waiters);
        while (tk_list_pop(&waiters))
                n++;
        return n;
}

static struct cache_key named(const char *name)
{
        struct cache_key key;
        assert_int_equal(cache_key_named(&key, "shop", name, "1.0.0"), 0);
        return key;
}

static void a_thousand_ask_and_one_loads(void **state)
{
        (void)state;
        static struct cache_waiter waiters[MANY], again;
        struct cache_flights *flights = cache_flights_new();
        struct cache_key key = named("a");
        struct cache_flight *first = cache_flights_join(flights, &key, &waiters[0]);
        assert_non_null(first);
        assert_string_equal(first->key.text, "named:shop/a/1.0.0");
        for (unsigned i = 1; i < MANY; i++)
                assert_null(cache_flights_join(flights, &key, &waiters[i]));
        assert_int_equal(landed(flights, first), MANY);
        first = cache_flights_join(flights, &key, &again); /* the next one loads again */
        assert_non_null(first);
        assert_int_equal(landed(flights, first), 1);
        cache_flights_free(flights);
}

static void keys_do_not_wait_for_each_other(void **state)
{
        (void)state;
        struct cache_waiter waiters[2];
        struct cache_flights *flights = cache_flights_new();
        struct cache_key a = named("a"), b = named("b");
        struct cache_flight *of_a = cache_flights_join(flights, &a, &waiters[0]),
                            *of_b = cache_flights_join(flights, &b, &waiters[1]);
        assert_non_null(of_a);
        assert_non_null(of_b);
        assert_int_equal(landed(flights, of_b), 1);
        assert_int_equal(landed(flights, of_a), 1);
        cache_flights_free(flights);
}

static void after_a_change_nobody_hears_what_was_before(void **state)
{
        (void)state;
        struct cache_waiter waiters[5];
        struct cache_flights *flights = cache_flights_new();
        struct cache_key a = named("a"), b = named("b");
        struct cache_flight *old = cache_flights_join(flights, &a, &waiters[0]),
                            *other = cache_flights_join(flights, &b, &waiters[1]);
        cache_flights_forget(flights, a.text);
        struct cache_flight *new = cache_flights_join(flights, &a, &waiters[2]);
        assert_non_null(new);
        assert_null(cache_flights_join(flights, &b, &waiters[3])); /* of another key: still joined */
        assert_int_equal(landed(flights, old), 1);                 /* the old one lands while the new one is under way */
        assert_null(cache_flights_join(flights, &a, &waiters[4]));
        assert_int_equal(landed(flights, new), 2);
        assert_int_equal(landed(flights, other), 2);
        cache_flights_free(flights);
}

static void everything_can_change_at_once(void **state)
{
        (void)state;
        struct cache_waiter waiters[4];
        struct cache_flights *flights = cache_flights_new();
        struct cache_key keys[] = {named("a"), named("b")};
        struct cache_flight *open[4];
        for (unsigned i = 0; i < 4; i++) {
                if (i == 2)
                        cache_flights_forget(flights, NULL);
                open[i] = cache_flights_join(flights, &keys[i % 2], &waiters[i]);
                assert_non_null(open[i]);
        }
        for (unsigned i = 0; i < 4; i++)
                assert_int_equal(landed(flights, open[i]), 1);
        cache_flights_free(flights);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_thousand_ask_and_one_loads),
                cmocka_unit_test(keys_do_not_wait_for_each_other),
                cmocka_unit_test(after_a_change_nobody_hears_what_was_before),
                cmocka_unit_test(everything_can_change_at_once),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
