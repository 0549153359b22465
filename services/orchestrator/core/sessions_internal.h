/* SPDX-License-Identifier: MIT */
/* orchestrator/core/sessions_internal.h: what sessions.c, credit.c and census.c share; nobody else includes it. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "orchestrator/core/sessions.h"
#include "run/lock.h"
#include <stdatomic.h>

/* Encoded fields that wait; many small sends share one. */
struct chunk {
        struct tk_list link;
        uint64_t seq;
        struct tk_buf bytes;
};

struct held_entry {
        struct orch_held held;
        uint64_t seq;      /* of the chunk that carries the assignment; 0: told by Hello */
        int64_t leased_ns; /* monotonic: lease taken or renewed */
        size_t ns;         /* its place in the session's namespaces; ns_n: none of them */
};

struct orch_session {
        struct tk_list link;            /* in orch_sessions.open */
        struct orch_sessions *all;
        struct tk_rpc_stream *stream;   /* NULL when closed */
        atomic_uint refs;
        char worker_id[128];
        char (*ns)[ORCH_NAMESPACE_MAX];
        size_t ns_n;
        unsigned *ns_held;              /* how many steps of each it holds */
        uint32_t credit;
        uint32_t reserved;              /* credit in the hands of reservations */
        unsigned recalls;               /* how often the worker has recalled it */
        int64_t seen_ns;
        struct tk_map *held;            /* step uuid → struct held_entry */
        struct tk_list chunks;
        uint64_t seq_next, seq_sent;
};

struct orch_sessions {
        struct tk_lock lock;
        struct orch_sessions_ops ops;
        struct tk_list open;
        unsigned open_n;
        struct tk_map *queues;          /* namespace → number of its last mark: its queue may hold visible work */
        uintptr_t marks;
        struct tk_map *backlogs;        /* namespace → all: more waits there than workers take */
        struct tk_map *weights;         /* namespace → its weight, where that is not 1 */
        unsigned turn;                  /* which namespace begins where none has less for its weight than the others */
};

/* Under the lock. The sequence number of the chunk the bytes went into. */
uint64_t orch_session_append(struct orch_session *s, const void *fields, size_t len);
/* Under the lock: the stream to wake once it is given back (waking asks for the frame at once, which takes the lock). */
struct tk_rpc_stream *orch_session_stream(struct orch_session *s);
/* Not under the lock. NULL is fine; drops the reference. */
void orch_stream_wake(struct tk_rpc_stream *stream);
/* The place of a namespace among those the worker serves; ns_n: it does not. */
size_t orch_session_place(const struct orch_session *s, const char *ns);
bool orch_session_serves(const struct orch_session *s, const char *ns);
/* Under the lock: out of the map, no longer counted, freed. */
void orch_session_drop_held(struct orch_session *s, struct held_entry *entry);
