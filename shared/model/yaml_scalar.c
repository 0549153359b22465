/* SPDX-License-Identifier: MIT */
/* model/yaml_scalar.c: see the header. A scalar is looked at by its first byte, so that most text is settled at once. */
#include "model/yaml_scalar.h"
#include "base/str.h"
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_TEXT_MAX = 400 };

static bool is_one_of(const char *text, const char *const words[3])
{
        return tk_streq(text, words[0]) || tk_streq(text, words[1]) || tk_streq(text, words[2]);
}

static const char *skip_digits(const char *at)
{
        while (isdigit((unsigned char)*at))
                at++;
        return at;
}

/* [-+]? [0-9]+ */
static bool is_decimal(const char *text)
{
        text += *text == '-' || *text == '+';
        return isdigit((unsigned char)*text) && !*skip_digits(text);
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_float(const char *text)
{
        const char *whole, *at;

        text += *text == '-' || *text == '+';
        at = whole = skip_digits(text);
        if (*at == '.') {
                at = skip_digits(at + 1);
                if (whole == text && at == whole + 1)
                        return false; /* a dot alone */
        } else if (at == text) {
                return false;
        }
        if (*at == 'e' || *at == 'E') {
                at++;
                at += *at == '-' || *at == '+';
                if (!isdigit((unsigned char)*at))
                        return false;
                at = skip_digits(at);
        }
        return !*at;
}

/* 0x1F, 0o17: the base, or 0. */
static int prefix_base(const char *text)
{
        int base = tk_str_starts(text, "0x") ? 16 : tk_str_starts(text, "0o") ? 8 : 0;

        if (!base || !text[2])
                return 0;
        for (const char *at = text + 2; *at; at++)
                if (base == 16 ? !isxdigit((unsigned char)*at) : *at < '0' || *at > '7')
                        return 0;
        return base;
}

static json_t *real(const char *text)
{
        double value;

        return tk_str_to_f64(text, &value) ? NULL : json_real(value); /* NULL when not finite */
}

/* Integers past 64 bits become floating point, as JSON readers do. */
static json_t *integer(const char *text, int base)
{
        const char *digits = base == 10 ? text : text + 2;
        long long value;

        errno = 0;
        value = strtoll(digits, NULL, base);
        if (!errno)
                return json_integer(value);
        return base == 10 ? real(text) : NULL;
}

static json_t *number(const char *text)
{
        static const char *const infinite[3] = {".inf", ".Inf", ".INF"}, *const nan[3] = {".nan", ".NaN", ".NAN"};
        int base = prefix_base(text);

        if (base || is_decimal(text))
                return integer(text, base ? base : 10);
        if (is_float(text))
                return real(text);
        if (is_one_of(text + (*text == '-' || *text == '+'), infinite) || is_one_of(text, nan))
                return NULL;
        return json_string(text);
}

json_t *tk_yaml_scalar_plain(const char *text, size_t len)
{
        static const char *const nulls[3] = {"null", "Null", "NULL"}, *const trues[3] = {"true", "True", "TRUE"},
                                 *const falses[3] = {"false", "False", "FALSE"};

        if (!len || tk_streq(text, "~") || is_one_of(text, nulls))
                return json_null();
        if (is_one_of(text, trues))
                return json_true();
        if (is_one_of(text, falses))
                return json_false();
        if (strchr("+-.0123456789", *text) && len < NUMBER_TEXT_MAX)
                return number(text);
        return json_stringn(text, len);
}
