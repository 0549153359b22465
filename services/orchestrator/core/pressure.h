/* SPDX-License-Identifier: MIT */
/* orchestrator/core/pressure.h: whether more work may come in. New tasks are refused before a mailbox is full, so that what is
 * already inside (results, reads) still has room; and, where somebody wants that, before the permits of their namespace are all in use,
 * so that none waits long in the queue. Any thread. */
#pragma once
#include "orchestrator/core/sessions.h"
#include <stdbool.h>
#include <stdint.h>

struct orch_app;
struct orch_pressure {
        bool permits;                  /* of a namespace; else a mailbox */
        char name[ORCH_NAMESPACE_MAX]; /* of the mailbox, or the namespace */
        uint32_t in_use, capacity;
        unsigned percent;
        bool high;                     /* past the mark from which on it is told; by those functions below that look at it */
};

/* The fullest of the mailboxes a task's way leads through. Five short locks, about 0.1 µs. */
void orch_pressure_mailboxes(struct orch_app *app, struct orch_pressure *ret);
/* What the connected workers of the namespace take at once, and how much of it is in use; without workers 0 of 0, 0 %: nobody is busy.
 * NULL: of the namespace where that is most. One short lock for each namespace. */
void orch_pressure_permits(struct orch_app *app, const char *ns, struct orch_pressure *ret);

/* True: refuse (shedding.percent is reached). Says once in the log when shedding.warn_percent is passed, and when it is over. */
bool orch_mailboxes_shed(struct orch_app *app, struct orch_pressure *ret);
/* The same for shedding.permits_percent; *ret is only set where one of its two marks is. Told every ten seconds at most: permits come and
 * go with every step. */
bool orch_permits_shed(struct orch_app *app, const char *ns, struct orch_pressure *ret);

enum { ORCH_PRESSURE_TEXT = 128 };
/* For people: what is how full. */
void orch_pressure_text(const struct orch_pressure *pressure, char ret[ORCH_PRESSURE_TEXT]);
