/* SPDX-License-Identifier: MIT */
/* base/str.c: numbers and sizes from text: the whole text or nothing. */
#include "base/str.h"
#include "base/utf8.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

int tk_str_copy(char *dst, size_t size, const char *src)
{
        size_t len = strlen(src);
        size_t n = len < size ? len : size ? size - 1 : 0;

        if (size) {
                memcpy(dst, src, n);
                dst[n] = 0;
        }
        return n == len && size ? 0 : -E2BIG;
}

int tk_str_to_i64(const char *text, int64_t min, int64_t max, int64_t *ret_value)
{
        char *end;
        long long value;

        if (!isdigit((unsigned char)text[*text == '-' || *text == '+'])) /* strtoll would skip blanks */
                return -EINVAL;
        errno = 0;
        value = strtoll(text, &end, 10);
        if (*end)
                return -EINVAL;
        if (errno == ERANGE || value < min || value > max)
                return -ERANGE;
        *ret_value = value;
        return 0;
}

/* Decimal only: strtod alone would also take "inf", "nan", blanks and hexadecimal. */
int tk_str_to_f64(const char *text, double *ret_value)
{
        char *end;
        double value;

        if (!*text || text[strspn(text, "+-.0123456789eE")])
                return -EINVAL;
        errno = 0;
        value = strtod(text, &end);
        if (*end || end == text)
                return -EINVAL;
        if (!isfinite(value))
                return -ERANGE;
        *ret_value = value;
        return 0;
}

static int unit_shift(const char *unit)
{
        static const struct {
                const char *name;
                int shift;
        } units[] = {{"", 0},     {"b", 0},  {"k", 10},  {"kb", 10},  {"kib", 10}, {"m", 20},  {"mb", 20},
                     {"mib", 20}, {"g", 30}, {"gb", 30}, {"gib", 30}, {"t", 40},   {"tb", 40}, {"tib", 40}};

        for (size_t i = 0; i < tk_countof(units); i++)
                if (!strcasecmp(unit, units[i].name))
                        return units[i].shift;
        return -1;
}

int tk_str_to_size(const char *text, uint64_t *ret_bytes)
{
        char *end;
        unsigned long long value;
        int shift;

        if (!isdigit((unsigned char)*text))
                return -EINVAL;
        errno = 0;
        value = strtoull(text, &end, 10);
        shift = unit_shift(end);
        if (shift < 0)
                return -EINVAL;
        if (errno == ERANGE || value > UINT64_MAX >> shift)
                return -ERANGE;
        *ret_bytes = (uint64_t)value << shift;
        return 0;
}

bool tk_str_utf8_valid(const char *text, size_t len)
{
        const unsigned char *bytes = (const unsigned char *)text;

        for (size_t at = 0; at < len;) {
                size_t size = tk_utf8_size(bytes + at, len - at);
                if (!size || !bytes[at])
                        return false;
                at += size;
        }
        return true;
}
