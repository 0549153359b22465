/* SPDX-License-Identifier: MIT */
/* model/dead_letter.h: the words of the dead-letter queue and what people may say about its entries. Pure: no I/O. */
#pragma once
#include "model/decision.h"

/* The word as the database has it ("manually_resolved") for either of its spellings (also "ManuallyResolved"); NULL: no such word. */
const char *tk_dead_letter_status(const char *word);
const char *tk_dead_letter_reason(const char *word);
/* All words of the database, for messages. */
#define TK_DEAD_LETTER_STATUSES "`pending`, `manually_resolved`, `permanently_failed`, `cancelled`"
#define TK_DEAD_LETTER_REASONS "`staleness_timeout`, `max_retries_exceeded`, `dependency_cycle_detected`, `worker_unavailable`, `manual_dlq`"

enum { TK_DEAD_LETTER_NOTES_MAX = 4096, TK_DEAD_LETTER_METADATA_MAX = 32 * 1024 };
struct tk_dead_letter_update { /* NULL: as it is */
        const char *status, *notes, *by;
        const char *metadata; /* JSON text */
};
/* {"resolution_status"?, "resolution_notes"?, "resolved_by"?, "metadata"?}; null is like absent.
 * Outcomes of model/decision.h; strings in the arena. */
TK_MUST int tk_dead_letter_parse_update(const void *json, size_t len, struct tk_arena *arena, struct tk_dead_letter_update *ret, struct tk_err *err);

/* {"task_uuid", "by", "reason"}. */
TK_MUST int tk_dead_letter_parse_entry(const void *json, size_t len, struct tk_arena *arena, struct tk_uuid *ret_task, struct tk_decision *ret,
                                       struct tk_err *err);

struct tk_dead_letter_bulk {
        struct tk_decision decision; /* actor, reason, after, action (revive, resolve), dry_run, ns, name, version */
        const char *why;             /* reason of the entries; NULL: any */
};
/* {"action", "by", "reason", "filter", "dry_run"?, "after"?}; a filter without conditions is refused unless it is {"all": true}. */
TK_MUST int tk_dead_letter_parse_bulk(const void *json, size_t len, struct tk_arena *arena, struct tk_dead_letter_bulk *ret, struct tk_err *err);
