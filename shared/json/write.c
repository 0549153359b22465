/* SPDX-License-Identifier: MIT */
/* json/write.c: values to text, in two ways that differ in the order of keys and in the look of numbers.
 *
 * Canonical is RFC 8785 with one addition: integers beyond ±2^53, which the RFC leaves to its I-JSON profile,
 * are written with all their digits, whether they came as integers or as doubles. So two values have one text
 * exactly when they are equal. */
#include "base/check.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "json/json.h"
#include "json/number.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void put_value(const json_t *value, bool canonical, struct tk_buf *buf);

/* Orders code points as their UTF-16 code units: surrogates, hence all above U+FFFF, come before
 * U+E000..U+FFFF. */
static uint32_t utf16_rank(uint32_t code)
{
        return code >= 0xe000 && code <= 0xffff ? code + 0x200000 : code;
}

static int compare_keys(const void *a_at, const void *b_at)
{
        const unsigned char *a = *(const unsigned char *const *)a_at,
                            *b = *(const unsigned char *const *)b_at;

        for (;;) {
                size_t a_size = tk_utf8_size(a, strnlen((const char *)a, 4)),
                       b_size = tk_utf8_size(b, strnlen((const char *)b, 4));
                uint32_t a_rank, b_rank;

                if (!a_size || !b_size) /* one ends: the shorter is first */
                        return (a_size > 0) - (b_size > 0);
                a_rank = utf16_rank(tk_utf8_decode(a, a_size));
                b_rank = utf16_rank(tk_utf8_decode(b, b_size));
                if (a_rank != b_rank)
                        return a_rank < b_rank ? -1 : 1;
                a += a_size;
                b += b_size;
        }
}

static void put_member(const char *key, const json_t *value, bool canonical, bool first, struct tk_buf *buf)
{
        if (!first)
                tk_buf_putc(buf, ',');
        tk_buf_put_json_str(buf, key, strlen(key));
        tk_buf_putc(buf, ':');
        put_value(value, canonical, buf);
}

static void put_members_sorted(const json_t *object, struct tk_buf *buf)
{
        json_t *members = (json_t *)(uintptr_t)object; /* jansson's iterators forgot the const */
        size_t n = json_object_size(object), at = 0;
        const char **keys = tk_calloc(n, sizeof *keys);

        for (void *iter = json_object_iter(members); iter; iter = json_object_iter_next(members, iter))
                keys[at++] = json_object_iter_key(iter);
        TK_CHECK(at == n);
        qsort(keys, n, sizeof *keys, compare_keys);
        for (size_t i = 0; i < n; i++)
                put_member(keys[i], json_object_get(object, keys[i]), true, i == 0, buf);
        tk_free(keys);
}

static void put_members(const json_t *object, struct tk_buf *buf)
{
        json_t *members = (json_t *)(uintptr_t)object;
        bool first = true;

        for (void *iter = json_object_iter(members); iter;
             iter = json_object_iter_next(members, iter), first = false)
                put_member(json_object_iter_key(iter), json_object_iter_value(iter), false, first, buf);
}

static void put_array(const json_t *array, bool canonical, struct tk_buf *buf)
{
        tk_buf_putc(buf, '[');
        for (size_t i = 0; i < json_array_size(array); i++) {
                if (i)
                        tk_buf_putc(buf, ',');
                put_value(json_array_get(array, i), canonical, buf);
        }
        tk_buf_putc(buf, ']');
}

static void put_real(double value, bool canonical, struct tk_buf *buf)
{
        char text[TK_JSON_NUMBER_TEXT];

        if (canonical && value == trunc(value) && value >= -0x1p63 && value < 0x1p63) {
                tk_buf_printf(buf, "%" PRId64, (int64_t)value);
                return;
        }
        tk_json_number_format(value, text);
        tk_buf_puts(buf, text);
        if (!canonical && !strpbrk(text, ".e"))
                tk_buf_puts(buf, ".0"); /* a real stays a real when it is read again */
}

static void put_value(const json_t *value, bool canonical, struct tk_buf *buf)
{
        switch (json_typeof(value)) {
        case JSON_OBJECT:
                tk_buf_putc(buf, '{');
                if (canonical)
                        put_members_sorted(value, buf);
                else
                        put_members(value, buf);
                tk_buf_putc(buf, '}');
                break;
        case JSON_ARRAY: put_array(value, canonical, buf); break;
        case JSON_STRING:
                tk_buf_put_json_str(buf, json_string_value(value), json_string_length(value));
                break;
        case JSON_INTEGER: tk_buf_printf(buf, "%" JSON_INTEGER_FORMAT, json_integer_value(value)); break;
        case JSON_REAL: put_real(json_real_value(value), canonical, buf); break;
        case JSON_TRUE: tk_buf_puts(buf, "true"); break;
        case JSON_FALSE: tk_buf_puts(buf, "false"); break;
        case JSON_NULL: tk_buf_puts(buf, "null"); break;
        }
}

void tk_json_dump(const json_t *value, struct tk_buf *buf)
{
        put_value(value, false, buf);
}

void tk_json_canonical(const json_t *value, struct tk_buf *buf)
{
        put_value(value, true, buf);
}
