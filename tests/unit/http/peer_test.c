/* SPDX-License-Identifier: MIT */
/* Time and number: slow peers, too many requests, stopping while requests wait. */
#include "app.h"
#include "base/time.h"
#include "client.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { TIMEOUT_MS = 20000 };
static const int64_t SHORT_NS = 300 * TK_NS_PER_MS;
static const int64_t LONG_NS = 30 * TK_NS_PER_S;

/* Sends a byte of `text` every 20 ms, for ever; returns how long the server let it live. */
static int64_t drip(uint16_t port, const char *text)
{
        int64_t start_ns = tk_time_mono_ns();
        int fd = raw_connect(port);
        size_t at = 0;

        for (;;) {
                struct pollfd hung_up = {.fd = fd, .events = POLLIN | POLLRDHUP};
                if (poll(&hung_up, 1, 20) > 0 || tk_time_mono_ns() - start_ns > LONG_NS)
                        break;
                raw_write(fd, text[at] ? &text[at++] : "x", 1);
        }
        close(fd);
        return tk_time_mono_ns() - start_ns;
}

/* A trickle of bytes does not keep a connection: neither in the head nor in the body, nor silence. */
static void slow_senders_are_cut_off(void **state)
{
        struct app *app = app_start(2, 0, SHORT_NS);
        uint16_t port = tk_http_port(app->http);

        (void)state;
        assert_in_range(drip(port, "GET /hello HTTP/1.1\r\nHost: x\r\nX-Slow: "), SHORT_NS, LONG_NS / 3);
        assert_in_range(drip(port, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n"),
                        SHORT_NS, LONG_NS / 3);
        TK_AUTOBUF struct tk_buf got;
        tk_buf_init(&got, 1024);
        int fd = raw_connect(port);
        assert_true(raw_read(fd, &got, NULL, TIMEOUT_MS));
        assert_int_equal(got.len, 0);
        close(fd);
        app_stop(app);
}

/* A suspended request is not idle, and neither is a connection right after it. */
static void waiting_for_us_is_not_idling(void **state)
{
        struct app *app = app_start(2, 0, SHORT_NS);
        TK_AUTOBUF struct tk_buf got;
        int fd = raw_connect(tk_http_port(app->http));

        (void)state;
        tk_buf_init(&got, 4096);
        raw_puts(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_true(app_wait_parked(app, 1));
        assert_false(raw_read(fd, &got, "HTTP", 3 * (int)(SHORT_NS / TK_NS_PER_MS)));
        assert_int_equal(app_release(app, "patience"), 1);
        assert_true(raw_read(fd, &got, "patience", TIMEOUT_MS));
        raw_puts(fd, "GET /echo/again HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_true(raw_read(fd, &got, "again|-|-", TIMEOUT_MS));
        close(fd);
        app_stop(app);
}

static void too_many_requests_hear_503(void **state)
{
        struct app *app = app_start(1, 4, LONG_NS);
        uint16_t port = tk_http_port(app->http);
        TK_AUTOANSWER struct answer busy, free;
        int fds[4];

        (void)state;
        for (int at = 0; at < 4; at++) {
                fds[at] = raw_connect(port);
                raw_puts(fds[at], "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        assert_true(app_wait_parked(app, 4));
        client_send(NULL, port, "GET", "/hello", NULL, 0, NULL, &busy);
        assert_int_equal(busy.status, 503);
        assert_non_null(strcasestr(tk_buf_str(&busy.head), "retry-after: 1\r\n"));
        assert_non_null(strcasestr(tk_buf_str(&busy.head), "connection: close\r\n"));
        assert_int_equal(app_release(app, "done"), 4);
        assert_true(app_wait_observed(app, 5));
        client_send(NULL, port, "GET", "/hello", NULL, 0, NULL, &free);
        assert_int_equal(free.status, 200);
        for (int at = 0; at < 4; at++)
                close(fds[at]);
        app_stop(app);
}

static void quiesce(void *arg)
{
        struct app *app = arg;

        tk_http_quiesce(app->http, tk_time_mono_ns() + LONG_NS);
}

/* Stopping: new requests hear 503, on new connections as on old ones; waiting ones are answered first. */
static void quiesce_waits_for_what_is_in_hand(void **state)
{
        struct app *app = app_start(2, 0, LONG_NS);
        uint16_t port = tk_http_port(app->http);
        struct tk_thread stopper = {0};
        TK_AUTOBUF struct tk_buf waiting, other;
        int fd = raw_connect(port), idle = raw_connect(port);

        (void)state;
        tk_buf_init(&waiting, 4096);
        tk_buf_init(&other, 4096);
        raw_puts(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
        raw_puts(idle, "GET /echo/warm HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_true(app_wait_parked(app, 1));
        assert_true(raw_read(idle, &other, "warm|-|-", TIMEOUT_MS));
        tk_thread_start(&stopper, "stopper", quiesce, app);
        int64_t deadline_ns = tk_time_mono_ns() + LONG_NS;
        for (bool draining = false; !draining;) {
                assert_true(tk_time_mono_ns() < deadline_ns);
                tk_buf_reset(&other);
                raw_puts(idle, "GET /echo/now HTTP/1.1\r\nHost: x\r\n\r\n");
                assert_true(raw_read(idle, &other, "now", TIMEOUT_MS) || strstr(tk_buf_str(&other), " 503 "));
                draining = strstr(tk_buf_str(&other), "HTTP/1.1 503 ") != NULL;
        }
        TK_AUTOANSWER struct answer late;
        client_send(NULL, port, "GET", "/hello", NULL, 0, NULL, &late);
        assert_int_equal(late.status, 503);
        assert_int_equal(tk_http_inflight(app->http), 1);
        assert_int_equal(app_release(app, "finished"), 1);
        assert_true(raw_read(fd, &waiting, "finished", TIMEOUT_MS));
        tk_thread_join(&stopper);
        assert_int_equal(tk_http_inflight(app->http), 0);
        close(fd);
        close(idle);
        app_stop(app);
}

static void quiesce_gives_up_at_its_deadline(void **state)
{
        struct app *app = app_start(2, 0, LONG_NS);
        int fd = raw_connect(tk_http_port(app->http));

        (void)state;
        raw_puts(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_true(app_wait_parked(app, 1));
        int64_t start_ns = tk_time_mono_ns();
        tk_http_quiesce(app->http, start_ns + SHORT_NS);
        assert_in_range(tk_time_mono_ns() - start_ns, SHORT_NS, LONG_NS / 3);
        assert_int_equal(tk_http_inflight(app->http), 1);
        assert_int_equal(app_release(app, "late"), 1);
        close(fd);
        app_stop(app);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(slow_senders_are_cut_off),
                cmocka_unit_test(waiting_for_us_is_not_idling),
                cmocka_unit_test(too_many_requests_hear_503),
                cmocka_unit_test(quiesce_waits_for_what_is_in_hand),
                cmocka_unit_test(quiesce_gives_up_at_its_deadline),
        };
        curl_global_init(CURL_GLOBAL_ALL);
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        curl_global_cleanup();
        return failed;
}
