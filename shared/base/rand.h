/* SPDX-License-Identifier: MIT */
/* base/rand.h: fast random numbers per thread, seeded from the kernel. Not for secrets. */
#pragma once
#include <stddef.h>
#include <stdint.h>

uint64_t tk_rand_u64(void);
double tk_rand_f64(void);                              /* [0, 1) */
int64_t tk_rand_jitter(int64_t value, double fraction); /* value ± fraction, e.g. 0.2 */
/* Reconnect delay: base doubled per attempt (from 0), at most max, with 50–100 % jitter. Nanoseconds. */
int64_t tk_rand_backoff(unsigned attempt, int64_t base_ns, int64_t max_ns);
