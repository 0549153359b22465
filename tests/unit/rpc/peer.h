/* SPDX-License-Identifier: MIT */
/* A runtime with a server and a channel to it, both in this process, for tests of rpc. */
#pragma once
#include "rpc/rpc.h"

struct peer {
        struct tk_rpc *rpc;
        struct tk_rpc_server *server;
        struct tk_rpc_channel *channel;
        int held; /* a port where nobody listens, -1 */
};
void peer_start(struct peer *peer, const struct tk_rpc_method *methods, size_t n, void *app, size_t message_max);
void peer_stop_server(struct peer *peer, int64_t grace_ns);
/* From here on the channel leads to where nobody listens, and nobody will: another process is not given this port. */
void peer_leave(struct peer *peer);
void peer_stop(struct peer *peer);
