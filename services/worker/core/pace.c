/* SPDX-License-Identifier: MIT */
/* worker/core/pace.c: see the header. The mean moves by a sixteenth of the difference, so one slow handler among fast ones
 * counts for what it is. */
#include "worker/core/pace.h"
#include "base/check.h"
#include "base/mem.h"
#include "run/lock.h"
#include <stdatomic.h>
#include <stdbool.h>

enum { WEIGHT = 16 };

struct work_pace {
        struct tk_lock lock;
        unsigned permits;
        int64_t ahead_ns;        /* in advance is what gets done in this time */
        unsigned times_max;      /* by each permit, at most */
        bool known;              /* under the lock */
        int64_t mean_ns;         /* under the lock */
        atomic_uint now;
        unsigned max;
};

struct work_pace *work_pace_new(unsigned permits, int64_t prefetch)
{
        struct work_pace *pace = TK_NEW(struct work_pace);
        TK_CHECK(permits > 0);
        tk_lock_init(&pace->lock, "pace");
        pace->permits = permits;
        bool fixed = prefetch >= 0;
        pace->ahead_ns = fixed ? WORK_PACE_PATIENCE_NS / 2 : WORK_PACE_AHEAD_NS;
        pace->times_max = fixed ? (unsigned)prefetch : WORK_PACE_TIMES_MAX;
        pace->max = permits + (fixed ? (unsigned)prefetch : permits * WORK_PACE_TIMES_MAX);
        atomic_init(&pace->now, fixed ? pace->max : permits);
        return pace;
}

struct work_pace *work_pace_free(struct work_pace *pace)
{
        if (!pace)
                return NULL;
        tk_lock_deinit(&pace->lock);
        return tk_free(pace);
}

unsigned work_pace_learn(struct work_pace *pace, int64_t handler_ns)
{
        if (pace->max == pace->permits)
                return pace->max;
        TK_LOCKED(&pace->lock);
        pace->mean_ns = pace->known ? pace->mean_ns + (handler_ns - pace->mean_ns) / WEIGHT : handler_ns;
        pace->known = true;
        int64_t each = pace->mean_ns > 0 ? pace->ahead_ns / pace->mean_ns : pace->times_max;
        unsigned times = each < pace->times_max ? (unsigned)each : pace->times_max;
        unsigned now = pace->permits + pace->permits * times;
        atomic_store(&pace->now, now < pace->max ? now : pace->max);
        return work_pace_now(pace);
}

unsigned work_pace_stalled(struct work_pace *pace)
{
        TK_LOCKED(&pace->lock);
        if (!pace->known || pace->mean_ns < WORK_PACE_PATIENCE_NS)
                pace->mean_ns = WORK_PACE_PATIENCE_NS;
        pace->known = true;
        atomic_store(&pace->now, pace->permits);
        return pace->permits;
}

unsigned work_pace_now(const struct work_pace *pace)
{
        return atomic_load(&pace->now);
}

unsigned work_pace_max(const struct work_pace *pace)
{
        return pace->max;
}
