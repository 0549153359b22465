/* SPDX-License-Identifier: MIT */
/* Unary calls: answers, refusals, limits, and a server that outlives nonsense. */
#include "base/mem.h"
#include "base/time.h"
#include "unit/rpc/peer.h"
#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { MESSAGE_MAX = 1 << 20 };
#define TIMEOUT (20 * TK_NS_PER_S)

static void echo(struct tk_rpc_call *call, void *app, const void *data, size_t len)
{
        atomic_fetch_add((atomic_uint *)app, 1);
        tk_rpc_reply(call, TK_RPC_OK, NULL, data, len);
}

static void refuse(struct tk_rpc_call *call, void *app, const void *data, size_t len)
{
        (void)app;
        (void)data;
        (void)len;
        tk_rpc_reply(call, TK_RPC_FAILED_PRECONDITION, "not today", NULL, 0);
}

static struct tk_rpc_call *_Atomic kept;

static void keep(struct tk_rpc_call *call, void *app, const void *data, size_t len)
{
        (void)app;
        (void)data;
        (void)len;
        kept = call;
}

static const struct tk_rpc_method methods[] = {{.path = "/test.Echo/Echo", .unary = echo},
                                               {.path = "/test.Echo/Refuse", .unary = refuse},
                                               {.path = "/test.Echo/Keep", .unary = keep}};
static struct peer peer;
static atomic_uint calls;

static int setup(void **state)
{
        (void)state;
        atomic_init(&calls, 0);
        peer_start(&peer, methods, tk_countof(methods), &calls, MESSAGE_MAX);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        peer_stop(&peer);
        return 0;
}

static enum tk_rpc_status call(const char *method, const void *data, size_t len, struct tk_buf *reply, struct tk_err *err)
{
        tk_buf_reset(reply);
        return tk_rpc_unary(peer.channel, method, data, len, TIMEOUT, reply, err);
}

static void bytes_come_back_as_they_were(void **state)
{
        (void)state;
        static uint8_t data[MESSAGE_MAX - 100];
        struct tk_err err = {0};
        TK_AUTOBUF struct tk_buf reply;
        tk_buf_init(&reply, 2 * MESSAGE_MAX);
        for (size_t i = 0; i < sizeof data; i++)
                data[i] = (uint8_t)(i * 7);
        unsigned n = 0;
        for (size_t len = 0; len < sizeof data; len = len * 3 + 1, n++) {
                assert_int_equal(call("/test.Echo/Echo", data, len, &reply, &err), TK_RPC_OK);
                assert_int_equal(reply.len, len);
                if (len)
                        assert_memory_equal(reply.data, data, len);
        }
        assert_int_equal(atomic_load(&calls), n);
}

static void a_refusal_says_everything(void **state)
{
        (void)state;
        struct tk_err err = {0};
        TK_AUTOBUF struct tk_buf reply;
        tk_buf_init(&reply, 1024);
        assert_int_equal(call("/test.Echo/Refuse", "x", 1, &reply, &err), TK_RPC_FAILED_PRECONDITION);
        assert_non_null(strstr(tk_err_text(&err), "/test.Echo/Refuse"));
        assert_non_null(strstr(tk_err_text(&err), "not today"));
        assert_int_equal(reply.len, 0);
        assert_int_equal(call("/test.Echo/Nothing", "x", 1, &reply, &err), TK_RPC_UNIMPLEMENTED);
        assert_int_equal(atomic_load(&calls), 0);
}

static void time_ends_a_call(void **state)
{
        (void)state;
        struct tk_err err = {0};
        TK_AUTOBUF struct tk_buf reply;
        tk_buf_init(&reply, 1024);
        assert_int_equal(call("/test.Echo/Echo", "x", 1, &reply, &err), TK_RPC_OK); /* connected: the next arrives in time */
        assert_int_equal(tk_rpc_unary(peer.channel, "/test.Echo/Keep", "x", 1, TK_NS_PER_S, &reply, &err), TK_RPC_DEADLINE_EXCEEDED);
        assert_non_null(kept);
        tk_rpc_reply(kept, TK_RPC_OK, NULL, "late", 4); /* into the void */
        assert_int_equal(call("/test.Echo/Echo", "x", 1, &reply, &err), TK_RPC_OK);
}

static void a_message_over_the_limit_is_refused(void **state)
{
        (void)state;
        static char large[MESSAGE_MAX + 1];
        struct tk_err err = {0};
        TK_AUTOBUF struct tk_buf reply;
        tk_buf_init(&reply, 1024);
        assert_int_equal(call("/test.Echo/Echo", large, sizeof large, &reply, &err), TK_RPC_RESOURCE_EXHAUSTED);
        assert_int_equal(atomic_load(&calls), 0);
        assert_int_equal(call("/test.Echo/Echo", "x", 1, &reply, &err), TK_RPC_OK);
}

static void health_follows_what_it_is_told(void **state)
{
        (void)state;
        static const uint8_t of_us[] = "\x0a\x09test.Echo", of_nobody[] = "\x0a\x01x"; /* HealthCheckRequest.service */
        struct tk_err err = {0};
        TK_AUTOBUF struct tk_buf reply;
        tk_buf_init(&reply, 1024);
        assert_int_equal(call("/grpc.health.v1.Health/Check", of_us, sizeof of_us - 1, &reply, &err), TK_RPC_OK);
        assert_memory_equal(reply.data, "\x08\x02", 2); /* NOT_SERVING */
        tk_rpc_server_set_serving(peer.server, true);
        assert_int_equal(call("/grpc.health.v1.Health/Check", of_us, sizeof of_us - 1, &reply, &err), TK_RPC_OK);
        assert_memory_equal(reply.data, "\x08\x01", 2); /* SERVING */
        assert_int_equal(call("/grpc.health.v1.Health/Check", NULL, 0, &reply, &err), TK_RPC_OK);
        assert_memory_equal(reply.data, "\x08\x01", 2);
        assert_int_equal(call("/grpc.health.v1.Health/Check", of_nobody, sizeof of_nobody - 1, &reply, &err),
                         TK_RPC_NOT_FOUND);
}

static void nonsense_on_the_port_harms_nobody(void **state)
{
        (void)state;
        static const char *const nonsense[] = {
                "GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff",
                "\x16\x03\x01"};
        struct tk_err err = {0};
        TK_AUTOBUF struct tk_buf reply;
        tk_buf_init(&reply, 1024);
        for (size_t i = 0; i < tk_countof(nonsense); i++) {
                struct sockaddr_in to = {.sin_family = AF_INET,
                                         .sin_port = htons(tk_rpc_server_port(peer.server)),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
                int fd = socket(AF_INET, SOCK_STREAM, 0);
                assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
                assert_true(send(fd, nonsense[i], strlen(nonsense[i]), MSG_NOSIGNAL) > 0);
                struct pollfd answer = {.fd = fd, .events = POLLIN};
                (void)poll(&answer, 1, 2000); /* a farewell, or the end */
                close(fd);
                assert_int_equal(call("/test.Echo/Echo", "x", 1, &reply, &err), TK_RPC_OK);
        }
}

static void nobody_there_is_unavailable(void **state)
{
        (void)state;
        struct tk_err err = {0};
        TK_AUTOBUF struct tk_buf reply;
        tk_buf_init(&reply, 1024);
        peer_leave(&peer);
        assert_int_equal(call("/test.Echo/Echo", "x", 1, &reply, &err), TK_RPC_UNAVAILABLE);
        assert_non_null(strstr(tk_err_text(&err), "127.0.0.1:"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(bytes_come_back_as_they_were),
                TEST(a_refusal_says_everything),
                TEST(time_ends_a_call),
                TEST(a_message_over_the_limit_is_refused),
                TEST(health_follows_what_it_is_told),
                TEST(nonsense_on_the_port_harms_nobody),
                TEST(nobody_there_is_unavailable),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
