/* SPDX-License-Identifier: MIT */
/* metric: sums, buckets, labels and their limit, the text format, many threads. */
#include "metric/metric.h"
#include "run/thread.h"
#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { TASKS, DEPTH, LATENCY, BY_STATE, BY_PATH, AGE };
static const struct tk_metric_row rows[] = {
        [TASKS] = {"tasker_test_tasks_total", TK_METRIC_COUNTER, "", "Tasks\nwith \\."},
        [DEPTH] = {"tasker_test_depth", TK_METRIC_GAUGE, "", "Depth."},
        [LATENCY] = {"tasker_test_latency_seconds", TK_METRIC_HISTOGRAM, "", "Latency."},
        [BY_STATE] = {"tasker_test_by_state_total", TK_METRIC_COUNTER, "state", "By state."},
        [BY_PATH] = {"tasker_test_by_path_seconds", TK_METRIC_HISTOGRAM, "path", "By path."},
        [AGE] = {"tasker_test_age_seconds", TK_METRIC_HISTOGRAM_LONG, "", "Age."},
};

static void page_has_every_row(void **state)
{
        struct tk_metrics *metrics = tk_metrics_new(rows, tk_countof(rows));
        TK_AUTOBUF struct tk_buf buf;
        (void)state;

        tk_buf_init(&buf, 100000);
        tk_metric_add(metrics, TASKS, 3);
        tk_metric_add(metrics, TASKS, 4);
        tk_metric_set(metrics, DEPTH, 9);
        tk_metric_add(metrics, DEPTH, -11);
        tk_metric_observe(metrics, LATENCY, 100000); /* on a bound: inside it */
        tk_metric_observe(metrics, LATENCY, 100001);
        tk_metric_observe(metrics, LATENCY, 3000000000);
        tk_metric_observe(metrics, LATENCY, 90000000000); /* past the last bound */
        tk_metric_add_l(metrics, BY_STATE, "complete", 1);
        tk_metric_add_l(metrics, BY_STATE, "a\"b\\c\nd", 2);
        tk_metric_observe_l(metrics, BY_PATH, "eager", 1);
        for (int i = 0; i < 1000; i++) /* of more centuries than nanoseconds can count */
                tk_metric_observe(metrics, AGE, 30 * 86400 * INT64_C(1000000000));
        tk_metric_observe(metrics, AGE, 40 * 86400 * INT64_C(1000000000));
        tk_metrics_text(metrics, &buf);
        assert_non_null(strstr(
                buf.data,
                "# HELP tasker_test_tasks_total Tasks\\nwith \\\\.\n# TYPE tasker_test_tasks_total counter\n"
                "tasker_test_tasks_total 7\n"));
        assert_non_null(strstr(buf.data, "# TYPE tasker_test_depth gauge\ntasker_test_depth -2\n"));
        assert_non_null(strstr(buf.data, "tasker_test_latency_seconds_bucket{le=\"0.0001\"} 1\n"
                                         "tasker_test_latency_seconds_bucket{le=\"0.00025\"} 2\n"));
        assert_non_null(strstr(buf.data, "{le=\"2.5\"} 2\ntasker_test_latency_seconds_bucket{le=\"5\"} 3\n"));
        assert_non_null(strstr(
                buf.data,
                "{le=\"60\"} 3\ntasker_test_latency_seconds_bucket{le=\"+Inf\"} 4\n"
                "tasker_test_latency_seconds_sum 93.000200001\ntasker_test_latency_seconds_count 4\n"));
        assert_non_null(strstr(buf.data, "tasker_test_by_state_total{state=\"complete\"} 1\n"
                                         "tasker_test_by_state_total{state=\"a\\\"b\\\\c\\nd\"} 2\n"));
        assert_non_null(
                strstr(buf.data, "tasker_test_by_path_seconds_bucket{path=\"eager\",le=\"0.0001\"} 1\n"));
        assert_non_null(strstr(buf.data, "tasker_test_by_path_seconds_count{path=\"eager\"} 1\n"));
        assert_non_null(strstr(buf.data, "# TYPE tasker_test_age_seconds histogram\ntasker_test_age_seconds_bucket{le=\"1\"} 0\n"));
        assert_non_null(strstr(buf.data, "{le=\"604800\"} 0\ntasker_test_age_seconds_bucket{le=\"2592000\"} 1000\n"));
        assert_non_null(strstr(buf.data, "tasker_test_age_seconds_bucket{le=\"+Inf\"} 1001\n"
                                         "tasker_test_age_seconds_sum 2595456000\ntasker_test_age_seconds_count 1001\n"));
        assert_int_equal(tk_metric_get(metrics, BY_STATE), 3);
        assert_null(tk_metrics_free(metrics));
}

static void label_values_are_bounded(void **state)
{
        struct tk_metrics *metrics = tk_metrics_new(rows, tk_countof(rows));
        TK_AUTOBUF struct tk_buf buf;
        char label[300];
        (void)state;

        tk_buf_init(&buf, 100000);
        memset(label, 'x', sizeof label - 1);
        label[sizeof label - 1] = 0;
        tk_metric_add_l(metrics, BY_STATE, label, 1); /* cut, yet the same one the second time */
        tk_metric_add_l(metrics, BY_STATE, label, 1);
        for (int i = 0; i < 100; i++) {
                snprintf(label, sizeof label, "state%d", i);
                tk_metric_add_l(metrics, BY_STATE, label, 1);
        }
        tk_metrics_text(metrics, &buf);
        assert_non_null(strstr(buf.data, "xxx\"} 2\n"));
        assert_non_null(strstr(buf.data, "{state=\"state62\"} 1\n"));
        assert_null(strstr(buf.data, "{state=\"state63\"}"));
        assert_non_null(strstr(buf.data, "{state=\"other\"} 37\n"));
        assert_int_equal(tk_metric_get(metrics, BY_STATE), 102);
        tk_metrics_free(metrics);
}

static void count_many(void *arg)
{
        static const char *const states[] = {"a", "b", "c", "d"};

        for (int i = 0; i < 4000; i++) {
                tk_metric_add_l(arg, BY_STATE, states[i % 4], 1);
                tk_metric_observe_l(arg, BY_PATH, states[i % 4], 1000000);
        }
}

static void threads_lose_nothing(void **state)
{
        struct tk_metrics *metrics = tk_metrics_new(rows, tk_countof(rows));
        struct tk_thread threads[4];
        TK_AUTOBUF struct tk_buf buf;
        (void)state;

        tk_buf_init(&buf, 100000);
        for (size_t i = 0; i < tk_countof(threads); i++)
                tk_thread_start(&threads[i], "counter", count_many, metrics);
        for (size_t i = 0; i < tk_countof(threads); i++)
                tk_thread_join(&threads[i]);
        tk_metrics_text(metrics, &buf);
        assert_int_equal(tk_metric_get(metrics, BY_STATE), 16000);
        assert_non_null(strstr(buf.data, "{state=\"c\"} 4000\n"));
        assert_non_null(strstr(buf.data, "_count{path=\"d\"} 4000\n"));
        tk_metrics_free(metrics);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(page_has_every_row),
                cmocka_unit_test(label_values_are_bounded),
                cmocka_unit_test(threads_lose_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
