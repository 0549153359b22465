/* SPDX-License-Identifier: MIT */
/* run/lock.h: mutexes and condition variables that check themselves. Conditions wait on the monotonic clock.
 * No lock is held across I/O. */
#pragma once
#include "base/attr.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct tk_spread;
struct tk_lock {
        pthread_mutex_t mutex;
        const char *name;
        _Atomic(struct tk_spread *) waits; /* of all locks of that name; NULL until somebody waited */
};
struct tk_cond {
        pthread_cond_t cond;
};
void tk_lock_init(struct tk_lock *lock, const char *name);
void tk_lock_deinit(struct tk_lock *lock);
void tk_lock_take(struct tk_lock *lock);
void tk_lock_give(struct tk_lock *lock);
void tk_cond_init(struct tk_cond *cond);
void tk_cond_deinit(struct tk_cond *cond);
void tk_cond_signal(struct tk_cond *cond);
void tk_cond_broadcast(struct tk_cond *cond);
/* Until signalled or the monotonic deadline (TK_TIME_NEVER waits for ever); false when the time is up. May wake early. */
bool tk_cond_wait(struct tk_cond *cond, struct tk_lock *lock, int64_t deadline_ns);
static inline void tk_lock_give_p(struct tk_lock **lock) { tk_lock_give(*lock); }
/* Holds the lock until the end of the scope. */
#define TK_LOCKED(lock)                                                                                      \
        struct tk_lock *tk_locked_ TK_UNUSED __attribute__((cleanup(tk_lock_give_p))) = (tk_lock_take(lock), (lock))
