/* SPDX-License-Identifier: MIT */
/* orchestrator/core/sessions.h: the workers connected to this process: what they serve, how many steps they would take
 * (credit), which steps they hold, and the frames on their way to them.
 *
 * Frames are kept as encoded protobuf fields: an OrchestratorFrame is the concatenation of its fields, so an actor
 * encodes one assignment once and the stream sends whatever waits. One lock for all; held for memory work only.
 * A session lives as long as its stream and every reservation on it. Thread-safe. */
#pragma once
#include "base/attr.h"
#include "base/buf.h"
#include "base/uuid.h"
#include "rpc/rpc.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ORCH_NAMESPACE_MAX = 64, ORCH_SESSION_NAMESPACES_MAX = 256, ORCH_CREDIT_MAX = 100000 };

/* A step held by a worker: the identity of one execution and its lease. */
struct orch_held {
        struct tk_uuid step, task;
        uint32_t attempt;
        int64_t token;                  /* PGMQ message id */
        char ns[ORCH_NAMESPACE_MAX];
};

struct orch_sessions;
struct orch_session;
struct orch_sessions_ops {
        void *user;
        /* Credit appeared while a namespace may have work in its queue. Short; may be called under no lock. */
        void (*want_work)(void *user);
};
TK_MUST struct orch_sessions *orch_sessions_new(const struct orch_sessions_ops *ops);
struct orch_sessions *orch_sessions_free(struct orch_sessions *all); /* no session may be left */

/* A stream was accepted. Not yet in any namespace: orch_session_hello does that. Holds one reference for the stream. */
TK_MUST struct orch_session *orch_session_new(struct orch_sessions *all, struct tk_rpc_stream *stream);
/* The worker introduced itself; namespaces are copied. */
void orch_session_hello(struct orch_session *s, const char *worker_id, const char *const *namespaces, size_t n);
/* The stream is gone: out of all lists. Returns what it held, for release (tk_free the array):
 * ret_sent[i] tells whether the assignment left this process. Drops the stream's reference. */
struct orch_held *orch_session_closed(struct orch_session *s, bool **ret_sent, size_t *ret_n);
void orch_session_ref(struct orch_session *s);
void orch_session_unref(struct orch_session *s);
const char *orch_session_worker(const struct orch_session *s);

void orch_session_grant(struct orch_session *s, uint32_t steps);
/* All credit that was granted up to now and is not used is void, and the worker is told how much that is; of what is reserved when it comes back. */
void orch_session_recall(struct orch_session *s);
void orch_session_seen(struct orch_session *s, int64_t now_ns); /* any frame is a sign of life */
/* Told by the worker: after a reconnect, or when another orchestrator left it. */
void orch_session_hold(struct orch_session *s, const struct orch_held *held);
/* The execution is over (settled or stale); true if this session held it. */
bool orch_session_forget(struct orch_session *s, const struct tk_uuid *step, uint32_t attempt);
/* The same for an execution that its worker gives back unbegun; *ret: what it was, as this process knows it. */
TK_MUST bool orch_session_take_back(struct orch_session *s, const struct tk_uuid *step, uint32_t attempt, struct orch_held *ret);
/* One acknowledgement, as a field of a frame, behind what is in buf: a worker's word on this execution has arrived. */
void orch_ack_put(struct tk_buf *buf, const struct tk_uuid *step, uint32_t attempt, bool stale, bool refused);
/* Tells the worker that its word on these executions has arrived: stored, or stale. */
void orch_session_ack(struct orch_session *s, const struct orch_held *list, size_t n, bool stale);
/* Appends encoded frame fields and wakes the stream; dropped silently when the stream is gone. */
void orch_session_send(struct orch_session *s, const void *fields, size_t len);
/* Appends an assignment and holds the step in one go, once for each orch_reservation_take; orch_session_wake when the last of a batch
 * was appended. False: the stream is gone, and only the reserved credit is. */
TK_MUST bool orch_session_assign(struct orch_session *s, const struct orch_held *held, const void *fields, size_t len);
void orch_session_wake(struct orch_session *s);
/* Moves waiting fields into buf for the next frame; false when none wait. Called by the stream. */
bool orch_session_next_frame(struct orch_session *s, struct tk_buf *buf);

/* Credit reserved for one transaction: what for. */
struct orch_reservation;
enum orch_credit_for {
        ORCH_CREDIT_CLAIM, /* steps whose turn it is: all that is free */
        ORCH_CREDIT_EAGER, /* steps that become ready, past the queue: at most half of what is free (rounded up), so that a transaction running
                            * beside this one finds some too; and of a worker that other namespaces have a backlog for, what makes an equal part */
        ORCH_CREDIT_NEW,   /* the same for new tasks, which do not go past a backlog of their own namespace */
};
/* For each namespace up to want steps, divided so that all of them come to hold the same number of steps of a worker, or what their
 * weights make of it, however long these run (core/share.h). `ns` is borrowed until the reservation is freed. */
TK_MUST struct orch_reservation *orch_credit_reserve(struct orch_sessions *all, const char *const *ns, size_t n,
                                                     unsigned want, enum orch_credit_for what);
unsigned orch_reservation_count(const struct orch_reservation *r, const char *ns);
/* Takes one reserved step of the namespace; a referenced session (unref it), or NULL when none is left. */
struct orch_session *orch_reservation_take(struct orch_reservation *r, const char *ns);
/* Gives unused credit back, wakes the streams of all sessions that credit was taken from and frees. Returns NULL. */
struct orch_reservation *orch_reservation_free(struct orch_reservation *r);

/* What is known of the queues: marked by hints and by transactions that queued steps, cleared after a claim that found less than it asked
 * for, unless it was marked again since that mark was looked at (0: not marked). */
void orch_queue_mark(struct orch_sessions *all, const char *ns);
uintptr_t orch_queue_marked(struct orch_sessions *all, const char *ns);
void orch_queue_clear(struct orch_sessions *all, const char *ns, uintptr_t mark);
/* Whether a claim found as much as it asked for, so that more waits than workers take. */
void orch_queue_backlog(struct orch_sessions *all, const char *ns, bool backlog);
/* Its weight among the namespaces of a worker, 1 until said: 1 to TK_WEIGHT_MAX (model/decision.h). */
void orch_queue_weigh(struct orch_sessions *all, const char *ns, unsigned weight);
/* Namespaces that have connected workers with free credit and maybe work. Fills up to max names; returns the count. */
size_t orch_queue_wanted(struct orch_sessions *all, char (*ret_ns)[ORCH_NAMESPACE_MAX], size_t max);
/* All namespaces of connected workers. */
size_t orch_sessions_namespaces(struct orch_sessions *all, char (*ret_ns)[ORCH_NAMESPACE_MAX], size_t max);

/* Tells whoever holds this execution to stop it. */
void orch_sessions_cancel(struct orch_sessions *all, const struct tk_uuid *step, uint32_t attempt, const char *reason);
/* The same, and it is not held any more: the database says that it is over or somebody else's. */
void orch_sessions_disown(struct orch_sessions *all, const struct orch_held *held);
/* Ends streams not heard of since `before_ns` (monotonic); returns how many. */
unsigned orch_sessions_expire(struct orch_sessions *all, int64_t before_ns);
/* Tells all workers that this process stops: no credit is left, results are still welcome. */
void orch_sessions_drain(struct orch_sessions *all);
/* Copies everything held whose lease was taken or renewed before `before_ns`, and marks it renewed at now_ns. tk_free. */
struct orch_held *orch_sessions_renewable(struct orch_sessions *all, int64_t before_ns, int64_t now_ns, size_t *ret_n);

struct orch_sessions_numbers {
        unsigned sessions, credit, held;
};
void orch_sessions_numbers(struct orch_sessions *all, struct orch_sessions_numbers *ret);
/* The connected workers that serve a namespace: how many, how many more steps they would take now, and how many they have or are about to
 * be sent, of whatever namespace: a worker has one set of permits for all it serves. Both together are what they take at once: their
 * permits, and what they take in advance. */
struct orch_serving {
        unsigned workers, free, taken;
};
void orch_sessions_serving(struct orch_sessions *all, const char *ns, struct orch_serving *ret);
