/* SPDX-License-Identifier: MIT */
/* bench/micro/sight.c: what one act of introspection costs: alone, and while another thread does the same to the same figure. */
#include "base/attr.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "metric/metric.h"
#include "measure.h"
#include "micro.h"
#include "run/meter.h"
#include "run/spread.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { COUNTER, GAUGE, LABELLED, HISTOGRAM };
static const struct tk_metric_row rows[] = {
        [COUNTER] = {.name = "micro_total", .kind = TK_METRIC_COUNTER, .label = "", .help = "Micro."},
        [GAUGE] = {.name = "micro", .kind = TK_METRIC_GAUGE, .label = "", .help = "Micro."},
        [LABELLED] = {.name = "micro_labelled_total", .kind = TK_METRIC_COUNTER, .label = "path", .help = "Micro."},
        [HISTOGRAM] = {.name = "micro_seconds", .kind = TK_METRIC_HISTOGRAM, .label = "", .help = "Micro."},
};

struct things {
        struct tk_spread *spread;
        struct tk_meter *meter;
        struct tk_metrics *metrics;
        int64_t sum;
        void (*body)(void *user, uint64_t n); /* what the second thread does until stop */
        atomic_bool stop;
};

static void observe(void *user, uint64_t n)
{
        const struct things *t = user;
        for (uint64_t i = 0; i < n; i++)
                tk_spread_observe(t->spread, (int64_t)(i & 1023) * TK_NS_PER_US);
}

static void meter_add(void *user, uint64_t n)
{
        const struct things *t = user;
        for (uint64_t i = 0; i < n; i++)
                tk_meter_add(t->meter, TK_STREAM_FRAMES_OUT, 1);
}

static void meter_set(void *user, uint64_t n)
{
        const struct things *t = user;
        for (uint64_t i = 0; i < n; i++)
                tk_meter_set(t->meter, TK_STREAM_FRAMES_OUT, (int64_t)i);
}

static void meter_note(void *user, uint64_t n)
{
        const struct things *t = user;
        for (uint64_t i = 0; i < n; i++)
                tk_meter_note(t->meter, i & 1 ? "one" : "other");
}

static void count(void *user, uint64_t n)
{
        const struct things *t = user;
        for (uint64_t i = 0; i < n; i++)
                tk_metric_add(t->metrics, COUNTER, 1);
}

static void gauge(void *user, uint64_t n)
{
        const struct things *t = user;
        for (uint64_t i = 0; i < n; i++)
                tk_metric_set(t->metrics, GAUGE, (int64_t)i);
}

/* The label that is found last of four, as of most labelled rows. */
static void count_labelled(void *user, uint64_t n)
{
        const struct things *t = user;
        for (uint64_t i = 0; i < n; i++)
                tk_metric_add_l(t->metrics, LABELLED, "fourth", 1);
}

static void histogram(void *user, uint64_t n)
{
        const struct things *t = user;
        for (uint64_t i = 0; i < n; i++)
                tk_metric_observe(t->metrics, HISTOGRAM, (int64_t)(i & 1023) * TK_NS_PER_US);
}

static void clock_read(void *user, uint64_t n)
{
        struct things *t = user;
        int64_t sum = 0;
        for (uint64_t i = 0; i < n; i++)
                sum += tk_time_mono_ns();
        t->sum = sum;
}

/* The line that a worker writes for each step at debug. */
static void log_line(void *user, uint64_t n)
{
        (void)user;
        for (uint64_t i = 0; i < n; i++)
                tk_log_debug("step.done", NULL, TK_STR("step", "01a215aa-af90-74fa-b0e4-6bafdac90844"),
                             TK_STR("task", "01a215aa-af90-71fb-9787-337c8ae02866"),
                             TK_STR("name", "linear_step_1"), TK_STR("outcome", "success"), TK_INT("attempt", i), TK_INT("ms", 1));
}

static void log_lines(void)
{
        int saved = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        tk_log_init("micro", TK_LOG_INFO, TK_LOG_JSON);
        micro_cpu("log line below its level", 5000000, log_line, NULL);
        if (saved >= 0 && null >= 0 && dup2(null, STDERR_FILENO) >= 0) {
                tk_log_set_level(TK_LOG_DEBUG);
                micro_cpu("log line of six fields, written to nowhere", 100000, log_line, NULL);
                (void)dup2(saved, STDERR_FILENO);
        }
        tk_log_set_level(TK_LOG_INFO);
        (void)close(saved);
        (void)close(null);
}

static void *other(void *user)
{
        struct things *t = user;
        while (!atomic_load_explicit(&t->stop, memory_order_relaxed))
                t->body(t, 1000);
        return NULL;
}

/* The name is that of the function, so that what counts its calls (scripts/profile sight) finds its cost. */
static void both(struct things *t, const char *name, void (*body)(void *user, uint64_t n))
{
        char told[96];
        pthread_t thread;
        (void)snprintf(told, sizeof told, "%s, alone", name);
        micro_cpu(told, 2000000, body, t);
        (void)snprintf(told, sizeof told, "%s, two threads", name);
        t->body = body;
        atomic_store(&t->stop, false);
        if (pthread_create(&thread, NULL, other, t))
                return;
        micro_cpu(told, 2000000, body, t);
        atomic_store(&t->stop, true);
        (void)pthread_join(thread, NULL);
}

void micro_sight(void)
{
        struct things t = {.spread = tk_spread_get(TK_SPREAD_SERVICE, "micro"), .meter = tk_meter_get(TK_METER_STREAM, "micro"),
                           .metrics = tk_metrics_new(rows, tk_countof(rows))};
        static const char *const labels[] = {"first", "second", "third", "fourth"};
        for (unsigned i = 0; i < tk_countof(labels); i++)
                tk_metric_add_l(t.metrics, LABELLED, labels[i], 1);
        both(&t, "tk_spread_observe", observe);
        both(&t, "tk_meter_add", meter_add);
        both(&t, "tk_meter_set", meter_set);
        both(&t, "tk_meter_note", meter_note);
        both(&t, "tk_metric_add", count);
        both(&t, "tk_metric_set", gauge);
        both(&t, "tk_metric_add_l", count_labelled);
        both(&t, "tk_metric_observe", histogram);
        both(&t, "tk_time_mono_ns", clock_read);
        tk_metrics_free(t.metrics);
        log_lines();
}
