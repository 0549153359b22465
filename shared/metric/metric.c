/* SPDX-License-Identifier: MIT */
/* metric/metric.c: a row is a short list of series, one per label value. A series never moves or dies before
 * the whole, so finding one takes no lock; adding one takes the row's. Past the limit of label values
 * everything else is counted under "other": names from outside cannot make the page grow. */
#include "metric/metric.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "metric/text.h"
#include "run/lock.h"
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

enum { SERIES_MAX = 64, LABEL_MAX = 128, NAME_MAX_BYTES = 256 };

/* Upper bounds of the buckets; one more, without bound, follows. */
static const int64_t bounds_ns[] = {
        100 * TK_NS_PER_US, 250 * TK_NS_PER_US, 500 * TK_NS_PER_US, 1 * TK_NS_PER_MS,    2500 * TK_NS_PER_US,
        5 * TK_NS_PER_MS,   10 * TK_NS_PER_MS,  25 * TK_NS_PER_MS,  50 * TK_NS_PER_MS,   100 * TK_NS_PER_MS,
        250 * TK_NS_PER_MS, 500 * TK_NS_PER_MS, 1 * TK_NS_PER_S,    2500 * TK_NS_PER_MS, 5 * TK_NS_PER_S,
        10 * TK_NS_PER_S,   30 * TK_NS_PER_S,   60 * TK_NS_PER_S};
#define MINUTE_NS (60 * TK_NS_PER_S)
#define HOUR_NS (60 * MINUTE_NS)
#define DAY_NS (24 * HOUR_NS)
static const int64_t long_bounds_ns[] = {1 * TK_NS_PER_S, 10 * TK_NS_PER_S, 1 * MINUTE_NS, 5 * MINUTE_NS, 15 * MINUTE_NS, 1 * HOUR_NS,
                                         4 * HOUR_NS,     12 * HOUR_NS,     1 * DAY_NS,    3 * DAY_NS,    7 * DAY_NS,     30 * DAY_NS};

static const struct scale {
        const int64_t *bounds_ns;
        size_t buckets;
        int64_t sum_ns; /* the unit of the sum: nanoseconds of many days would not fit */
} scales[] = {
        [TK_METRIC_HISTOGRAM] = {bounds_ns, tk_countof(bounds_ns) + 1, 1},
        [TK_METRIC_HISTOGRAM_LONG] = {long_bounds_ns, tk_countof(long_bounds_ns) + 1, TK_NS_PER_MS},
};

static bool is_histogram(const struct tk_metric_row *row)
{
        return row->kind == TK_METRIC_HISTOGRAM || row->kind == TK_METRIC_HISTOGRAM_LONG;
}

struct series {
        struct series *_Atomic next;
        char label[LABEL_MAX];
        atomic_int_fast64_t value;      /* counter, gauge; histogram: sum, in the unit of its scale */
        atomic_uint_fast64_t buckets[]; /* histogram only: not cumulative here */
};

struct row {
        struct series *_Atomic first; /* oldest first; a row without label has exactly one */
        unsigned count;               /* under the lock */
};

struct tk_metrics {
        const struct tk_metric_row *rows;
        size_t n;
        struct tk_lock lock; /* to add series */
        struct row state[];
};

static struct series *series_new(const struct tk_metric_row *row, const char *label)
{
        size_t buckets = is_histogram(row) ? scales[row->kind].buckets : 0;
        struct series *series = tk_zalloc(sizeof *series + buckets * sizeof series->buckets[0]);

        (void)tk_str_copy(series->label, sizeof series->label, label); /* longer ones are cut */
        return series;
}

struct tk_metrics *tk_metrics_new(const struct tk_metric_row *rows, size_t n)
{
        struct tk_metrics *metrics = tk_zalloc(sizeof *metrics + n * sizeof metrics->state[0]);

        metrics->rows = rows;
        metrics->n = n;
        tk_lock_init(&metrics->lock, "metrics");
        for (size_t i = 0; i < n; i++)
                if (!*rows[i].label)
                        atomic_init(&metrics->state[i].first, series_new(&rows[i], ""));
        return metrics;
}

struct tk_metrics *tk_metrics_free(struct tk_metrics *metrics)
{
        if (!metrics)
                return NULL;
        for (size_t i = 0; i < metrics->n; i++) {
                struct series *series = atomic_load(&metrics->state[i].first);
                while (series) {
                        struct series *next = atomic_load(&series->next);
                        tk_free(series);
                        series = next;
                }
        }
        tk_lock_deinit(&metrics->lock);
        return tk_free(metrics);
}

static struct series *series_find(struct row *row, const char *label)
{
        struct series *series = atomic_load_explicit(&row->first, memory_order_acquire);

        while (series && strncmp(series->label, label, LABEL_MAX - 1) != 0)
                series = atomic_load_explicit(&series->next, memory_order_acquire);
        return series;
}

static struct series *series_add(struct tk_metrics *metrics, size_t at, const char *label)
{
        struct row *row = &metrics->state[at];
        struct series *_Atomic *end = &row->first;
        struct series *series;

        TK_LOCKED(&metrics->lock);
        if (row->count >= SERIES_MAX) /* "other" is one more */
                label = "other";
        series = series_find(row, label); /* another thread may have been first */
        if (series)
                return series;
        for (struct series *last; (last = atomic_load_explicit(end, memory_order_relaxed));)
                end = &last->next;
        series = series_new(&metrics->rows[at], label);
        atomic_store_explicit(end, series, memory_order_release);
        row->count++;
        return series;
}

static struct series *series_get(struct tk_metrics *metrics, size_t at, const char *label)
{
        struct series *series;

        TK_CHECK(at < metrics->n && (*metrics->rows[at].label || !*label));
        series = series_find(&metrics->state[at], label);
        return series ? series : series_add(metrics, at, label);
}

void tk_metric_add_l(struct tk_metrics *metrics, size_t row, const char *label, int64_t n)
{
        TK_CHECK(row < metrics->n && !is_histogram(&metrics->rows[row]));
        atomic_fetch_add_explicit(&series_get(metrics, row, label)->value, n, memory_order_relaxed);
}

void tk_metric_set_l(struct tk_metrics *metrics, size_t row, const char *label, int64_t value)
{
        TK_CHECK(row < metrics->n && metrics->rows[row].kind == TK_METRIC_GAUGE);
        atomic_store_explicit(&series_get(metrics, row, label)->value, value, memory_order_relaxed);
}

void tk_metric_observe_l(struct tk_metrics *metrics, size_t row, const char *label, int64_t ns)
{
        struct series *series;
        size_t bucket = 0;

        TK_CHECK(row < metrics->n && is_histogram(&metrics->rows[row]));
        const struct scale *scale = &scales[metrics->rows[row].kind];
        series = series_get(metrics, row, label);
        while (bucket < scale->buckets - 1 && ns > scale->bounds_ns[bucket])
                bucket++;
        atomic_fetch_add_explicit(&series->buckets[bucket], 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&series->value, ns / scale->sum_ns, memory_order_relaxed);
}

void tk_metric_add(struct tk_metrics *metrics, size_t row, int64_t n)
{
        tk_metric_add_l(metrics, row, "", n);
}

void tk_metric_set(struct tk_metrics *metrics, size_t row, int64_t value)
{
        tk_metric_set_l(metrics, row, "", value);
}

void tk_metric_observe(struct tk_metrics *metrics, size_t row, int64_t ns)
{
        tk_metric_observe_l(metrics, row, "", ns);
}

int64_t tk_metric_get(struct tk_metrics *metrics, size_t row)
{
        int64_t sum = 0;

        TK_CHECK(row < metrics->n);
        for (struct series *series = atomic_load_explicit(&metrics->state[row].first, memory_order_acquire);
             series; series = atomic_load_explicit(&series->next, memory_order_acquire))
                sum += atomic_load_explicit(&series->value, memory_order_relaxed);
        return sum;
}

int64_t tk_metric_get_l(struct tk_metrics *metrics, size_t row, const char *label)
{
        struct series *series;

        TK_CHECK(row < metrics->n);
        series = series_find(&metrics->state[row], label);
        return series ? atomic_load_explicit(&series->value, memory_order_relaxed) : 0;
}

static void put_bucket(struct tk_buf *out, const struct tk_metric_row *row, const char *label,
                       const char *bound, uint64_t n)
{
        tk_buf_printf(out, "%s_bucket{", row->name);
        if (*row->label) {
                tk_metrics_text_label_put(out, row->label, label);
                tk_buf_putc(out, ',');
        }
        tk_metrics_text_label_put(out, "le", bound);
        tk_buf_printf(out, "} %" PRIu64 "\n", n);
}

static double seconds(const struct tk_metric_row *row, struct series *series)
{
        return (double)atomic_load_explicit(&series->value, memory_order_relaxed) * (double)scales[row->kind].sum_ns / (double)TK_NS_PER_S;
}

static void put_histogram(struct tk_buf *out, const struct tk_metric_row *row, struct series *series)
{
        const struct scale *scale = &scales[row->kind];
        double sum = seconds(row, series);
        char name[NAME_MAX_BYTES];
        uint64_t total = 0;

        for (size_t i = 0; i < scale->buckets; i++) {
                char bound[32] = "+Inf";

                if (i < scale->buckets - 1)
                        snprintf(bound, sizeof bound, "%.9g", (double)scale->bounds_ns[i] / (double)TK_NS_PER_S);
                total += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
                put_bucket(out, row, series->label, bound, total);
        }
        snprintf(name, sizeof name, "%s_sum", row->name);
        tk_metrics_text_sample(out, name, row->label, series->label, sum);
        snprintf(name, sizeof name, "%s_count", row->name);
        tk_metrics_text_sample(out, name, row->label, series->label, (double)total);
}

void tk_metrics_text(struct tk_metrics *metrics, struct tk_buf *out)
{
        for (size_t i = 0; i < metrics->n; i++) {
                const struct tk_metric_row *row = &metrics->rows[i];

                tk_metrics_text_head(out, row->name, row->kind, row->help);
                for (struct series *series =
                             atomic_load_explicit(&metrics->state[i].first, memory_order_acquire);
                     series; series = atomic_load_explicit(&series->next, memory_order_acquire)) {
                        if (is_histogram(row))
                                put_histogram(out, row, series);
                        else
                                tk_metrics_text_sample(
                                        out, row->name, row->label, series->label,
                                        (double)atomic_load_explicit(&series->value, memory_order_relaxed));
                }
        }
}

static void put_json_value(struct tk_buf *out, const struct tk_metric_row *row, struct series *series)
{
        int64_t value = atomic_load_explicit(&series->value, memory_order_relaxed);
        uint64_t count = 0;

        if (!is_histogram(row)) {
                tk_buf_printf(out, "%" PRId64, value);
                return;
        }
        for (size_t i = 0; i < scales[row->kind].buckets; i++)
                count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
        tk_buf_printf(out, "{\"count\":%" PRIu64 ",\"sum\":%.9g}", count, seconds(row, series));
}

void tk_metrics_json(struct tk_metrics *metrics, struct tk_buf *out)
{
        for (size_t i = 0; i < metrics->n; i++) {
                const struct tk_metric_row *row = &metrics->rows[i];
                const char *before = *row->label ? "{" : "";

                tk_buf_printf(out, "%s\"%s\":", i ? "," : "{", row->name);
                for (struct series *series = atomic_load_explicit(&metrics->state[i].first, memory_order_acquire); series;
                     series = atomic_load_explicit(&series->next, memory_order_acquire)) {
                        tk_buf_puts(out, before);
                        if (*row->label) {
                                tk_buf_put_json_str(out, series->label, strlen(series->label));
                                tk_buf_putc(out, ':');
                                before = ",";
                        }
                        put_json_value(out, row, series);
                }
                tk_buf_puts(out, !*row->label ? "" : tk_streq(before, "{") ? "{}" : "}");
        }
        tk_buf_puts(out, metrics->n ? "}" : "{}");
}
