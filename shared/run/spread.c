/* SPDX-License-Identifier: MIT */
/* run/spread.c: a list that only grows, so that readers need no lock. */
#include "run/spread.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "run/lock.h"
#include <stdatomic.h>

enum { NAME = 48 };

struct tk_spread {
        struct tk_spread *next;
        enum tk_spread_what what;
        char name[NAME];
        atomic_uint_fast64_t sum_ns, max_ns, buckets[TK_SPREAD_BUCKETS];
};

static _Atomic(struct tk_spread *) first;
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

struct tk_spread *tk_spread_get(enum tk_spread_what what, const char *name)
{
        char cut[NAME];
        (void)tk_str_copy(cut, sizeof cut, name);
        pthread_mutex_lock(&making);
        struct tk_spread *spread = atomic_load_explicit(&first, memory_order_relaxed);
        while (spread && (spread->what != what || strcmp(spread->name, cut)))
                spread = spread->next;
        if (!spread) {
                spread = TK_NEW(struct tk_spread);
                spread->what = what;
                memcpy(spread->name, cut, sizeof cut);
                spread->next = atomic_load_explicit(&first, memory_order_relaxed);
                atomic_store_explicit(&first, spread, memory_order_release);
        }
        pthread_mutex_unlock(&making);
        return spread;
}

void tk_spread_observe(struct tk_spread *spread, int64_t ns)
{
        uint64_t value = ns > 0 ? (uint64_t)ns : 0, us = value / (uint64_t)TK_NS_PER_US;
        unsigned bucket = us ? 64 - (unsigned)__builtin_clzll(us) : 0;
        uint_fast64_t seen = atomic_load_explicit(&spread->max_ns, memory_order_relaxed);
        if (bucket >= TK_SPREAD_BUCKETS)
                bucket = TK_SPREAD_BUCKETS - 1;
        atomic_fetch_add_explicit(&spread->buckets[bucket], 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&spread->sum_ns, value, memory_order_relaxed);
        while (value > seen && !atomic_compare_exchange_weak_explicit(&spread->max_ns, &seen, value, memory_order_relaxed,
                                                                      memory_order_relaxed))
                ;
}

void tk_spread_each(void (*each)(void *user, const struct tk_spread_stats *stats), void *user)
{
        for (struct tk_spread *spread = atomic_load_explicit(&first, memory_order_acquire); spread; spread = spread->next) {
                struct tk_spread_stats stats = {.what = spread->what, .name = spread->name};
                stats.sum_ns = atomic_load_explicit(&spread->sum_ns, memory_order_relaxed);
                stats.max_ns = atomic_load_explicit(&spread->max_ns, memory_order_relaxed);
                for (unsigned i = 0; i < TK_SPREAD_BUCKETS; i++) {
                        stats.buckets[i] = atomic_load_explicit(&spread->buckets[i], memory_order_relaxed);
                        stats.count += stats.buckets[i];
                }
                each(user, &stats);
        }
}

double tk_spread_quantile(const struct tk_spread_stats *stats, double q)
{
        double wanted = q * (double)stats->count, below = 0;
        for (unsigned i = 0; stats->count && i < TK_SPREAD_BUCKETS; i++) {
                double here = (double)stats->buckets[i];
                if (here > 0 && below + here >= wanted) {
                        double low = i ? (double)(UINT64_C(1) << (i - 1)) : 0, high = (double)(UINT64_C(1) << i);
                        double ns = (low + (high - low) * (wanted - below) / here) * (double)TK_NS_PER_US;
                        return ns < (double)stats->max_ns ? ns : (double)stats->max_ns;
                }
                below += here;
        }
        return (double)stats->max_ns;
}
