/* SPDX-License-Identifier: MIT */
/* worker/core/ledger.h: every attempt this worker has taken, from assignment to acknowledgement, and the credit that follows
 * from it. No I/O. Thread-safe; one lock, held for memory work only.
 *
 * An attempt is queued → running → done (its result waits for a stream) → sent → gone with the ack. It belongs to the
 * link (orchestrator) it came by; when that link breaks or is about to, it goes to another one that is up, whose orchestrator
 * is told that we hold it; without one it is an orphan, until a link introduces itself.
 *
 * What has waited for a permit too long is given back instead: queued → returned → gone with the ack. One lock decides between that
 * and its start, so it is never both. Like a result it is offered to another orchestrator when its link breaks before the ack, after
 * that one was told that we hold it; one that does not take steps back never hears of it, and its lease ends by itself.
 *
 * Credit. The worker takes `total` attempts at once (core/pace.h says how many), shared evenly by the links that are up. A
 * link may have as many assignments open as it has credit outstanding or attempts queued and running; what is missing to
 * its share is granted with the next frame. A result done makes room, so every result frame carries the credit it freed. Handlers that overran
 * their time still occupy a permit and are taken off the total; too many unacknowledged results stop all credit. After something
 * was given back there is none until a handler ends, and what is outstanding is recalled: else the same steps would come again, and again. */
#pragma once
#include "base/attr.h"
#include "base/buf.h"
#include "base/uuid.h"
#include "worker/core/event.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORK_NAMESPACE_MAX = 64, WORK_NO_LINK = -1 };

struct work_key {
        struct tk_uuid step;
        uint32_t attempt;
};
struct work_taken {
        struct work_key key;
        struct tk_uuid task;
        int64_t token;
        char ns[WORK_NAMESPACE_MAX];
};

struct work_ledger;
/* permits: handlers that run at once. total_max: also the first total. */
TK_MUST struct work_ledger *work_ledger_new(unsigned links, unsigned permits, unsigned total_max, unsigned unacked_max);
/* At most total_max. Credit that is out stays out; a lower total shows as it is used. */
void work_ledger_set_total(struct work_ledger *ledger, unsigned total);
struct work_ledger *work_ledger_free(struct work_ledger *ledger);

/* A link is about to introduce itself: orphans become its own; what it holds is copied for its Hello (tk_free). */
struct work_taken *work_ledger_adopt(struct work_ledger *ledger, unsigned link, size_t *ret_n);
void work_ledger_up(struct work_ledger *ledger, unsigned link, bool takes_back); /* it was welcomed, by somebody who takes steps back */
void work_ledger_down(struct work_ledger *ledger, unsigned link);       /* it broke: others take over, or its attempts are orphans */
/* No more credit until it is up again; another one takes what runs. */
void work_ledger_hand_over(struct work_ledger *ledger, unsigned link);
/* What the next frame of the link should say beside results and credit; it counts as said now. */
struct work_untold {
        struct work_taken *held;     /* what it took over from others; tk_free */
        size_t held_n;
        struct work_taken *returned; /* what is given back; in `held` */
        size_t returned_n;
        bool recall;                 /* credit outstanding is void */
};
bool work_ledger_untold(struct work_ledger *ledger, unsigned link, struct work_untold *ret); /* false: nothing */
void work_ledger_stop_credit(struct work_ledger *ledger);               /* no more credit at all: the worker stops */

enum {
        WORK_TAKE_OK,
        WORK_TAKE_WAITS,   /* the same, but no permit is free and nobody looks yet: call work_ledger_give_back in time */
        WORK_TAKE_E_KNOWN, /* here already: its result will be offered (again) */
        WORK_TAKE_E_FULL,  /* far beyond what was granted */
};
TK_MUST int work_ledger_take(struct work_ledger *ledger, unsigned link, const struct work_taken *taken);
enum { WORK_START_OK, WORK_START_E_CANCELLED, WORK_START_E_DONE /* settled meanwhile: nothing to do */ };
TK_MUST int work_ledger_start(struct work_ledger *ledger, const struct work_key *key);
void work_ledger_cancel(struct work_ledger *ledger, const struct work_key *key); /* start, or the next look, will tell */
bool work_ledger_cancelled(struct work_ledger *ledger, const struct work_key *key);
/* The attempt has a result: `fields` are the bytes of a WorkerFrame field, `events` what it publishes once it is acknowledged, or NULL
 * (both taken over). overrun: its handler still runs,
 * work_ledger_returned() tells when it does not any more. False: it has a result already, or is gone; both are dropped.
 * *ret_link is the link to wake, or WORK_NO_LINK while none is up. */
TK_MUST bool work_ledger_done(struct work_ledger *ledger, const struct work_key *key, struct tk_buf *fields,
                              struct work_events *events, bool overrun, int *ret_link);
void work_ledger_returned(struct work_ledger *ledger);
/* Gives back what was taken before that time (monotonic) and has no permit, if none is free. Returns how many: wake the links. *ret_oldest_ns: when
 * the oldest that still waits was taken, look again; TK_TIME_NEVER: none waits, WORK_TAKE_WAITS will tell. */
unsigned work_ledger_give_back(struct work_ledger *ledger, int64_t before_ns, int64_t *ret_oldest_ns);
/* The orchestrator has let go of so much credit. */
void work_ledger_recalled(struct work_ledger *ledger, unsigned link, unsigned steps);
/* Whether the attempt still waits for its result. */
bool work_ledger_open(struct work_ledger *ledger, const struct work_key *key);

/* What the next frame of the link should carry: results are appended to buf until it has bytes_max, *ret_credit is granted.
 * False: nothing. */
bool work_ledger_collect(struct work_ledger *ledger, unsigned link, struct tk_buf *buf, size_t bytes_max,
                         unsigned *ret_credit);
/* True: credit that had been held back may flow again, wake the links. *ret_took_ns: since its result; -1: not ours, open, or given
 * back. *ret_events: what came with it, the caller's now; or NULL. */
bool work_ledger_ack(struct work_ledger *ledger, const struct work_key *key, int64_t *ret_took_ns, struct work_events **ret_events);
/* The link has nothing open and nothing unacknowledged; nothing unacknowledged. */
bool work_ledger_idle(struct work_ledger *ledger, unsigned link);
bool work_ledger_acked(struct work_ledger *ledger, unsigned link);

struct work_ledger_numbers {
        unsigned queued, running, unacknowledged, orphans, overruns, credit;
};
void work_ledger_numbers(struct work_ledger *ledger, struct work_ledger_numbers *ret);
