/* SPDX-License-Identifier: MIT */
/* metric/text.c: the two kinds of lines of the Prometheus text format 0.0.4. */
#include "metric/text.h"
#include "metric/metric.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

static void put_escaped(struct tk_buf *out, const char *text, bool quotes)
{
        for (; *text; text++) {
                if (*text == '\n')
                        tk_buf_puts(out, "\\n");
                else if (*text == '\\' || (quotes && *text == '"'))
                        tk_buf_printf(out, "\\%c", *text);
                else
                        tk_buf_putc(out, *text);
        }
}

static void put_number(struct tk_buf *out, double value)
{
        if (isnan(value))
                tk_buf_puts(out, "NaN");
        else if (isinf(value))
                tk_buf_puts(out, value > 0 ? "+Inf" : "-Inf");
        else if (value == trunc(value) && fabs(value) < 0x1p53)
                tk_buf_printf(out, "%" PRId64, (int64_t)value);
        else
                tk_buf_printf(out, "%.15g", value);
}

void tk_metrics_text_label_put(struct tk_buf *out, const char *name, const char *value)
{
        tk_buf_printf(out, "%s=\"", name);
        put_escaped(out, value, true);
        tk_buf_putc(out, '"');
}

void tk_metrics_text_head(struct tk_buf *out, const char *name, enum tk_metric_kind kind, const char *help)
{
        static const char *const kinds[] = {"counter", "gauge", "histogram", "histogram"};

        tk_buf_printf(out, "# HELP %s ", name);
        put_escaped(out, help, false);
        tk_buf_printf(out, "\n# TYPE %s %s\n", name, kinds[kind]);
}

void tk_metrics_text_sample(struct tk_buf *out, const char *name, const char *label, const char *label_value,
                            double value)
{
        tk_buf_puts(out, name);
        if (label && *label) {
                tk_buf_putc(out, '{');
                tk_metrics_text_label_put(out, label, label_value ? label_value : "");
                tk_buf_putc(out, '}');
        }
        tk_buf_putc(out, ' ');
        put_number(out, value);
        tk_buf_putc(out, '\n');
}
