/* SPDX-License-Identifier: MIT */
/* A runtime with a server and a channel to it, both in this process, for tests of rpc. */
#pragma once
#include "rpc/rpc.h"

struct peer {
        struct tk_rpc *rpc;
        struct tk_rpc_server *server;
        struct tk_rpc_channel *channel;
};
void peer_start(struct peer *peer, const struct tk_rpc_method *methods, size_t n, void *app, size_t message_max);
void peer_stop_server(struct peer *peer, int64_t grace_ns);
void peer_stop(struct peer *peer);
