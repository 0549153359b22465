/* SPDX-License-Identifier: MIT */
/* run/lock.c: in debug and sanitizer builds, taking a mutex twice or giving one that is not held aborts with its place. In release
 * builds a taker spins for a moment before it sleeps: locks here are held for less than a switch of threads costs. */
#include "run/lock.h"
#include "base/check.h"
#include "base/probe.h"
#include "base/time.h"
#include "run/spread.h"
#include <errno.h>
#include <time.h>

#ifdef NDEBUG
enum { MUTEX_TYPE = PTHREAD_MUTEX_ADAPTIVE_NP };
#else
enum { MUTEX_TYPE = PTHREAD_MUTEX_ERRORCHECK };
#endif

void tk_lock_init(struct tk_lock *lock, const char *name)
{
        pthread_mutexattr_t attr;

        lock->name = name;
        atomic_init(&lock->waits, NULL);
        TK_CHECK(pthread_mutexattr_init(&attr) == 0);
        TK_CHECK(pthread_mutexattr_settype(&attr, MUTEX_TYPE) == 0);
        TK_CHECK(pthread_mutex_init(&lock->mutex, &attr) == 0);
        pthread_mutexattr_destroy(&attr);
}

void tk_lock_deinit(struct tk_lock *lock)
{
        TK_CHECK(pthread_mutex_destroy(&lock->mutex) == 0);
}

/* Somebody has it. Only then is there anything to measure, and time for it; the histogram is looked up at the first wait. */
static void take_after_wait(struct tk_lock *lock)
{
        int64_t begin_ns = tk_time_mono_ns();
        TK_CHECK(pthread_mutex_lock(&lock->mutex) == 0);
        int64_t took_ns = tk_time_mono_ns() - begin_ns;
        struct tk_spread *waits = atomic_load_explicit(&lock->waits, memory_order_relaxed);
        if (!waits) {
                waits = tk_spread_get(TK_SPREAD_LOCK_WAIT, lock->name);
                atomic_store_explicit(&lock->waits, waits, memory_order_relaxed);
        }
        tk_spread_observe(waits, took_ns);
        TK_PROBE(lock_waited, lock->name, took_ns);
}

void tk_lock_take(struct tk_lock *lock)
{
        int result = pthread_mutex_trylock(&lock->mutex);
        if (result == EBUSY)
                take_after_wait(lock);
        else
                TK_CHECK(result == 0);
}

void tk_lock_give(struct tk_lock *lock)
{
        TK_CHECK(pthread_mutex_unlock(&lock->mutex) == 0);
}

void tk_cond_init(struct tk_cond *cond)
{
        pthread_condattr_t attr;

        TK_CHECK(pthread_condattr_init(&attr) == 0);
        TK_CHECK(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
        TK_CHECK(pthread_cond_init(&cond->cond, &attr) == 0);
        pthread_condattr_destroy(&attr);
}

void tk_cond_deinit(struct tk_cond *cond)
{
        TK_CHECK(pthread_cond_destroy(&cond->cond) == 0);
}

void tk_cond_signal(struct tk_cond *cond)
{
        TK_CHECK(pthread_cond_signal(&cond->cond) == 0);
}

void tk_cond_broadcast(struct tk_cond *cond)
{
        TK_CHECK(pthread_cond_broadcast(&cond->cond) == 0);
}

bool tk_cond_wait(struct tk_cond *cond, struct tk_lock *lock, int64_t deadline_ns)
{
        struct timespec until = {.tv_sec = deadline_ns / TK_NS_PER_S, .tv_nsec = deadline_ns % TK_NS_PER_S};
        int result;

        if (deadline_ns == TK_TIME_NEVER)
                result = pthread_cond_wait(&cond->cond, &lock->mutex);
        else if (deadline_ns <= 0)
                result = ETIMEDOUT;
        else
                result = pthread_cond_timedwait(&cond->cond, &lock->mutex, &until);
        TK_CHECK(result == 0 || result == ETIMEDOUT);
        return result == 0;
}
