/* SPDX-License-Identifier: MIT */
/* orchestrator/core/waiters.h: requests suspended until a task comes to rest. Event driven: settlements of this process
 * and announcements of others wake them. An announcement may be lost, when its orchestrator dies after the commit; for these a slow
 * look asks about everybody who has waited for long, in one statement, and only while somebody has. Thread-safe.
 *
 * Whoever takes a waiter out (ready, notify, expire) owns the reply; so each is answered exactly once. */
#pragma once
#include "base/attr.h"
#include "base/uuid.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct orch_waiters;
/* Called without locks, in the thread that notified or expired: must reply or hand on. */
typedef void orch_waiter_fn(void *request);
TK_MUST struct orch_waiters *orch_waiters_new(void);
/* Ends its thread, and with it time and looks: before what `fn` of the look needs is gone. */
void orch_waiters_stop(struct orch_waiters *waiters);
/* Stops, wakes all that are left, then frees. */
struct orch_waiters *orch_waiters_free(struct orch_waiters *waiters);
/* This process is about to create the task: until a notify for it, it is known to move and a wait for it needs no look at the
 * database. Of the last few thousand only; forgetting costs that look. */
void orch_waiters_moving(struct orch_waiters *waiters, const struct tk_uuid *task);
/* deadline: monotonic. Returns a ticket (never 0) to take it back with. *ret_moving: the task is known to move, so that nothing was
 * missed; else the caller looks at it. */
TK_MUST uint64_t orch_waiters_add(struct orch_waiters *waiters, const struct tk_uuid *task, int64_t deadline_ns,
                                  orch_waiter_fn *fn, void *request, bool *ret_moving);
/* True: it was still waiting and is the caller's again. */
TK_MUST bool orch_waiters_take(struct orch_waiters *waiters, uint64_t ticket);
void orch_waiters_notify(struct orch_waiters *waiters, const struct tk_uuid *task);
void orch_waiters_notify_all(struct orch_waiters *waiters); /* something may have been missed */
unsigned orch_waiters_count(struct orch_waiters *waiters);

/* The slow look. fn is called in the waiters' thread, without locks, while requests have waited for longer than every_ns: at
 * most so often, and not again before the last look has ended. Called once, before anybody waits. */
typedef void orch_waiters_look_fn(void *user);
void orch_waiters_watch(struct orch_waiters *waiters, int64_t every_ns, orch_waiters_look_fn *fn, void *user);
/* Their tasks; one may come twice. tk_free. */
TK_MUST struct tk_uuid *orch_waiters_long(struct orch_waiters *waiters, size_t *ret_n);
void orch_waiters_looked(struct orch_waiters *waiters); /* this look has ended, whatever came of it */

/* complete, error, cancelled, resolved_manually: it ends here; blocked_by_failures: it rests until a person acts. */
bool orch_state_rests(const char *task_state);
