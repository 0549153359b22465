/* SPDX-License-Identifier: MIT */
/* What two looks at an actor say about it. */
#include "cli/top_meters.h"
#include "cli/top_view.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* An actor with 2 threads and room for 100 messages, after 1000 messages in 100 batches, 10 s of work and 5 s of waiting. */
static json_t *actor(double messages, double batches, double busy, double received, double waited, double depth,
                     double full)
{
        return json_pack("{s:s, s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:i, s:i}", "actor", "results",
                         "actor_threads", 2, "actor_ready", 2, "actor_messages_total", 1000 + messages,
                         "actor_batches_total", 100 + batches, "actor_busy_seconds_total", 10 + busy,
                         "mailbox_received_total", 1000 + received, "mailbox_wait_seconds_total", 5 + waited,
                         "mailbox_depth", depth, "mailbox_full_total", full, "mailbox_capacity", 100,
                         "mailbox_high_water", 42);
}

static struct cli_top_actor look(double messages, double batches, double busy, double waited, double depth,
                                 double full, double age)
{
        TK_AUTOJSON json_t *before = actor(0, 0, 0, 0, 0, 0, 0),
                           *now = actor(messages, batches, busy, messages, waited, depth, full);
        struct cli_top_actor ret;
        json_object_set_new(now, "actor_progress_age_seconds", json_real(age));
        cli_top_actor(before, now, 2, &ret);
        ret.name = NULL; /* it was the JSON's */
        return ret;
}

static void figures_are_rates_and_means(void **state)
{
        (void)state;
        struct cli_top_actor a = look(400, 50, 1, 0.2, 7, 10, 0);
        assert_true(fabs(a.messages - 200) < 1e-9);
        assert_true(fabs(a.batch - 8) < 1e-9);
        assert_true(fabs(a.busy - 0.25) < 1e-9); /* 1 s of 2 threads in 2 s */
        assert_true(fabs(a.wait_ms - 0.5) < 1e-9);
        assert_true(fabs(a.refused - 5) < 1e-9);
        assert_int_equal((int)a.depth, 7);
        assert_int_equal((int)a.capacity, 100);
        assert_int_equal((int)a.high_water, 42);
}

static void states(void **state)
{
        (void)state;
        assert_string_equal(look(0, 0, 0, 0, 0, 0, 100).state, "idle");
        assert_string_equal(look(10, 10, 0.1, 0, 3, 0, 0).state, "ok");
        assert_string_equal(look(10, 10, 3.7, 0, 3, 0, 0).state, "busy");
        assert_string_equal(look(10, 10, 3.7, 0, 70, 0, 0).state, "backlog");
        assert_string_equal(look(10, 10, 3.7, 0, 100, 1, 0).state, "full");
        assert_string_equal(look(0, 0, 0, 0, 3, 0, 1.5).state, "stalled");
        assert_string_equal(look(0, 0, 0, 0, 3, 0, 0.5).state, "idle"); /* just arrived */
}

static void a_process_that_started_again_is_not_negative(void **state)
{
        (void)state;
        TK_AUTOJSON json_t *before = actor(0, 0, 0, 0, 0, 0, 0), *now = actor(-900, -90, -9, -900, -4, 0, 0);
        struct cli_top_actor a;
        cli_top_actor(before, now, 1, &a);
        assert_true(a.messages == 0 && a.busy == 0 && a.wait_ms == 0 && a.batch == 0);
        json_object_set_new(now, "actor_ready", json_integer(1));
        cli_top_actor(before, now, 1, &a);
        assert_string_equal(a.state, "down");
}

static json_t *worker(double time, double cpu, int taken, int successes, int handled, double seconds)
{
        return json_pack("{s:s, s:i, s:f, s:{s:f, s:f}, s:[], s:{s:i, s:{s:i, s:i}, s:{s:i, s:f}, s:i, s:i}}",
                         "service", "worker", "pid", 7, "time", time, "process", "cpu_seconds", cpu,
                         "resident_bytes", 2e7, "actors", "metrics", "tasker_worker_steps_taken_total", taken,
                         "tasker_worker_steps_finished_total", "success", successes, "permanent", 5,
                         "tasker_worker_handler_seconds", "count", handled, "sum", seconds, "tasker_worker_permits",
                         10, "tasker_worker_overruns", 0);
}

static void a_process_as_text(void **state)
{
        (void)state;
        TK_AUTOJSON json_t *before = worker(100, 1.5, 50, 20, 2, 1), *now = worker(102, 2.5, 250, 60, 4, 2);
        const struct cli_term plain = {.width = 0};
        TK_AUTOBUF struct tk_buf text;
        tk_buf_init(&text, 1 << 16);
        cli_top_put(before, now, "http://w:8081", CLI_TOP_BY_BUSY, true, &plain, &text);
        const char *out = tk_buf_str(&text);
        assert_non_null(strstr(out, "worker  http://w:8081  pid 7  CPU 50 %"));
        assert_non_null(strstr(out, "steps_taken 100/s"));
        assert_non_null(strstr(out, "steps_finished 20/s"));
        assert_non_null(strstr(out, "handler 500.00 ms"));
        assert_non_null(strstr(out, "permits 10"));
        assert_null(strstr(out, "overruns")); /* what is 0 says nothing */
}

static void what_holds_work_up_is_marked(void **state)
{
        (void)state;
        TK_AUTOJSON json_t *before = json_pack("{s:[{s:s, s:i, s:f, s:i}], s:[], s:[]}", "streams", "name", "o:1", "stream_open", 1,
                                               "stream_blocked_seconds_total", 1.0, "stream_frames_sent_total", 10, "connections", "permits");
        TK_AUTOJSON json_t *now = json_pack(
                "{s:[{s:s, s:i, s:f, s:i}], s:[{s:s, s:i, s:i, s:s}, {s:s, s:i}], s:[{s:s, s:i, s:i, s:i}]}", "streams",
                "name", "o:1", "stream_open", 1, "stream_blocked_seconds_total", 2.6, "stream_frames_sent_total", 50, "connections",
                "name", "tasker-results", "connection_open", 1,
                "connection_busy", 1, "last", "engine.settle_steps", "name", "tasker-show", "connection_open", 0, "permits", "name", "handlers",
                "permits_capacity", 10, "permits_in_use", 10, "permits_waiting", 3);
        TK_AUTOBUF struct tk_buf text;
        tk_buf_init(&text, 1 << 16);
        cli_top_put_meters(before, now, 2, false, &text);
        const char *out = tk_buf_str(&text);
        assert_non_null(strstr(out, "  stream      o:1             blocked  1 open   out 20/s"));
        assert_non_null(strstr(out, "blocked 80 %"));
        assert_non_null(strstr(out, "tasker-results  busy     1 open   1 busy   runs engine.settle_steps"));
        assert_non_null(strstr(out, "tasker-show     down"));
        assert_non_null(strstr(out, "handlers        starved  10 of 10 in use"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(figures_are_rates_and_means),
                cmocka_unit_test(states),
                cmocka_unit_test(a_process_that_started_again_is_not_negative),
                cmocka_unit_test(a_process_as_text),
                cmocka_unit_test(what_holds_work_up_is_marked),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
