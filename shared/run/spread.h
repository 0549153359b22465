/* SPDX-License-Identifier: MIT */
/* run/spread.h: how a duration is spread: always on, one per (what, name) of the process, shared by all who measure the same
 * thing. Powers of two from 1 µs, so that a quantile is known to a factor of two (and between, as if evenly spread).
 * Observing is four relaxed atomic operations, about 20 ns; nothing is ever freed, the process has a few dozen of them. */
#pragma once
#include "base/attr.h"
#include <stddef.h>
#include <stdint.h>

enum tk_spread_what {
        TK_SPREAD_MAILBOX_WAIT, /* a message, from post to receive */
        TK_SPREAD_SERVICE,      /* a batch, in its actor's handle */
        TK_SPREAD_PERMIT_WAIT,  /* from asking to having */
        TK_SPREAD_DATABASE,     /* a statement, as its caller sees it */
        TK_SPREAD_LOOP,         /* one turn of an event loop: how long the others waited for it */
        TK_SPREAD_LATE,         /* a timer, after it was due */
        TK_SPREAD_LOCK_WAIT,    /* a lock that somebody else had; those that were free are not counted */
        TK_SPREAD_KINDS,
};
enum { TK_SPREAD_BUCKETS = 26 /* the last: 33 s and more */ };

struct tk_spread;
/* The one of that name, made on first use; name is copied. Never NULL. Thread-safe. */
TK_MUST struct tk_spread *tk_spread_get(enum tk_spread_what what, const char *name);
void tk_spread_observe(struct tk_spread *spread, int64_t ns); /* any thread; negative counts as 0 */

struct tk_spread_stats {
        enum tk_spread_what what;
        const char *name;
        uint64_t count, sum_ns, max_ns;
        uint64_t buckets[TK_SPREAD_BUCKETS]; /* not cumulative; bucket i is below 2^i µs */
};
/* Every one, the newest first; one picture each, not of all at once. */
void tk_spread_each(void (*each)(void *user, const struct tk_spread_stats *stats), void *user);
/* Nanoseconds; q from 0 to 1; 0 when nothing was observed. */
double tk_spread_quantile(const struct tk_spread_stats *stats, double q);
