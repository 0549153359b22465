/* SPDX-License-Identifier: MIT */
/* bench/micro/micro.h: the small things whose cost is measured, a file each. */
#pragma once
#include <stdint.h>

void micro_formats(void);  /* JSON against MessagePack */
void micro_threads(void);  /* mailboxes, permits, locks */
void micro_sight(void);    /* histograms, meters, counters */
void micro_shed(void);     /* whether a task is refused */
void micro_resolver(void);
void micro_template(const char *file);
/* Reads templates from a cache service; `digests`: separated by commas, by turns. `forget`: NULL, or "namespace/name/version"
 * that is invalidated before every read and read by name. */
int micro_cache(const char *address, const char *digests, const char *forget, const char *name, uint64_t n);
