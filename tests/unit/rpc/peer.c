/* SPDX-License-Identifier: MIT */
/* See peer.h. */
#include "unit/rpc/peer.h"
#include "base/time.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

void peer_start(struct peer *peer, const struct tk_rpc_method *methods, size_t n, void *app, size_t message_max)
{
        static const char *const services[] = {"test.Echo", NULL};
        struct tk_err err = {0};
        char target[64];
        peer->rpc = tk_rpc_new();
        peer->held = -1;
        const struct tk_rpc_server_conf conf = {.bind = "127.0.0.1:0",
                                                .methods = methods,
                                                .methods_n = n,
                                                .app = app,
                                                .message_max = message_max,
                                                .services = services};
        if (tk_rpc_server_new(peer->rpc, &conf, &peer->server, &err))
                fail_msg("%s", tk_err_text(&err));
        (void)snprintf(target, sizeof target, "127.0.0.1:%u", tk_rpc_server_port(peer->server));
        peer->channel = tk_rpc_channel_new(peer->rpc, target);
}

void peer_stop_server(struct peer *peer, int64_t grace_ns)
{
        peer->server = tk_rpc_server_free(peer->server, tk_time_mono_ns() + grace_ns);
}

void peer_leave(struct peer *peer)
{
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof addr;
        char target[64];
        peer->held = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(peer->held >= 0);
        assert_int_equal(bind(peer->held, (struct sockaddr *)&addr, sizeof addr), 0);
        assert_int_equal(getsockname(peer->held, (struct sockaddr *)&addr, &len), 0);
        (void)snprintf(target, sizeof target, "127.0.0.1:%u", ntohs(addr.sin_port));
        tk_rpc_channel_free(peer->channel);
        peer->channel = tk_rpc_channel_new(peer->rpc, target);
}

void peer_stop(struct peer *peer)
{
        if (peer->server)
                peer_stop_server(peer, TK_NS_PER_S);
        tk_rpc_channel_free(peer->channel);
        tk_rpc_free(peer->rpc);
        if (peer->held >= 0)
                close(peer->held);
}
