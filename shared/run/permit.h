/* SPDX-License-Identifier: MIT */
/* run/permit.h: a counting semaphore with a name and numbers (how many may run at once). Thread-safe. */
#pragma once
#include "base/attr.h"
#include <stdbool.h>
#include <stdint.h>

struct tk_permits;
struct tk_permits_stats {
        const char *name;
        unsigned total, in_use, waiting, high_water;
        uint64_t acquired, wait_ns_total;
};
TK_MUST struct tk_permits *tk_permits_new(const char *name, unsigned total);
struct tk_permits *tk_permits_free(struct tk_permits *permits);
bool tk_permits_take(struct tk_permits *permits, int64_t deadline_ns); /* false: time is up or closed */
void tk_permits_give(struct tk_permits *permits);
void tk_permits_close(struct tk_permits *permits); /* wakes all waiters with false */
void tk_permits_stats(struct tk_permits *permits, struct tk_permits_stats *ret);
