/* SPDX-License-Identifier: MIT */
/* The server seen by clients: routing, bodies, keep-alive, suspended requests, stopping. */
#include "app.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "client.h"
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { TIMEOUT_MS = 20000, MANY = 1000 };

static struct app *app;
static uint16_t port;

static int start_with(int64_t idle_timeout_ns)
{
        app = app_start(2, 2048, idle_timeout_ns);
        port = tk_http_port(app->http);
        return port ? 0 : -1;
}

static int start(void **state)
{
        (void)state;
        return start_with(30 * TK_NS_PER_S);
}

/* For peers that stop in the middle of a request line. */
static int start_impatient(void **state)
{
        (void)state;
        return start_with(TK_NS_PER_S);
}

static int stop(void **state)
{
        (void)state;
        app_stop(app);
        return 0;
}

static void routes_answer(void **state)
{
        TK_AUTOANSWER struct answer hello, echo;

        (void)state;
        client_send(NULL, port, "GET", "/hello", NULL, 0, NULL, &hello);
        assert_int_equal(hello.status, 200);
        assert_string_equal(tk_buf_str(&hello.body), "{\"hello\":\"world\"}");
        assert_non_null(strcasestr(tk_buf_str(&hello.head), "content-type: application/json\r\n"));
        assert_non_null(strcasestr(tk_buf_str(&hello.head), "x-greeting: yes\r\n"));
        assert_non_null(strcasestr(tk_buf_str(&hello.head), "access-control-allow-origin: *\r\n"));

        client_send(NULL, port, "GET", "/echo/a%20b%2Fc?q=%C3%A4+1", NULL, 0, "x-nOTE: note", &echo);
        assert_int_equal(echo.status, 200);
        assert_string_equal(tk_buf_str(&echo.body), "a b/c|ä 1|note");
        assert_non_null(strcasestr(tk_buf_str(&echo.head), "content-type: text/plain\r\n"));
}

static void head_is_get_without_a_body(void **state)
{
        TK_AUTOANSWER struct answer answer;

        (void)state;
        client_send(NULL, port, "HEAD", "/hello", NULL, 0, NULL, &answer);
        assert_int_equal(answer.status, 200);
        assert_int_equal(answer.body.len, 0);
        assert_non_null(strcasestr(tk_buf_str(&answer.head), "content-length: 17\r\n"));
}

static void options_is_answered_before_routing(void **state)
{
        TK_AUTOANSWER struct answer answer;

        (void)state;
        client_send(NULL, port, "OPTIONS", "/no/such/path", NULL, 0, NULL, &answer);
        assert_int_equal(answer.status, 200);
        assert_non_null(strcasestr(tk_buf_str(&answer.head), "access-control-allow-methods: *\r\n"));
        assert_non_null(strcasestr(tk_buf_str(&answer.head), "access-control-allow-headers: *\r\n"));
}

static void unknown_path_is_404_wrong_method_405(void **state)
{
        TK_AUTOANSWER struct answer unknown, wrong, odd;

        (void)state;
        client_send(NULL, port, "GET", "/hello/", NULL, 0, NULL, &unknown);
        assert_int_equal(unknown.status, 404);
        assert_int_equal(unknown.body.len, 0);
        client_send(NULL, port, "DELETE", "/later", NULL, 0, NULL, &wrong);
        assert_int_equal(wrong.status, 405);
        assert_non_null(strcasestr(tk_buf_str(&wrong.head), "allow: GET,HEAD,POST\r\n"));
        client_send(NULL, port, "BREW", "/hello", NULL, 0, NULL, &odd);
        assert_int_equal(odd.status, 405);
        assert_int_equal(odd.body.len, 0);
}

static void broken_targets_are_400(void **state)
{
        static const char *const broken[] = {"/echo/%zz", "/echo/%ff", "/echo/%00", "/hello?a=%",
                                             "/hello?a=1&a=2"};

        (void)state;
        for (size_t at = 0; at < tk_countof(broken); at++) {
                TK_AUTOANSWER struct answer answer;
                client_send(NULL, port, "GET", broken[at], NULL, 0, NULL, &answer);
                assert_int_equal(answer.status, 400);
                assert_non_null(strcasestr(tk_buf_str(&answer.head), "content-type: text/plain; charset=utf-8\r\n"));
        }
}

static void bodies_arrive_whole(void **state)
{
        const size_t len = 1 << 20;
        TK_AUTOFREE char *body = tk_malloc(len);
        TK_AUTOANSWER struct answer answer, empty;

        (void)state;
        for (size_t at = 0; at < len; at++)
                body[at] = (char)(at * 31 >> 3);
        client_send(NULL, port, "POST", "/echo", body, len, NULL, &answer);
        assert_int_equal(answer.status, 201);
        assert_int_equal(answer.body.len, len);
        assert_memory_equal(answer.body.data, body, len);
        client_send(NULL, port, "POST", "/echo", "", 0, NULL, &empty);
        assert_int_equal(empty.status, 201);
        assert_int_equal(empty.body.len, 0);
}

/* Three ways to send too much: announced with Expect (refused before the body), announced without, and
 * chunked. */
static void too_large_bodies_are_413(void **state)
{
        const size_t len = 10 << 20;
        TK_AUTOFREE char *body = tk_zalloc(len);
        static const char *const headers[] = {"Expect: 100-continue",
                                              "Expect:", "Transfer-Encoding: chunked"};

        (void)state;
        for (size_t at = 0; at < tk_countof(headers); at++) {
                TK_AUTOANSWER struct answer answer;
                client_send(NULL, port, "POST", "/echo", body, len, headers[at], &answer);
                assert_int_equal(answer.status, 413);
                assert_non_null(strstr(tk_buf_str(&answer.body), "at most 1048576 bytes"));
        }
        TK_AUTOANSWER struct answer small, exact, unwanted;
        client_send(NULL, port, "POST", "/small", body, 17, NULL, &small);
        assert_int_equal(small.status, 413);
        client_send(NULL, port, "POST", "/small", body, 16, NULL, &exact);
        assert_int_equal(exact.status, 201);
        client_send(NULL, port, "DELETE", "/nobody", body, 64 * 1024 + 1, NULL, &unwanted);
        assert_int_equal(unwanted.status, 413);
}

static void unwanted_bodies_are_ignored(void **state)
{
        TK_AUTOANSWER struct answer answer;

        (void)state;
        client_send(NULL, port, "DELETE", "/nobody", "abc", 3, NULL, &answer);
        assert_int_equal(answer.status, 200);
}

/* With Expect the refusal comes while the client still waits for "100 Continue": not one body byte was sent.
 */
static void expect_is_refused_before_the_body(void **state)
{
        TK_AUTOBUF struct tk_buf got;
        int fd = raw_connect(port);

        (void)state;
        tk_buf_init(&got, 1 << 16);
        raw_puts(
                fd,
                "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n");
        assert_true(raw_read(fd, &got, NULL, TIMEOUT_MS));
        assert_int_equal(strncmp(tk_buf_str(&got), "HTTP/1.1 413 ", 13), 0);
        close(fd);
}

static void connections_are_kept_alive(void **state)
{
        CURL *curl = curl_easy_init();
        long connects, total = 0;

        (void)state;
        for (int at = 0; at < 20; at++) {
                TK_AUTOANSWER struct answer answer;
                client_send(curl, port, at % 3 ? "GET" : "POST", at % 3 ? "/hello" : "/echo",
                            at % 3 ? NULL : "x", 1, NULL, &answer);
                assert_int_equal(answer.status, at % 3 ? 200 : 201);
                curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connects);
                total += connects;
        }
        assert_int_equal(total, 1);
        curl_easy_cleanup(curl);
}

static unsigned count(const char *text, const char *word)
{
        unsigned n = 0;

        for (; (text = strstr(text, word)); text += strlen(word))
                n++;
        return n;
}

static void pipelined_requests_are_answered_in_order(void **state)
{
        TK_AUTOBUF struct tk_buf got;
        int fd = raw_connect(port);

        (void)state;
        tk_buf_init(&got, 1 << 16);
        raw_puts(fd, "GET /echo/one HTTP/1.1\r\nHost: x\r\n\r\n"
                     "GET /later HTTP/1.1\r\nHost: x\r\n\r\n"
                     "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\ntri"
                     "GET /echo/four HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert_true(raw_read(fd, &got, "one|-|-", TIMEOUT_MS));
        assert_true(app_wait_parked(app, 1));
        assert_null(strstr(tk_buf_str(&got), "tri"));
        assert_int_equal(app_release(app, "two"), 1);
        assert_true(raw_read(fd, &got, NULL, TIMEOUT_MS));
        assert_int_equal(count(tk_buf_str(&got), "HTTP/1.1 200 ") + count(tk_buf_str(&got), "HTTP/1.1 201 "),
                         4);
        const char *two = strstr(tk_buf_str(&got), "two"), *three = strstr(tk_buf_str(&got), "tri"),
                   *four = strstr(tk_buf_str(&got), "four|-|-");
        assert_true(two && three && four && two < three && three < four);
        close(fd);
}

static void garbage_kills_nobody(void **state)
{
        static const char *const garbage[] = {
                "\x16\x03\x01\x02\x01\x01\xfc\x03\x03", "\r\n\r\n\r\n", "GET\r\n\r\n", "GET /hello\r\n\r\n",
                "GET /hello HTTP/9.9\r\n\r\n", "GET /hello HTTP/1.1\r\nno colon here\r\n\r\n",
                "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
                "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        };
        unsigned seed = 7;

        (void)state;
        for (size_t at = 0; at < tk_countof(garbage) + 50; at++) {
                TK_AUTOBUF struct tk_buf got;
                unsigned char noise[2048];
                int fd = raw_connect(port);
                tk_buf_init(&got, 1 << 16);
                for (size_t byte = 0; byte < sizeof noise; byte++)
                        noise[byte] = (unsigned char)((seed = seed * 1103515245 + 12345) >> 16);
                if (at < tk_countof(garbage))
                        raw_puts(fd, garbage[at]);
                else
                        raw_write(fd, noise, sizeof noise);
                shutdown(fd, SHUT_WR);
                assert_true(raw_read(fd, &got, NULL, TIMEOUT_MS));
                assert_null(strstr(tk_buf_str(&got), " 200 "));
                close(fd);
        }
        routes_answer(state);
}

static void a_head_that_never_ends_is_refused(void **state)
{
        TK_AUTOBUF struct tk_buf got;
        int fd = raw_connect(port);

        (void)state;
        tk_buf_init(&got, 1 << 16);
        raw_puts(fd, "GET /hello HTTP/1.1\r\nHost: x\r\n");
        for (int at = 0; at < 2000; at++)
                raw_puts(fd, "X-Filler: 0123456789012345678901234567890123456789\r\n");
        (void)raw_read(fd, &got, NULL, TIMEOUT_MS); /* an answer, or a reset because we kept sending */
        assert_null(strstr(tk_buf_str(&got), " 200 "));
        close(fd);
        routes_answer(state);
}

static void a_reply_may_race_the_suspension(void **state)
{
        CURL *curl = curl_easy_init();

        (void)state;
        for (int at = 0; at < 3000; at++) {
                TK_AUTOANSWER struct answer answer;
                client_send(curl, port, "GET", "/race", NULL, 0, NULL, &answer);
                assert_int_equal(answer.status, 200);
                assert_string_equal(tk_buf_str(&answer.body), "raced");
        }
        curl_easy_cleanup(curl);
}

static void a_thousand_requests_wait_on_two_threads(void **state)
{
        static int fds[MANY];
        struct rlimit limit;

        (void)state;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        if (limit.rlim_cur < 2 * MANY + 100) {
                limit.rlim_cur = limit.rlim_max;
                assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        }
        for (int at = 0; at < MANY; at++) {
                fds[at] = raw_connect(port);
                raw_puts(fds[at], "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
        }
        assert_true(app_wait_parked(app, MANY));
        assert_int_equal(tk_http_inflight(app->http), MANY);
        TK_AUTOANSWER struct answer meanwhile;
        client_send(NULL, port, "GET", "/hello", NULL, 0, NULL, &meanwhile);
        assert_int_equal(meanwhile.status, 200);
        assert_int_equal(app_release(app, "at last"), MANY);
        for (int at = 0; at < MANY; at++) {
                TK_AUTOBUF struct tk_buf got;
                tk_buf_init(&got, 1 << 16);
                assert_true(raw_read(fds[at], &got, "at last", TIMEOUT_MS));
                close(fds[at]);
        }
}

static void clients_may_leave_while_suspended(void **state)
{
        const struct linger reset = {.l_onoff = 1};

        (void)state;
        for (int at = 0; at < 50; at++) {
                int fd = raw_connect(port);
                raw_puts(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
                assert_true(app_wait_parked(app, (unsigned)at + 1));
                if (at % 2)
                        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
                close(fd);
        }
        assert_int_equal(app_release(app, "to nobody"), 50);
        assert_true(app_wait_observed(app, 50));
        routes_answer(state);
}

static void requests_are_observed(void **state)
{
        TK_AUTOANSWER struct answer hello, unknown;

        (void)state;
        client_send(NULL, port, "GET", "/hello", NULL, 0, NULL, &hello);
        assert_true(app_wait_observed(app, 1));
        assert_int_equal(app->last_status, 200);
        client_send(NULL, port, "GET", "/nowhere", NULL, 0, NULL, &unknown);
        assert_true(app_wait_observed(app, 2));
        assert_int_equal(app->last_status, 404);
        assert_int_equal(app->observed_unmatched, 1);
}

static void bad_addresses_are_explained(void **state)
{
        static const struct {
                const char *bind, *why;
        } bad[] = {
                {"8080", "expected host:port"},    {"127.0.0.1:x", "not a number"},
                {"127.0.0.1:70000", "0 to 65535"}, {"[::1:80", "bind address"},
                {NULL, "expected host:port"},
        };
        char taken[32];
        struct tk_http *http;
        struct tk_err err;

        (void)state;
        for (size_t at = 0; at < tk_countof(bad); at++) {
                struct tk_http_conf conf = {.bind = bad[at].bind};
                assert_true(tk_http_new(&conf, &http, &err) < 0);
                assert_non_null(strstr(tk_err_text(&err), bad[at].why));
        }
        snprintf(taken, sizeof taken, "127.0.0.1:%u", port);
        struct tk_http_conf conf = {.bind = taken};
        assert_int_equal(tk_http_new(&conf, &http, &err), -EADDRINUSE);
        assert_non_null(strstr(tk_err_text(&err), taken));
        struct tk_http_conf all = {.bind = ":0"};
        assert_int_equal(tk_http_new(&all, &http, &err), 0);
        assert_true(tk_http_port(http) > 0);
        assert_null(tk_http_free(http));
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
        const struct CMUnitTest tests[] = {
                SERVED(routes_answer),
                SERVED(head_is_get_without_a_body),
                SERVED(options_is_answered_before_routing),
                SERVED(unknown_path_is_404_wrong_method_405),
                SERVED(broken_targets_are_400),
                SERVED(bodies_arrive_whole),
                SERVED(too_large_bodies_are_413),
                SERVED(unwanted_bodies_are_ignored),
                SERVED(expect_is_refused_before_the_body),
                SERVED(connections_are_kept_alive),
                SERVED(pipelined_requests_are_answered_in_order),
                cmocka_unit_test_setup_teardown(garbage_kills_nobody, start_impatient, stop),
                SERVED(a_head_that_never_ends_is_refused),
                SERVED(a_reply_may_race_the_suspension),
                SERVED(a_thousand_requests_wait_on_two_threads),
                SERVED(clients_may_leave_while_suspended),
                SERVED(requests_are_observed),
                SERVED(bad_addresses_are_explained),
        };
        curl_global_init(CURL_GLOBAL_ALL);
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        curl_global_cleanup();
        return failed;
}
