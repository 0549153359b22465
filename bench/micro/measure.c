/* SPDX-License-Identifier: MIT */
/* bench/micro/measure.c: see measure.h. */
#include "measure.h"
#include "base/time.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 9 };

static int by_size(const void *a, const void *b)
{
        int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
        return (x > y) - (x < y);
}

static int64_t cpu_ns(void)
{
        struct timespec now;
        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return now.tv_sec * TK_NS_PER_S + now.tv_nsec;
}

static void run(const char *name, uint64_t n, void (*body)(void *user, uint64_t n), void *user, const char *more, int64_t (*clock_ns)(void))
{
        int64_t ns[ROUNDS];
        body(user, n / 10 + 1); /* caches are warm then */
        for (unsigned i = 0; i < ROUNDS; i++) {
                int64_t begin_ns = clock_ns();
                body(user, n);
                ns[i] = clock_ns() - begin_ns;
        }
        qsort(ns, ROUNDS, sizeof ns[0], by_size);
        (void)printf("{\"mode\":\"micro\",\"name\":\"%s\",\"ns\":%.1f,\"ns_min\":%.1f,\"n\":%llu%s}\n", name, (double)ns[ROUNDS / 2] / (double)n,
                     (double)ns[0] / (double)n, (unsigned long long)n, more);
        (void)fflush(stdout);
}

void micro_run(const char *name, uint64_t n, void (*body)(void *user, uint64_t n), void *user, const char *more)
{
        run(name, n, body, user, more, tk_time_mono_ns);
}

void micro_cpu(const char *name, uint64_t n, void (*body)(void *user, uint64_t n), void *user)
{
        run(name, n, body, user, "", cpu_ns);
}

void micro_times(const char *name, int64_t *ns, uint64_t n)
{
        qsort(ns, n, sizeof *ns, by_size);
        (void)printf("{\"mode\":\"micro\",\"name\":\"%s\",\"ns\":%lld,\"ns_p95\":%lld,\"ns_p99\":%lld,\"n\":%llu}\n", name, (long long)ns[n / 2],
                     (long long)ns[n * 95 / 100], (long long)ns[n * 99 / 100], (unsigned long long)n);
        (void)fflush(stdout);
}
