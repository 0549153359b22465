/* SPDX-License-Identifier: MIT */
/* http/peer.c: see peer.h. A new deadline is never earlier than one timeout from now, so a sleeper that wakes
 * at the earliest deadline it saw, or after one timeout, misses nothing. */
#include "http/peer.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/time.h"
#include <stdatomic.h>
#include <sys/socket.h>

/* Shuts down what is late; returns when to look again. */
static int64_t sweep(struct tk_http_peers *peers, int64_t now_ns)
{
        int64_t next_ns = now_ns + peers->timeout_ns;

        tk_list_each(node, &peers->all) {
                struct tk_http_peer *peer = tk_list_entry(node, struct tk_http_peer, link);
                int64_t deadline_ns = atomic_load_explicit(&peer->deadline_ns, memory_order_relaxed);
                if (deadline_ns <= now_ns) {
                        (void)shutdown(peer->fd, SHUT_RDWR);
                        tk_http_peer_relax(peer);
                } else if (deadline_ns < next_ns) {
                        next_ns = deadline_ns;
                }
        }
        return next_ns;
}

static void run(void *arg)
{
        struct tk_http_peers *peers = arg;

        TK_LOCKED(&peers->lock);
        while (!peers->stopping) {
                int64_t next_ns = sweep(peers, tk_time_mono_ns());
                (void)tk_cond_wait(&peers->changed, &peers->lock, next_ns);
        }
}

void tk_http_peers_start(struct tk_http_peers *peers, int64_t timeout_ns)
{
        peers->timeout_ns = timeout_ns;
        tk_lock_init(&peers->lock, "http-peers");
        tk_cond_init(&peers->changed);
        tk_list_init(&peers->all);
        tk_thread_start(&peers->thread, "http-peers", run, peers);
}

void tk_http_peers_stop(struct tk_http_peers *peers)
{
        tk_lock_take(&peers->lock);
        peers->stopping = true;
        tk_cond_signal(&peers->changed);
        tk_lock_give(&peers->lock);
        tk_thread_join(&peers->thread);
        TK_CHECK(tk_list_empty(&peers->all));
        tk_cond_deinit(&peers->changed);
        tk_lock_deinit(&peers->lock);
}

struct tk_http_peer *tk_http_peer_new(struct tk_http_peers *peers, int fd)
{
        struct tk_http_peer *peer = TK_NEW(struct tk_http_peer);

        peer->fd = fd;
        tk_http_peer_hurry(peers, peer);
        TK_LOCKED(&peers->lock);
        tk_list_append(&peers->all, &peer->link);
        return peer;
}

struct tk_http_peer *tk_http_peer_free(struct tk_http_peers *peers, struct tk_http_peer *peer)
{
        tk_lock_take(&peers->lock);
        tk_list_remove(&peer->link);
        tk_lock_give(&peers->lock);
        return tk_free(peer);
}

void tk_http_peer_hurry(struct tk_http_peers *peers, struct tk_http_peer *peer)
{
        atomic_store_explicit(&peer->deadline_ns, tk_time_mono_ns() + peers->timeout_ns,
                              memory_order_relaxed);
}

void tk_http_peer_relax(struct tk_http_peer *peer)
{
        atomic_store_explicit(&peer->deadline_ns, TK_TIME_NEVER, memory_order_relaxed);
}
