/* SPDX-License-Identifier: MIT */
/* run/mbox.h: a bounded mailbox: many senders, one or more receivers. A receiver detaches up to a whole batch under
 * the lock and handles it outside. Keeps its own numbers, always on. Thread-safe. */
#pragma once
#include "base/attr.h"
#include "base/list.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { TK_MBOX_OK, TK_MBOX_E_FULL, TK_MBOX_E_CLOSED };

/* Embedded first in every message. Whoever holds the message owns it; `done` hands it back to its sender exactly once,
 * from the receiver's thread (set `status` first); NULL: the receiver frees it with tk_free(msg). */
struct tk_msg {
        struct tk_list link;
        int type;           /* the receiver's enum */
        int status;         /* outcome for `done`: 0, positive outcome, or -errno; -ECANCELED when the actor stopped */
        int64_t sent_ns;    /* set by the mailbox */
        void (*done)(struct tk_msg *msg);
        void *waiter;       /* tk_actor_ask's own */
};
/* Gives a handled message back: takes it off the list it is in, then calls done, or frees it. */
void tk_msg_done(struct tk_msg *msg, int status);

struct tk_mbox_stats {
        const char *name;
        uint32_t capacity, depth, high_water;
        uint64_t sends, fulls;      /* accepted; refused because full */
        uint64_t wait_ns_total;     /* time messages spent inside */
        uint64_t received;
};

struct tk_mbox;
TK_MUST struct tk_mbox *tk_mbox_new(const char *name, uint32_t capacity); /* name: static storage */
struct tk_mbox *tk_mbox_free(struct tk_mbox *mbox);                       /* must be empty */
TK_MUST int tk_mbox_post(struct tk_mbox *mbox, struct tk_msg *msg);       /* 0: theirs now; E_FULL / E_CLOSED: still yours */
/* Ignores the capacity: for messages whose number is bounded elsewhere (a worker's granted credit). E_CLOSED only. */
TK_MUST int tk_mbox_post_always(struct tk_mbox *mbox, struct tk_msg *msg);
/* Moves up to max messages into *ret (initialised by the callee), oldest first; waits until one is there, the deadline
 * passes, the mailbox is woken, or it is closed and empty. Returns the count. */
unsigned tk_mbox_receive(struct tk_mbox *mbox, struct tk_list *ret, unsigned max, int64_t deadline_ns);
void tk_mbox_wake(struct tk_mbox *mbox);   /* makes one pending or next receive return at once */
void tk_mbox_close(struct tk_mbox *mbox);  /* no more posts; what is inside may still be received */
bool tk_mbox_closed(struct tk_mbox *mbox);
void tk_mbox_load(struct tk_mbox *mbox, uint32_t *ret_depth, uint32_t *ret_capacity);
void tk_mbox_stats(struct tk_mbox *mbox, struct tk_mbox_stats *ret);
