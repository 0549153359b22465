/* SPDX-License-Identifier: MIT */
/* worker/core/together.h: results of steps that came together leave together, if that is a matter of microseconds.
 *
 * Steps that one frame brought are mostly siblings of one task. Short handlers end within microseconds of each other, and settling
 * their results in one transaction costs little more than one of them; sent one by one, each takes a transaction, and the step behind them
 * waits for all. So whoever ends first holds its result back for a moment, but only while the worker has nothing in hand but that
 * company: under load results come together by themselves. Thread-safe. */
#pragma once
#include "run/lock.h"
#include <stdatomic.h>
#include <stdint.h>

struct work_together {
        atomic_uint *in_hand;   /* all of the worker's steps without a result */
        struct tk_lock lock;
        unsigned open;          /* members without a result */
        struct tk_cond over;    /* open has become 0 */
};
void work_together_init(struct work_together *company, atomic_uint *in_hand); /* in_hand outlives it */
void work_together_deinit(struct work_together *company);
void work_together_join(struct work_together *company);
/* A member has its result. Returns once all have theirs or at deadline_ns (monotonic); at once with a deadline in the past, and when the worker
 * has something else in hand. */
void work_together_leave(struct work_together *company, int64_t deadline_ns);
