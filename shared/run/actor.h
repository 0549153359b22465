/* SPDX-License-Identifier: MIT */
/* run/actor.h: one actor = one thread (or a few) = one bounded mailbox = its own state (usually one database
 * connection). Blocking code that reads top to bottom.
 *
 * Life: start (in the thread) → rounds of {receive a batch, handle it, tick when due} → stop. tk_actor_stop closes the
 * mailbox, lets the threads drain what is inside (handle keeps being called), then calls `stop` in the thread and joins.
 * If start fails, it is tried again with backoff (0.1 s … 5 s, jittered) while messages wait in the mailbox; the actor
 * counts as not ready meanwhile. A negative result of handle: the remaining messages of the batch that were not given
 * back are given back with that status, `stop` and `start` run again (fresh connection). */
#pragma once
#include "run/mbox.h"
#include <stddef.h>

struct tk_actor_type {
        const char *name;       /* thread name, log field, metric label; static storage */
        size_t state_size;      /* per thread, zeroed before each start */
        uint32_t mailbox_max;   /* default capacity; tk_actor_new may override */
        unsigned threads;       /* > 1: competing consumers, each with its own state */
        unsigned batch_max;     /* most messages per handle; 1: one by one */
        const char *const *messages; /* what its messages are called, by their type; static. NULL: "message" */
        unsigned messages_n;
        int (*start)(void *self, void *app);
        /* All messages of the list must be given back (tk_msg_done) or kept by the actor, which takes a kept one off the list
         * and gives it back in `stop` at the latest; n ≥ 1. Negative: see above. */
        int (*handle)(void *self, struct tk_list *msgs, unsigned n);
        /* May be NULL. Due work: called when due, when woken, and after every batch. Returns the next wake-up (monotonic) or
         * TK_TIME_NEVER; negative: failed, `stop` and `start` run again. */
        int64_t (*tick)(void *self, int64_t now_ns);
        void (*stop)(void *self);                    /* may be NULL; also after a failed start: accept half-built state */
};

struct tk_actor_stats {
        struct tk_mbox_stats mbox;
        unsigned threads, ready;     /* threads whose start succeeded */
        uint64_t handled, batches, restarts;
        uint64_t busy_ns;            /* in handle and tick, all threads */
        uint64_t batch_max_seen;
        int64_t last_progress_ns;    /* monotonic; end of the last handle */
        int64_t handling_ns;         /* how long the batch that has been handled longest has been; 0: all wait */
        const char *current;         /* what that batch begins with: a message's name, or "timer"; NULL: all wait. Static */
};

/* The two fields of a type that name its messages: TK_ACTOR_MESSAGES("create") */
#define TK_ACTOR_MESSAGES(...)                                                                               \
        .messages = (const char *const[]){__VA_ARGS__}, .messages_n = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

struct tk_actor;
/* capacity 0 and threads 0: the type's. Starts the threads. Never NULL. */
TK_MUST struct tk_actor *tk_actor_new(const struct tk_actor_type *type, void *app, uint32_t capacity, unsigned threads);
TK_MUST int tk_actor_post(struct tk_actor *to, struct tk_msg *msg);        /* see tk_mbox_post */
TK_MUST int tk_actor_post_always(struct tk_actor *to, struct tk_msg *msg);
/* Posts and waits until it is given back: 0 and msg->status is valid, or TK_MBOX_E_*. Sets msg->done itself. Never from the
 * actor's own thread. */
TK_MUST int tk_actor_ask(struct tk_actor *to, struct tk_msg *msg);
void tk_actor_wake(struct tk_actor *actor);                                 /* run tick soon (of one thread) */
bool tk_actor_ready(struct tk_actor *actor);                                /* all threads started */
/* How full its mailbox is: cheaper than all the numbers. */
void tk_actor_load(struct tk_actor *actor, const char **ret_name, uint32_t *ret_depth, uint32_t *ret_capacity);
void tk_actor_stats(struct tk_actor *actor, struct tk_actor_stats *ret);
/* Drains and joins; NULL and twice are fine. It can still be looked at and still refuses messages, until it is freed. */
void tk_actor_stop(struct tk_actor *actor);
struct tk_actor *tk_actor_stop_free(struct tk_actor *actor);                /* NULL is fine; returns NULL */
