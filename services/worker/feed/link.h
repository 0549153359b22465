/* SPDX-License-Identifier: MIT */
/* worker/feed/link.h: the stream to one orchestrator, as a state machine.
 *
 *   IDLE ──open──▶ OPENING ──Hello sent──▶ GREETED ──Welcome──▶ UP ──closed──▶ IDLE
 *
 * Callbacks run on the completion-queue thread, or in whatever thread woke the stream; the lock guards the fields and is
 * never held while the stream is called. */
#pragma once
#include "rpc/rpc.h"
#include "run/lock.h"
#include <stdbool.h>
#include <stdint.h>

struct work_app;
enum work_link_state { WORK_LINK_IDLE, WORK_LINK_OPENING, WORK_LINK_GREETED, WORK_LINK_UP };

struct work_link {
        struct work_app *app;
        unsigned at;                    /* its number in the ledger */
        const char *address;            /* of the configuration */
        struct tk_rpc_channel *channel;

        struct tk_lock lock;
        struct tk_cond changed;         /* the state */
        enum work_link_state state;
        struct tk_rpc_stream *stream;   /* referenced; NULL: none, or not yet known */
        unsigned failures;              /* tries in a row that did not come UP */
        int64_t retry_ns;               /* when to open again */
        int64_t seen_ns;                /* last frame of the orchestrator */
        int64_t heartbeat_ns, beat_due_ns, lease_ns;
        uint64_t sequence;              /* of heartbeats */
        uint64_t granted;               /* credit on this stream; only of next_frame, which one thread at a time is in */
        bool beat;                      /* a heartbeat is due */
        bool leaving;                   /* say goodbye when nothing of this link is left */
        bool drained;                   /* the peer stops */
        int64_t patience_ns;            /* drained: until then what runs may end; TK_TIME_NEVER: that time is over */
        bool goodbye;                   /* said */
        bool ending;                    /* the worker stops: do not open again */
};
void work_link_init(struct work_link *link, struct work_app *app, unsigned at, const char *address);
void work_link_deinit(struct work_link *link); /* IDLE */
/* Opens, beats, or gives up on a silent peer, whatever is due. Returns when to call again. */
int64_t work_link_tick(struct work_link *link, int64_t now_ns);
void work_link_wake(struct work_link *link);
enum work_link_state work_link_state(struct work_link *link);
/* Goodbye as soon as nothing is left; does not open again. */
void work_link_leave(struct work_link *link);
/* Until it is IDLE or the deadline passes; true: it is. */
bool work_link_wait_idle(struct work_link *link, int64_t deadline_ns);
void work_link_cut(struct work_link *link);
