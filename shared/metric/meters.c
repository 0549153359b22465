/* SPDX-License-Identifier: MIT */
/* metric/meters.c: streams, database connections and permit sets (run/meter.h) on the pages. */
#include "metric/meters.h"
#include "base/str.h"
#include "base/time.h"
#include "metric/metric.h"
#include "metric/text.h"
#include "run/meter.h"

/* METER(kind, figure, name, KIND, divisor, help) */
#define METERS(METER)                                                                                                             \
        METER(STREAM, STREAM_OPEN, stream_open, GAUGE, 1, "Streams open now.")                                                    \
        METER(STREAM, STREAM_FRAMES_OUT, stream_frames_sent_total, COUNTER, 1, "Frames sent.")                                    \
        METER(STREAM, STREAM_FRAMES_IN, stream_frames_received_total, COUNTER, 1, "Frames received.")                             \
        METER(STREAM, STREAM_BYTES_OUT, stream_sent_bytes_total, COUNTER, 1, "Bytes of frames sent.")                             \
        METER(STREAM, STREAM_BYTES_IN, stream_received_bytes_total, COUNTER, 1, "Bytes of frames received.")                      \
        METER(STREAM, STREAM_IN_FLIGHT, stream_in_flight, GAUGE, 1, "Frames on their way out now.")                               \
        METER(STREAM, STREAM_BLOCKED_NS, stream_blocked_seconds_total, COUNTER, 1e9, "Time that something waited for the frame before it.") \
        METER(CONNECTION, CONNECTION_OPEN, connection_open, GAUGE, 1, "Database connections open or being opened.")               \
        METER(CONNECTION, CONNECTION_BUSY, connection_busy, GAUGE, 1, "Database connections with a statement under way.")         \
        METER(CONNECTION, CONNECTION_OPENED, connection_opened_total, COUNTER, 1, "Database connections made since the start.")   \
        METER(CONNECTION, CONNECTION_FAILED, connection_failures_total, COUNTER, 1, "Statements that did not succeed.")           \
        METER(PERMITS, PERMITS_TOTAL, permits_capacity, GAUGE, 1, "Permits there are.")                                           \
        METER(PERMITS, PERMITS_IN_USE, permits_in_use, GAUGE, 1, "Permits taken now.")                                            \
        METER(PERMITS, PERMITS_WAITING, permits_waiting, GAUGE, 1, "Threads that wait for a permit now.")                         \
        METER(PERMITS, PERMITS_HIGH_WATER, permits_high_water, GAUGE, 1, "Most permits ever taken at once.")                      \
        METER(PERMITS, PERMITS_ACQUIRED, permits_acquired_total, COUNTER, 1, "Permits taken since the start.")                    \
        METER(PERMITS, PERMITS_EXHAUSTED, permits_exhausted_total, COUNTER, 1, "Takes that found no permit free.")

static const struct {
        enum tk_meter_kind kind;
        unsigned figure;
        enum tk_metric_kind type;
        const char *name, *help;
        double divisor;
} rows[] = {
#define ROW(meter, figure, id, type, divisor, help) {TK_METER_##meter, TK_##figure, TK_METRIC_##type, "tasker_" #id, help, divisor},
        METERS(ROW)
#undef ROW
};

/* How the kinds are called: the label of a sample, and the list in JSON. */
static const struct {
        const char *label, *list;
} kinds[TK_METER_KINDS] = {
        [TK_METER_STREAM] = {"stream", "streams"},
        [TK_METER_CONNECTION] = {"connection", "connections"},
        [TK_METER_PERMITS] = {"permits", "permits"},
};

struct page {
        struct tk_buf *out;
        size_t row;
        enum tk_meter_kind kind;
        bool any;
};

static double value_of(const struct tk_meter_stats *stats, size_t row)
{
        return (double)stats->figures[rows[row].figure] / rows[row].divisor;
}

static void put_sample(void *user, const struct tk_meter_stats *stats)
{
        struct page *page = user;
        if (stats->kind != rows[page->row].kind)
                return;
        if (!page->any)
                tk_metrics_text_head(page->out, rows[page->row].name, rows[page->row].type, rows[page->row].help);
        page->any = true;
        tk_metrics_text_sample(page->out, rows[page->row].name, kinds[stats->kind].label, stats->name, value_of(stats, page->row));
}

void tk_metrics_text_meters(struct tk_buf *out)
{
        for (size_t row = 0; row < tk_countof(rows); row++)
                tk_meter_each(put_sample, &(struct page){.out = out, .row = row});
}

/* Figures as on the page, without "tasker_". */
static void put_object(void *user, const struct tk_meter_stats *stats)
{
        struct page *page = user;
        if (stats->kind != page->kind)
                return;
        tk_buf_printf(page->out, "%s{\"name\":", page->any ? "," : "");
        tk_buf_put_json_str(page->out, stats->name, strlen(stats->name));
        for (size_t row = 0; row < tk_countof(rows); row++)
                if (rows[row].kind == stats->kind)
                        tk_buf_printf(page->out, ",\"%s\":%.9g", rows[row].name + strlen("tasker_"), value_of(stats, row));
        if (stats->note)
                tk_buf_printf(page->out, ",\"last\":\"%s\"", stats->note);
        tk_buf_putc(page->out, '}');
        page->any = true;
}

void tk_metrics_json_meters(struct tk_buf *out)
{
        for (int kind = 0; kind < TK_METER_KINDS; kind++) {
                tk_buf_printf(out, "%s\"%s\":[", kind ? "," : "", kinds[kind].list);
                tk_meter_each(put_object, &(struct page){.out = out, .kind = (enum tk_meter_kind)kind});
                tk_buf_putc(out, ']');
        }
}
