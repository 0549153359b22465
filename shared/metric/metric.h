/* SPDX-License-Identifier: MIT */
/* metric/metric.h: counters, gauges and histograms with relaxed atomics, and the Prometheus text of all of them.
 *
 * A service lists its metrics once in tbl/metrics.h as rows METRIC(id, KIND, "label or empty", "Help sentence.") with KIND
 * one of COUNTER, GAUGE, HISTOGRAM (seconds), HISTOGRAM_LONG (seconds too, of what takes minutes or days). The printed
 * name is tasker_<service>_<id>; counters end in _total and histograms in _seconds by convention of the row's id. A labelled
 * metric has up to 64 label values, made on first use. */
#pragma once
#include "base/attr.h"
#include "base/buf.h"
#include <stddef.h>
#include <stdint.h>

enum tk_metric_kind { TK_METRIC_COUNTER, TK_METRIC_GAUGE, TK_METRIC_HISTOGRAM, TK_METRIC_HISTOGRAM_LONG };
struct tk_metric_row {
        const char *name; /* full Prometheus name */
        enum tk_metric_kind kind;
        const char *label; /* label name, or "" */
        const char *help;
};
struct tk_metrics;
TK_MUST struct tk_metrics *tk_metrics_new(const struct tk_metric_row *rows, size_t n);
struct tk_metrics *tk_metrics_free(struct tk_metrics *metrics);
void tk_metric_add(struct tk_metrics *metrics, size_t row, int64_t n);             /* counter or gauge */
void tk_metric_set(struct tk_metrics *metrics, size_t row, int64_t value);         /* gauge */
void tk_metric_observe(struct tk_metrics *metrics, size_t row, int64_t ns);        /* histogram: 100 µs … 60 s buckets; long: 1 s … 30 days */
void tk_metric_add_l(struct tk_metrics *metrics, size_t row, const char *label, int64_t n);
void tk_metric_set_l(struct tk_metrics *metrics, size_t row, const char *label, int64_t value);
void tk_metric_observe_l(struct tk_metrics *metrics, size_t row, const char *label, int64_t ns);
int64_t tk_metric_get(struct tk_metrics *metrics, size_t row);                     /* of a labelled one: the sum */
int64_t tk_metric_get_l(struct tk_metrics *metrics, size_t row, const char *label);
/* All rows in Prometheus text format 0.0.4, HELP and TYPE first. */
void tk_metrics_text(struct tk_metrics *metrics, struct tk_buf *out);
/* All rows as a JSON object by full name: counters and gauges as their value, or {label value: value}; histograms as {count, sum}. */
void tk_metrics_json(struct tk_metrics *metrics, struct tk_buf *out);

/* For values that live elsewhere (mailboxes, pools): writes HELP/TYPE once, then samples, straight into the page. */
void tk_metrics_text_head(struct tk_buf *out, const char *name, enum tk_metric_kind kind, const char *help);
void tk_metrics_text_sample(struct tk_buf *out, const char *name, const char *label, const char *label_value, double value);
