/* SPDX-License-Identifier: MIT */
/* base/time.h: monotonic clock to wait, wall clock to stamp; int64 nanoseconds inside. */
#pragma once
#include "base/attr.h"
#include <stddef.h>
#include <stdint.h>

#define TK_NS_PER_US INT64_C(1000)
#define TK_NS_PER_MS INT64_C(1000000)
#define TK_NS_PER_S INT64_C(1000000000)
#define TK_TIME_NEVER INT64_MAX

int64_t tk_time_mono_ns(void);
int64_t tk_time_wall_ns(void); /* since 1970, UTC */
void tk_time_sleep(int64_t ns); /* for waits that no event ends; signals may cut it short */
enum { TK_TIME_TEXT = 40 };
/* "2026-01-31T12:00:00.123456Z"; digits of the fraction 0..9 (0: no fraction). */
void tk_time_format(int64_t wall_ns, int digits, char ret_text[TK_TIME_TEXT]);
/* RFC 3339, with zone, or without one (then UTC); also a space instead of T and "+00". 0, or -EINVAL. */
TK_MUST int tk_time_parse(const char *text, int64_t *ret_wall_ns);
/* "250ms", "30s", "5m", "2h", "1d", "0"; a bare number is in seconds. 0, or -EINVAL / -ERANGE. */
TK_MUST int tk_time_duration_parse(const char *text, int64_t *ret_ns);
