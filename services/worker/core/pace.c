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
        bool learns;
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
        pace->learns = prefetch < 0;
        pace->max = permits + (pace->learns ? permits * WORK_PACE_TIMES_MAX : (unsigned)prefetch);
        atomic_init(&pace->now, pace->learns ? permits : pace->max);
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
        if (!pace->learns)
                return pace->max;
        TK_LOCKED(&pace->lock);
        pace->mean_ns = pace->known ? pace->mean_ns + (handler_ns - pace->mean_ns) / WEIGHT : handler_ns;
        pace->known = true;
        int64_t each = pace->mean_ns > 0 ? WORK_PACE_AHEAD_NS / pace->mean_ns : WORK_PACE_TIMES_MAX;
        unsigned times = each < WORK_PACE_TIMES_MAX ? (unsigned)each : WORK_PACE_TIMES_MAX;
        atomic_store(&pace->now, pace->permits + pace->permits * times);
        return work_pace_now(pace);
}

unsigned work_pace_now(const struct work_pace *pace)
{
        return atomic_load(&pace->now);
}

unsigned work_pace_max(const struct work_pace *pace)
{
        return pace->max;
}
