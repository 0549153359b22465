/* SPDX-License-Identifier: MIT */
/* run/spread: one per name, buckets of powers of two, quantiles. */
#include "base/time.h"
#include "run/spread.h"
#include "run/thread.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

struct wanted {
        const char *name;
        struct tk_spread_stats stats;
        unsigned found;
};

static void look(void *user, const struct tk_spread_stats *stats)
{
        struct wanted *wanted = user;
        if (strcmp(stats->name, wanted->name))
                return;
        wanted->stats = *stats;
        wanted->found++;
}

static struct wanted stats_of(const char *name)
{
        struct wanted wanted = {.name = name};
        tk_spread_each(look, &wanted);
        return wanted;
}

static void one_per_what_and_name(void **state)
{
        (void)state;
        char name[] = "twice";
        struct tk_spread *a = tk_spread_get(TK_SPREAD_LOOP, name);
        name[0] = 'T'; /* it was copied */
        assert_ptr_equal(a, tk_spread_get(TK_SPREAD_LOOP, "twice"));
        assert_ptr_not_equal(a, tk_spread_get(TK_SPREAD_LATE, "twice"));
        assert_int_equal(stats_of("twice").found, 2);
        assert_int_equal(stats_of("Twice").found, 0);
}

static void buckets_and_sums(void **state)
{
        (void)state;
        struct tk_spread *s = tk_spread_get(TK_SPREAD_SERVICE, "buckets");
        tk_spread_observe(s, -5);
        tk_spread_observe(s, 999);                  /* below 1 us: bucket 0 */
        tk_spread_observe(s, 1000);                 /* 1 us: below 2 */
        tk_spread_observe(s, 3 * TK_NS_PER_US);     /* below 4 */
        tk_spread_observe(s, 1024 * TK_NS_PER_US);  /* below 2048 */
        tk_spread_observe(s, 900 * TK_NS_PER_S);    /* the last */
        struct tk_spread_stats stats = stats_of("buckets").stats;
        assert_int_equal(stats.what, TK_SPREAD_SERVICE);
        assert_int_equal(stats.count, 6);
        assert_int_equal(stats.buckets[0], 2);
        assert_int_equal(stats.buckets[1], 1);
        assert_int_equal(stats.buckets[2], 1);
        assert_int_equal(stats.buckets[11], 1);
        assert_int_equal(stats.buckets[TK_SPREAD_BUCKETS - 1], 1);
        assert_int_equal(stats.sum_ns, 999 + 1000 + 3000 + 1024 * TK_NS_PER_US + 900 * TK_NS_PER_S);
        assert_int_equal(stats.max_ns, 900 * TK_NS_PER_S);
}

static void quantiles(void **state)
{
        (void)state;
        struct tk_spread *s = tk_spread_get(TK_SPREAD_DATABASE, "quantiles");
        assert_true(tk_spread_quantile(&(struct tk_spread_stats){0}, 0.5) == 0);
        for (int i = 0; i < 90; i++)
                tk_spread_observe(s, 100 * TK_NS_PER_US); /* 64 to 128 us */
        for (int i = 0; i < 10; i++)
                tk_spread_observe(s, 10 * TK_NS_PER_MS);  /* 8.2 to 16.4 ms */
        struct tk_spread_stats stats = stats_of("quantiles").stats;
        assert_true(tk_spread_quantile(&stats, 0.5) >= 64e3 && tk_spread_quantile(&stats, 0.5) <= 128e3);
        assert_true(tk_spread_quantile(&stats, 0.95) > 8e6 && tk_spread_quantile(&stats, 0.95) <= 10e6); /* never above the most */
        assert_true(tk_spread_quantile(&stats, 1) == 10e6);
}

enum { THREADS = 4, EACH = 20000 };

static void observe_many(void *user)
{
        struct tk_spread *s = tk_spread_get(TK_SPREAD_LOOP, "crowd");
        (void)user;
        for (int i = 0; i < EACH; i++)
                tk_spread_observe(s, i);
}

static void nothing_is_lost_between_threads(void **state)
{
        struct tk_thread threads[THREADS];
        (void)state;
        for (size_t i = 0; i < THREADS; i++)
                tk_thread_start(&threads[i], "observe", observe_many, NULL);
        for (size_t i = 0; i < THREADS; i++)
                tk_thread_join(&threads[i]);
        struct wanted crowd = stats_of("crowd");
        assert_int_equal(crowd.found, 1);
        assert_int_equal(crowd.stats.count, THREADS * EACH);
        assert_int_equal(crowd.stats.sum_ns, (uint64_t)THREADS * EACH * (EACH - 1) / 2);
        assert_int_equal(crowd.stats.max_ns, EACH - 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_per_what_and_name),
                cmocka_unit_test(buckets_and_sums),
                cmocka_unit_test(quantiles),
                cmocka_unit_test(nothing_is_lost_between_threads),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
