/* SPDX-License-Identifier: MIT */
/* examples/handlers/util.c: see the header. */
#include "util.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ID_DIGITS = 12, SECONDS_PER_DAY = 86400 };

const char *example_id(struct tkw_context *ctx, const char *prefix)
{
        const char *uuid = tkw_info(ctx)->step_uuid;
        char digits[ID_DIGITS + 1];
        size_t n = 0;
        for (const char *c = uuid + strlen(uuid); c > uuid && n < ID_DIGITS;) /* the end of a v7 uuid is its random part */
                if (*--c != '-')
                        digits[n++] = *c;
        digits[n] = '\0';
        return tkw_format(ctx, "%s%s", prefix, digits);
}

const char *example_time(struct tkw_context *ctx, int days)
{
        time_t at = time(NULL) + (time_t)days * SECONDS_PER_DAY;
        struct tm tm;
        char text[32];
        gmtime_r(&at, &tm);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
        return tkw_format(ctx, "%s", text);
}

double example_cents(double amount)
{
        return round(amount * 100) / 100;
}

bool example_email(const char *text)
{
        const char *at = text ? strchr(text, '@') : NULL;
        const char *dot = at ? strchr(at + 1, '.') : NULL;
        return at && at > text && dot && dot > at + 1 && dot[1] && !strchr(at + 1, '@') && !strpbrk(text, " \t\r\n");
}

const char *example_text(struct tkw_context *ctx, const char *path, const char *otherwise)
{
        const char *text = tkw_str(tkw_input(ctx, path));
        return text && *text ? text : otherwise;
}

double example_number(const struct tkw_value *value, const char *path, double otherwise)
{
        double number = otherwise;
        (void)tkw_f64(tkw_get(value, path), &number);
        return number;
}

int example_missing(struct tkw_result *result, const char *step)
{
        return tkw_retryable(result, "DependencyMissing", "the result of %s is not there", step);
}

void example_json_add(struct example_json *json, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        int n = vsnprintf(json->text + json->len, sizeof json->text - json->len, fmt, ap);
        va_end(ap);
        json->len += (size_t)n;
        if (json->len >= sizeof json->text)
                json->len = sizeof json->text - 1;
}

const char *example_quoted(struct tkw_context *ctx, const char *text)
{
        const char *out = "\"";
        for (; *text; text++) {
                unsigned char c = (unsigned char)*text;
                if (c == '"' || c == '\\')
                        out = tkw_format(ctx, "%s\\%c", out, c);
                else
                        out = c < ' ' ? tkw_format(ctx, "%s\\u%04x", out, c) : tkw_format(ctx, "%s%c", out, c);
        }
        return tkw_format(ctx, "%s\"", out);
}
