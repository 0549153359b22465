/* SPDX-License-Identifier: MIT */
/* queue/queue.h: where steps that no worker has credit for wait. The settling SQL writes to PGMQ by itself (one
 * transaction); this vtable is the side that reads: which namespaces have visible work, and the hint that wakes readers.
 * Backends: pgmq (PostgreSQL is asked; hints by Redis pub/sub or NOTIFY) and memory (unit tests of the feeds). */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tk_queue_state {
        const char *ns;          /* as asked */
        bool visible;            /* something can be claimed now */
        bool lost;               /* one of the visible was with a worker whose lease has ended: claim_steps finds it at once only when asked for it */
        int waiting;             /* how many can be claimed: counted up to 10000, estimated beyond */
        unsigned weight;         /* of the namespace among those of a worker; 0: not said, as 1 */
        int64_t oldest_ns;       /* wall clock; since when the oldest of these is in the queue; 0: none */
};
struct tk_queue;
struct tk_queue_ops {
        const char *name;
        /* Fills state[i] for all namespaces in one round trip; a namespace without a queue has nothing. 0, or an outcome of pg/pg.h. */
        int (*poll)(struct tk_queue *queue, struct tk_queue_state *states, size_t n, struct tk_err *err);
        /* Tells all orchestrators that namespace ns has visible work. After the commit. Coalesced, best effort. */
        void (*hint)(struct tk_queue *queue, const char *ns);
        void (*free)(struct tk_queue *queue);
};
struct tk_queue {
        const struct tk_queue_ops *ops;
};
struct tk_pg;
struct tk_kv;
/* Both borrowed, used from the caller's thread only; kv may be NULL (then NOTIFY on channel tasker_hint through pg). */
TK_MUST struct tk_queue *tk_queue_pgmq_new(struct tk_pg *pg, struct tk_kv *kv);
TK_MUST struct tk_queue *tk_queue_memory_new(void);
void tk_queue_memory_send(struct tk_queue *queue, const char *ns, int64_t visible_at_wall_ns);
unsigned tk_queue_memory_hints(struct tk_queue *queue, const char *ns);
static inline struct tk_queue *tk_queue_free(struct tk_queue *queue)
{
        if (queue)
                queue->ops->free(queue);
        return NULL;
}
#define TK_QUEUE_HINT_CHANNEL "tasker_hint" /* NOTIFY channel and Redis channel; payload = namespace */
