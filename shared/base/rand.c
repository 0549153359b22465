/* SPDX-License-Identifier: MIT */
/* base/rand.c: xoshiro256** (Blackman and Vigna) per thread; a forked child starts over from the kernel's
 * seed. */
#include "base/rand.h"
#include "base/check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/random.h>

static _Thread_local struct {
        uint64_t s[4];
        unsigned generation; /* of the process that seeded; 0: never */
} state;
static atomic_uint generation = 1; /* grows in every forked child, whose threads then seed again */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void after_fork(void)
{
        atomic_fetch_add(&generation, 1);
}

static void watch_fork(void)
{
        pthread_atfork(NULL, NULL, after_fork);
}

static void seed(void)
{
        pthread_once(&once, watch_fork);
        do {
                ssize_t n = getrandom(state.s, sizeof state.s, 0);
                TK_CHECK(n == sizeof state.s); /* 32 bytes are never cut nor interrupted (getrandom(2)) */
        } while (!(state.s[0] | state.s[1] | state.s[2] | state.s[3]));
        state.generation = atomic_load_explicit(&generation, memory_order_relaxed);
}

static uint64_t rotate(uint64_t x, int bits)
{
        return x << bits | x >> (64 - bits);
}

uint64_t tk_rand_u64(void)
{
        uint64_t *s = state.s, result, t;

        if (state.generation != atomic_load_explicit(&generation, memory_order_relaxed))
                seed();
        result = rotate(s[1] * 5, 7) * 9;
        t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = rotate(s[3], 45);
        return result;
}

double tk_rand_f64(void)
{
        return (double)(tk_rand_u64() >> 11) * 0x1p-53;
}

int64_t tk_rand_jitter(int64_t value, double fraction)
{
        double shift = (double)value * fraction * (2 * tk_rand_f64() - 1);
        int64_t ret;

        if (shift >= 0x1p63 || shift < -0x1p63 || __builtin_add_overflow(value, (int64_t)shift, &ret))
                return value;
        return ret;
}

int64_t tk_rand_backoff(unsigned attempt, int64_t base_ns, int64_t max_ns)
{
        int64_t delay = base_ns;

        for (unsigned i = 0; i < attempt && delay < max_ns; i++)
                if (__builtin_mul_overflow(delay, 2, &delay))
                        delay = max_ns;
        if (delay > max_ns)
                delay = max_ns;
        return delay / 2 + (int64_t)(tk_rand_f64() * (double)(delay - delay / 2));
}
