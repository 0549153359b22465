/* SPDX-License-Identifier: MIT */
/* schema/value.c: values as JSON Schema compares them: numbers by what they are worth, objects without order. */
#include "base/mem.h"
#include "base/str.h"
#include "json/json.h"
#include "schema/internal.h"
#include <math.h>
#include <stdlib.h>

#define BYTES_MAX ((size_t)64 << 20)

unsigned value_types(const json_t *value)
{
        switch (json_typeof(value)) {
        case JSON_NULL:
                return S_NULL;
        case JSON_TRUE:
        case JSON_FALSE:
                return S_BOOLEAN;
        case JSON_INTEGER:
                return S_INTEGER | S_NUMBER;
        case JSON_REAL:
                return json_real_value(value) == floor(json_real_value(value)) ? S_INTEGER | S_NUMBER : S_NUMBER;
        case JSON_STRING:
                return S_STRING;
        case JSON_ARRAY:
                return S_ARRAY;
        case JSON_OBJECT:
                return S_OBJECT;
        }
        return 0;
}

/* Holds every 64 bit integer exactly where it has 64 bits of mantissa. */
static long double number(const json_t *value)
{
        return json_is_integer(value) ? (long double)json_integer_value(value) : (long double)json_real_value(value);
}

int value_compare(const json_t *a, const json_t *b)
{
        if (json_is_integer(a) && json_is_integer(b))
                return (json_integer_value(a) > json_integer_value(b)) - (json_integer_value(a) < json_integer_value(b));
        return (number(a) > number(b)) - (number(a) < number(b));
}

bool value_multiple(const json_t *value, const json_t *of)
{
        if (json_is_integer(value) && json_is_integer(of) && json_integer_value(of) != -1)
                return json_integer_value(value) % json_integer_value(of) == 0;
        double times = json_number_value(value) / json_number_value(of);
        if (!isfinite(times))
                return false;
        return fabs(times - round(times)) <= 1e-9 * fmax(1, fabs(times) * 1e-6); /* 0.3 is a multiple of 0.1 */
}

bool value_equal(const json_t *a, const json_t *b, int64_t *steps)
{
        const char *key;
        json_t *value;
        size_t i;
        if (--*steps < 0)
                return false;
        if (json_is_number(a) && json_is_number(b))
                return !value_compare(a, b);
        if (json_typeof(a) != json_typeof(b))
                return false;
        if (json_is_string(a))
                return json_equal(a, b);
        if (json_is_array(a)) {
                if (json_array_size(a) != json_array_size(b))
                        return false;
                json_array_foreach((json_t *)(uintptr_t)a, i, value)
                        if (!value_equal(value, json_array_get(b, i), steps))
                                return false;
        } else if (json_is_object(a)) {
                if (json_object_size(a) != json_object_size(b))
                        return false;
                json_object_foreach((json_t *)(uintptr_t)a, key, value)
                        if (!json_object_get(b, key) || !value_equal(value, json_object_get(b, key), steps))
                                return false;
        }
        return true;
}

size_t value_length(const json_t *string)
{
        const char *text = json_string_value(string);
        size_t n = 0;
        for (size_t i = 0; i < json_string_length(string); i++)
                n += ((unsigned char)text[i] & 0xc0) != 0x80;
        return n;
}

static int by_text(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* By their canonical texts, sorted: n log n, where comparing each with each would be n². */
bool value_unique(const json_t *array)
{
        size_t n = json_array_size(array);
        TK_AUTOBUF struct tk_buf buf = {.max = BYTES_MAX};
        TK_AUTOFREE char **texts = tk_calloc(n + 1, sizeof *texts);
        bool unique = true;
        for (size_t i = 0; i < n; i++) {
                tk_buf_reset(&buf);
                tk_json_canonical(json_array_get(array, i), &buf);
                texts[i] = tk_buf_take(&buf);
        }
        qsort(texts, n, sizeof *texts, by_text);
        for (size_t i = 1; i < n; i++)
                unique &= strcmp(texts[i - 1], texts[i]) != 0;
        for (size_t i = 0; i < n; i++)
                tk_free(texts[i]);
        return unique;
}
