/* SPDX-License-Identifier: MIT */
/* base/probe.h: static tracepoints, for perf and bpftrace to look inside a running process. The only place that includes sys/sdt.h.
 *
 * TK_PROBE(step_ready, &step, attempt) is a nop in the code and a note in the binary that says where the arguments are; somebody who
 * traces replaces the nop. So it costs nothing while nobody looks, provided that the arguments are at hand anyway: pass what the function
 * already has, never a call. UUIDs go as a pointer to their 16 bytes, texts as char *, durations as nanoseconds. An argument that costs
 * something belongs behind a semaphore (`_SDT_HAS_SEMAPHORES`); there is none so far.
 *
 * docs/ops/tracing.md lists every probe with its arguments; a test compares that list with the binaries. Without the header (Debian:
 * systemtap-sdt-dev) everything builds, without probes. */
#pragma once
#if __has_include(<sys/sdt.h>) && !defined(TASKER_NO_PROBES)
#define SDT_USE_VARIADIC 1
#include <sys/sdt.h>
#define TK_PROBE(name, ...) STAP_PROBEV(tasker, name, ##__VA_ARGS__)
#else
static inline void tk_probe_none(int ignored, ...)
{
        (void)ignored;
}
#define TK_PROBE(name, ...) tk_probe_none(0, ##__VA_ARGS__) /* its arguments count as used; nothing is left of it */
#endif
