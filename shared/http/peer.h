/* SPDX-License-Identifier: MIT */
/* http/peer.h: the time each connection has for what it must do next, whatever trickle of bytes it sends.
 * Private to http/.
 *
 * A peer gets one idle timeout to present a whole request (counted from its connection or its last reply) and
 * one to take the reply; while a handler works, none. One thread sleeps until the earliest deadline and shuts
 * down what is late; the server then sees an ordinary disconnect. */
#pragma once
#include "base/list.h"
#include "run/lock.h"
#include "run/thread.h"

struct tk_http_peers {
        int64_t timeout_ns;
        struct tk_lock lock;
        struct tk_cond changed;
        struct tk_list all;     /* under lock */
        bool stopping;          /* under lock */
        struct tk_thread thread;
};
struct tk_http_peer {
        struct tk_list link;
        int fd;
        _Atomic int64_t deadline_ns; /* TK_TIME_NEVER while a handler works */
};
void tk_http_peers_start(struct tk_http_peers *peers, int64_t timeout_ns);
void tk_http_peers_stop(struct tk_http_peers *peers); /* every peer must be gone */
TK_MUST struct tk_http_peer *tk_http_peer_new(struct tk_http_peers *peers, int fd);
struct tk_http_peer *tk_http_peer_free(struct tk_http_peers *peers,
                                       struct tk_http_peer *peer); /* before its socket closes */
void tk_http_peer_hurry(struct tk_http_peers *peers, struct tk_http_peer *peer); /* one timeout from now */
void tk_http_peer_relax(struct tk_http_peer *peer);
