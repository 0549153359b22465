/* SPDX-License-Identifier: MIT */
/* schema/report.c: "/customer/id: must be a string, found an integer; …" into the bounded text of an error. */
#include "base/str.h"
#include "schema/internal.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { EACH_MAX = 240, KEY_SHOWN = 40, TAIL_MAX = 40 };

static size_t put_place(const struct place *at, char *ret, size_t size)
{
        if (!at)
                return 0;
        size_t len = put_place(at->up, ret, size);
        if (len >= size)
                return len;
        int n = at->key ? snprintf(ret + len, size - len, "/%.*s", KEY_SHOWN, at->key) : snprintf(ret + len, size - len, "/%zu", at->index);
        return len + (size_t)n;
}

bool report_add(struct report *report, const struct place *at, const char *fmt, ...)
{
        char where[EACH_MAX] = "", what[EACH_MAX], line[2 * EACH_MAX + 8];
        if (!report)
                return false;
        if (++report->n > TK_SCHEMA_ERRORS_MAX || !report->err)
                return false;
        put_place(at, where, sizeof where);
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(what, sizeof what, fmt, ap);
        va_end(ap);
        size_t n = (size_t)snprintf(line, sizeof line, "%s%s: %s", report->len ? "; " : "", *where ? where : "/", what);
        if (report->len && report->len + n + TAIL_MAX > sizeof report->err->text)
                report->n += TK_SCHEMA_ERRORS_MAX; /* no room: only counted from here */
        else
                report->len += (size_t)snprintf(report->err->text + report->len, sizeof report->err->text - report->len, "%s", line);
        if (report->len >= sizeof report->err->text)
                report->len = sizeof report->err->text - 1;
        return false;
}

void report_end(struct report *report)
{
        if (report->err && report->n > TK_SCHEMA_ERRORS_MAX && report->len + TAIL_MAX <= sizeof report->err->text)
                snprintf(report->err->text + report->len, sizeof report->err->text - report->len, "; and more");
        if (report->err)
                report->err->code = -EINVAL;
}
