/* SPDX-License-Identifier: MIT */
/* Bidirectional streams: order, what waits leaves together, pausing, and every way to end. */
#include "base/mem.h"
#include "base/time.h"
#include "unit/rpc/peer.h"
#include "run/lock.h"
#include "run/thread.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

enum { MANY = 20000 };
#define TIMEOUT (30 * TK_NS_PER_S)
#define LINGER (100 * TK_NS_PER_MS)

/* One side: numbers of four bytes go out in order and come in; a frame holds all that wait. */
struct side {
        struct tk_lock lock;
        struct tk_cond changed;
        struct tk_rpc_stream *stream; /* referenced; NULL before */
        uint32_t to_send, sent, received, frames;
        bool echoes, paused, in_order, closed;
        bool lingers, lingering, ended_meanwhile; /* in next_frame, once */
        enum tk_rpc_status status;
        char message[128];
};

static void side_init(struct side *s)
{
        *s = (struct side){.in_order = true};
        tk_lock_init(&s->lock, "side");
        tk_cond_init(&s->changed);
}

static void side_deinit(struct side *s)
{
        tk_rpc_stream_unref(s->stream);
        tk_cond_deinit(&s->changed);
        tk_lock_deinit(&s->lock);
}

static bool message(struct tk_rpc_stream *stream, void *user, const void *data, size_t len)
{
        struct side *s = user;
        bool wake;
        {
                TK_LOCKED(&s->lock);
                s->frames++;
                for (size_t at = 0; at < len; at += sizeof(uint32_t)) {
                        uint32_t number;
                        memcpy(&number, (const uint8_t *)data + at, sizeof number);
                        s->in_order = s->in_order && number == s->received;
                        s->received++;
                }
                if (s->echoes)
                        s->to_send = s->received;
                wake = s->echoes;
                tk_cond_broadcast(&s->changed);
        }
        if (wake)
                tk_rpc_stream_wake(stream);
        TK_LOCKED(&s->lock);
        return !s->paused;
}

/* Under the lock: stays until the stream has ended, which must not be while it is here. */
static void linger(struct side *s)
{
        int64_t deadline_ns = tk_time_mono_ns() + LINGER;
        s->lingers = false;
        s->lingering = true;
        tk_cond_broadcast(&s->changed);
        while (!s->closed && tk_cond_wait(&s->changed, &s->lock, deadline_ns))
                ;
        s->ended_meanwhile = s->closed;
}

static bool next_frame(struct tk_rpc_stream *stream, void *user, struct tk_buf *buf)
{
        struct side *s = user;
        (void)stream;
        TK_LOCKED(&s->lock);
        if (s->lingers)
                linger(s);
        bool any = s->sent < s->to_send;
        for (unsigned n = 0; n < 1000 && s->sent < s->to_send; n++, s->sent++)
                tk_buf_put(buf, &s->sent, sizeof s->sent);
        return any;
}

static void closed(struct tk_rpc_stream *stream, void *user, enum tk_rpc_status status, const char *why)
{
        struct side *s = user;
        (void)stream;
        TK_LOCKED(&s->lock);
        s->closed = true;
        s->status = status;
        (void)snprintf(s->message, sizeof s->message, "%s", why ? why : "");
        tk_cond_broadcast(&s->changed);
}

static const struct tk_rpc_stream_ops ops = {.message = message, .next_frame = next_frame, .closed = closed};

static enum tk_rpc_status accept_stream(struct tk_rpc_stream *stream, void *app,
                                        const struct tk_rpc_stream_ops **ret_ops, void **ret_user)
{
        struct side *s = app;
        TK_LOCKED(&s->lock);
        if (s->stream)
                return TK_RPC_RESOURCE_EXHAUSTED;
        tk_rpc_stream_ref(stream);
        s->stream = stream;
        *ret_ops = &ops;
        *ret_user = s;
        tk_cond_broadcast(&s->changed);
        return TK_RPC_OK;
}

static const struct tk_rpc_method methods[] = {{.path = "/test.Echo/Stream", .stream = accept_stream}};
static struct peer peer;
static struct side client, server;

static void open_stream(struct side *s)
{
        struct tk_rpc_stream *stream = tk_rpc_stream_open(peer.channel, "/test.Echo/Stream", &ops, s);
        TK_LOCKED(&s->lock);
        s->stream = stream;
}

static void send_up_to(struct side *s, uint32_t n)
{
        {
                TK_LOCKED(&s->lock);
                s->to_send = n;
        }
        tk_rpc_stream_wake(s->stream);
}

#define WAIT(s, condition)                                                                                    \
        do {                                                                                                  \
                int64_t deadline_ns_ = tk_time_mono_ns() + TIMEOUT;                                           \
                TK_LOCKED(&(s)->lock);                                                                        \
                while (!(condition))                                                                          \
                        if (!tk_cond_wait(&(s)->changed, &(s)->lock, deadline_ns_))                           \
                                fail_msg("%s did not become true", #condition);                               \
        } while (0)

static int setup(void **state)
{
        (void)state;
        side_init(&client);
        side_init(&server);
        peer_start(&peer, methods, tk_countof(methods), &server, 0);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        peer_stop(&peer);
        side_deinit(&client);
        side_deinit(&server);
        return 0;
}

static void everything_comes_in_order_and_together(void **state)
{
        (void)state;
        server.echoes = true;
        open_stream(&client);
        send_up_to(&client, MANY);
        WAIT(&client, client.received == MANY);
        assert_true(client.in_order && server.in_order);
        assert_int_equal(server.received, MANY);
        assert_in_range(server.frames, 1, MANY / 100); /* a frame holds what waits, not one each */
        tk_rpc_stream_close(client.stream, TK_RPC_OK, NULL);
        tk_rpc_stream_close(server.stream, TK_RPC_OK, "done");
        WAIT(&client, client.closed);
        WAIT(&server, server.closed);
        assert_int_equal(client.status, TK_RPC_OK);
}

static void what_waits_is_sent_before_a_good_end(void **state)
{
        (void)state;
        open_stream(&client);
        WAIT(&server, server.stream);
        {
                TK_LOCKED(&server.lock);
                server.to_send = 5000;
        }
        tk_rpc_stream_wake(server.stream);
        tk_rpc_stream_close(server.stream, TK_RPC_OK, "goodbye");
        tk_rpc_stream_close(server.stream, TK_RPC_OK, "again"); /* once is enough */
        WAIT(&client, client.closed);
        assert_int_equal(client.received, 5000);
        assert_true(client.in_order);
        assert_int_equal(client.status, TK_RPC_OK);
        WAIT(&server, server.closed);
}

static void a_refusal_reaches_the_client_with_its_words(void **state)
{
        (void)state;
        open_stream(&client);
        WAIT(&server, server.stream);
        tk_rpc_stream_close(server.stream, TK_RPC_INVALID_ARGUMENT, "the first frame must be a Hello");
        WAIT(&client, client.closed);
        assert_int_equal(client.status, TK_RPC_INVALID_ARGUMENT);
        assert_string_equal(client.message, "the first frame must be a Hello");
        WAIT(&server, server.closed);
}

static void a_stream_that_is_not_accepted_ends_with_the_status(void **state)
{
        (void)state;
        struct side second;
        side_init(&second);
        open_stream(&client);
        WAIT(&server, server.stream);
        open_stream(&second);
        WAIT(&second, second.closed);
        assert_int_equal(second.status, TK_RPC_RESOURCE_EXHAUSTED);
        side_deinit(&second);
        tk_rpc_stream_close(client.stream, TK_RPC_CANCELLED, "enough");
        WAIT(&client, client.closed);
        WAIT(&server, server.closed);
}

static void cancelling_ends_both_sides(void **state)
{
        (void)state;
        open_stream(&client);
        WAIT(&server, server.stream);
        send_up_to(&client, 10);
        WAIT(&server, server.received == 10);
        tk_rpc_stream_close(client.stream, TK_RPC_CANCELLED, "enough");
        WAIT(&client, client.closed);
        WAIT(&server, server.closed);
        assert_int_equal(client.status, TK_RPC_CANCELLED);
        tk_rpc_stream_wake(client.stream); /* of no effect, and of no harm */
        tk_rpc_stream_wake(server.stream);
}

static void wake(void *stream)
{
        tk_rpc_stream_wake(stream);
}

static void the_end_waits_for_who_asks_for_a_frame(void **state)
{
        struct tk_thread thread;
        (void)state;
        open_stream(&client);
        WAIT(&server, server.stream);
        send_up_to(&client, 10);
        WAIT(&server, server.received == 10);
        {
                TK_LOCKED(&server.lock);
                server.lingers = true;
        }
        tk_thread_start(&thread, "waker", wake, server.stream);
        WAIT(&server, server.lingering);
        tk_rpc_stream_close(client.stream, TK_RPC_CANCELLED, "enough");
        WAIT(&server, server.closed);
        tk_thread_join(&thread);
        assert_false(server.ended_meanwhile);
}

static void a_paused_reader_holds_the_sender_back(void **state)
{
        (void)state;
        server.paused = true;
        open_stream(&client);
        send_up_to(&client, 1);
        WAIT(&server, server.received == 1);
        send_up_to(&client, MANY);
        {
                TK_LOCKED(&server.lock);
                assert_int_equal(server.received, 1); /* the next message is not asked for */
                server.paused = false;
        }
        tk_rpc_stream_resume(server.stream);
        WAIT(&server, server.received == MANY);
        assert_true(server.in_order);
        tk_rpc_stream_close(client.stream, TK_RPC_CANCELLED, "enough");
        WAIT(&client, client.closed);
        WAIT(&server, server.closed);
}

static void a_server_that_stops_ends_its_streams(void **state)
{
        (void)state;
        open_stream(&client);
        WAIT(&server, server.stream);
        peer_stop_server(&peer, 100 * TK_NS_PER_MS);
        WAIT(&client, client.closed);
        WAIT(&server, server.closed);
        assert_int_not_equal(client.status, TK_RPC_OK);
}

static void nobody_there_ends_it_at_once(void **state)
{
        (void)state;
        peer_leave(&peer);
        open_stream(&client);
        WAIT(&client, client.closed);
        assert_int_equal(client.status, TK_RPC_UNAVAILABLE);
}

/* A peer under load may take long to say its first word. */
static void a_slow_peer_is_waited_for(void **state)
{
        (void)state;
        peer_leave(&peer);
        assert_int_equal(listen(peer.held, 1), 0); /* the kernel connects, nobody answers */
        open_stream(&client);
        {
                int64_t deadline_ns = tk_time_mono_ns() + 5 * LINGER;
                TK_LOCKED(&client.lock);
                while (!client.closed && tk_cond_wait(&client.changed, &client.lock, deadline_ns))
                        ;
                assert_false(client.closed);
        }
        tk_rpc_stream_close(client.stream, TK_RPC_CANCELLED, "enough");
        WAIT(&client, client.closed);
        assert_int_equal(client.status, TK_RPC_CANCELLED);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(everything_comes_in_order_and_together),
                TEST(what_waits_is_sent_before_a_good_end),
                TEST(a_refusal_reaches_the_client_with_its_words),
                TEST(a_stream_that_is_not_accepted_ends_with_the_status),
                TEST(cancelling_ends_both_sides),
                TEST(the_end_waits_for_who_asks_for_a_frame),
                TEST(a_paused_reader_holds_the_sender_back),
                TEST(a_server_that_stops_ends_its_streams),
                TEST(nobody_there_ends_it_at_once),
                TEST(a_slow_peer_is_waited_for),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
