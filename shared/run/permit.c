/* SPDX-License-Identifier: MIT */
/* run/permit.c: a counter under a lock, so that its numbers are always one consistent picture. */
#include "run/permit.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/probe.h"
#include "base/time.h"
#include "run/lock.h"
#include "run/meter.h"
#include "run/spread.h"

struct tk_permits {
        struct tk_lock lock;
        struct tk_cond freed;
        struct tk_spread *wait;
        struct tk_meter *meter;
        struct tk_permits_stats stats; /* under lock */
        bool closed;                   /* under lock */
};

struct tk_permits *tk_permits_new(const char *name, unsigned total)
{
        struct tk_permits *permits = TK_NEW(struct tk_permits);

        TK_CHECK(total > 0);
        tk_lock_init(&permits->lock, name);
        tk_cond_init(&permits->freed);
        permits->wait = tk_spread_get(TK_SPREAD_PERMIT_WAIT, name);
        permits->stats.name = name;
        permits->stats.total = total;
        permits->meter = tk_meter_get(TK_METER_PERMITS, name);
        tk_meter_add(permits->meter, TK_PERMITS_TOTAL, total);
        return permits;
}

struct tk_permits *tk_permits_free(struct tk_permits *permits)
{
        if (!permits)
                return NULL;
        TK_CHECK(permits->stats.in_use == 0 && permits->stats.waiting == 0);
        tk_meter_add(permits->meter, TK_PERMITS_TOTAL, -(int64_t)permits->stats.total);
        tk_cond_deinit(&permits->freed);
        tk_lock_deinit(&permits->lock);
        return tk_free(permits);
}

/* Under the lock: until a permit is free, the time is up, or the end. */
static void wait_for_free(struct tk_permits *permits, int64_t deadline_ns)
{
        struct tk_permits_stats *stats = &permits->stats;
        int64_t since_ns = tk_time_mono_ns();

        stats->waiting++;
        tk_meter_add(permits->meter, TK_PERMITS_WAITING, 1);
        tk_meter_add(permits->meter, TK_PERMITS_EXHAUSTED, 1);
        while (!permits->closed && stats->in_use == stats->total)
                if (!tk_cond_wait(&permits->freed, &permits->lock, deadline_ns))
                        break;
        stats->waiting--;
        tk_meter_add(permits->meter, TK_PERMITS_WAITING, -1);
        int64_t took_ns = tk_time_mono_ns() - since_ns;
        stats->wait_ns_total += (uint64_t)took_ns;
        tk_spread_observe(permits->wait, took_ns);
}

bool tk_permits_take(struct tk_permits *permits, int64_t deadline_ns)
{
        struct tk_permits_stats *stats = &permits->stats;

        TK_LOCKED(&permits->lock);
        if (!permits->closed && stats->in_use == stats->total)
                wait_for_free(permits, deadline_ns);
        else
                tk_spread_observe(permits->wait, 0);
        if (permits->closed || stats->in_use == stats->total)
                return false;
        stats->acquired++;
        if (++stats->in_use > stats->high_water)
                stats->high_water = stats->in_use;
        tk_meter_set(permits->meter, TK_PERMITS_IN_USE, stats->in_use);
        tk_meter_set(permits->meter, TK_PERMITS_HIGH_WATER, stats->high_water);
        tk_meter_add(permits->meter, TK_PERMITS_ACQUIRED, 1);
        TK_PROBE(permit_acquired, stats->name, stats->in_use);
        return true;
}

void tk_permits_give(struct tk_permits *permits)
{
        TK_LOCKED(&permits->lock);
        TK_CHECK(permits->stats.in_use > 0);
        permits->stats.in_use--;
        tk_meter_set(permits->meter, TK_PERMITS_IN_USE, permits->stats.in_use);
        tk_cond_signal(&permits->freed);
}

void tk_permits_close(struct tk_permits *permits)
{
        TK_LOCKED(&permits->lock);
        permits->closed = true;
        tk_cond_broadcast(&permits->freed);
}

void tk_permits_stats(struct tk_permits *permits, struct tk_permits_stats *ret)
{
        TK_LOCKED(&permits->lock);
        *ret = permits->stats;
}
