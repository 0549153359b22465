/* SPDX-License-Identifier: MIT */
/* json/read.c: text that was JSON of ours before. RFC 8785 and jsonb write 1e20 as an integer, for which jansson has no room; so such integers
 * are given a fraction, in a copy, when the plain way has failed because of one. */
#include "json/json.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 19 }; /* of a 64 bit integer */

/* Whether these digits, and the sign before them, are an integer that does not fit. */
static bool too_big(const char *text, size_t at, size_t digits)
{
        char number[DIGITS_MAX + 2] = "-";
        if (digits > DIGITS_MAX)
                return true;
        bool negative = at && text[at - 1] == '-';
        memcpy(number + negative, text + at, digits);
        errno = 0;
        (void)strtoll(number, NULL, 10);
        return errno == ERANGE;
}

/* Behind the string that begins at `at`. */
static size_t past_string(const char *text, size_t len, size_t at)
{
        for (at++; at < len && text[at] != '"'; at++)
                at += text[at] == '\\';
        return at < len ? at + 1 : len;
}

static void widen(const char *text, size_t len, struct tk_buf *out)
{
        for (size_t at = 0, end; at < len; at = end) {
                end = at + 1;
                if (text[at] == '"') {
                        end = past_string(text, len, at);
                } else if (text[at] >= '0' && text[at] <= '9') {
                        while (end < len && text[end] >= '0' && text[end] <= '9')
                                end++;
                        size_t digits = end - at;
                        while (end < len && memchr("0123456789.eE+-", text[end], 15))
                                end++;
                        tk_buf_put(out, text + at, end - at);
                        if (digits == end - at && too_big(text, at, digits))
                                tk_buf_puts(out, ".0");
                        continue;
                }
                tk_buf_put(out, text + at, end - at);
        }
}

int tk_json_read(const char *text, size_t len, const struct tk_json_limits *limits, json_t **ret, struct tk_err *err)
{
        json_error_t where;
        int r = tk_json_parse(text, len, limits, ret, err);
        if (r != TK_JSON_E_SYNTAX || !len)
                return r;
        TK_AUTOJSON json_t *plain = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
        if (plain || json_error_code(&where) != json_error_numeric_overflow)
                return r;
        TK_AUTOBUF struct tk_buf wide;
        struct tk_json_limits wider = *limits;
        tk_buf_init(&wide, SIZE_MAX / 2);
        widen(text, len, &wide);
        wider.bytes_max = wide.len;
        if (err)
                *err = (struct tk_err){0};
        return tk_json_parse(wide.data, wide.len, &wider, ret, err);
}
