/* SPDX-License-Identifier: MIT */
/* bench/micro/measure.h: the cost of one small thing, repeated. */
#pragma once
#include <stdint.h>

/* Runs `body` n times, in rounds, and prints {"mode":"micro","name":…,"ns":median of the rounds,…} with `more` (JSON members
 * that begin with a comma, or ""). */
void micro_run(const char *name, uint64_t n, void (*body)(void *user, uint64_t n), void *user, const char *more);
/* The same in CPU time of this thread, for bodies that never sleep: what others do on the machine is not in it. */
void micro_cpu(const char *name, uint64_t n, void (*body)(void *user, uint64_t n), void *user);
/* One line for latencies that were measured one by one. */
void micro_times(const char *name, int64_t *ns, uint64_t n);
