/* SPDX-License-Identifier: MIT */
/* worker/abi/value.c: struct tkw_value is a json_t seen from outside. */
#include "worker/abi/value.h"
#include "base/str.h"
#include <math.h>

enum { SEGMENT_MAX = 256 };

static const json_t *json(const struct tkw_value *value)
{
        return (const json_t *)(const void *)value;
}

static const struct tkw_value *view(const json_t *value)
{
        return (const struct tkw_value *)(const void *)value;
}

/* One path segment without its escapes; false when it is longer than any name we look for. */
static bool segment_decode(const char *at, size_t len, char ret[SEGMENT_MAX], size_t *ret_len)
{
        size_t n = 0;
        for (size_t i = 0; i < len; i++) {
                if (n == SEGMENT_MAX - 1)
                        return false;
                bool escape = at[i] == '~' && i + 1 < len && (at[i + 1] == '0' || at[i + 1] == '1');
                ret[n++] = !escape ? at[i] : at[++i] == '1' ? '/' : '~';
        }
        ret[n] = '\0';
        *ret_len = n;
        return true;
}

static const json_t *child(const json_t *value, const char *at, size_t len)
{
        char name[SEGMENT_MAX];
        size_t n;
        int64_t index;
        if (!segment_decode(at, len, name, &n))
                return NULL;
        if (json_is_object(value))
                return json_object_getn(value, name, n);
        if (json_is_array(value) && !tk_str_to_i64(name, 0, INT32_MAX, &index))
                return json_array_get(value, (size_t)index);
        return NULL;
}

const json_t *work_value_find(const json_t *value, const char *path)
{
        if (!path || !*path)
                return value;
        for (const char *at = path; value; ) {
                const char *slash = strchr(at, '/');
                value = child(value, at, slash ? (size_t)(slash - at) : strlen(at));
                if (!slash)
                        break;
                at = slash + 1;
        }
        return value;
}

const struct tkw_value *work_value_view(const json_t *value, const char *path)
{
        return view(work_value_find(value, path));
}

json_t *work_value_copy(const struct tkw_value *value)
{
        return value ? json_deep_copy(json(value)) : json_null();
}

void work_value_dump(const struct tkw_value *value, struct tk_buf *buf)
{
        if (value)
                tk_json_dump(json(value), buf);
        else
                tk_buf_puts(buf, "null");
}

enum tkw_type tkw_type(const struct tkw_value *value)
{
        if (!value)
                return TKW_MISSING;
        switch (json_typeof(json(value))) {
        case JSON_OBJECT: return TKW_OBJECT;
        case JSON_ARRAY: return TKW_ARRAY;
        case JSON_STRING: return TKW_STRING;
        case JSON_INTEGER: return TKW_INTEGER;
        case JSON_REAL: return TKW_REAL;
        case JSON_TRUE:
        case JSON_FALSE: return TKW_BOOL;
        case JSON_NULL: break;
        }
        return TKW_NULL;
}

const struct tkw_value *tkw_get(const struct tkw_value *value, const char *path)
{
        return view(work_value_find(json(value), path));
}

bool tkw_i64(const struct tkw_value *value, int64_t *ret)
{
        const json_t *v = json(value);
        if (json_is_integer(v)) {
                *ret = json_integer_value(v);
                return true;
        }
        double real = json_real_value(v); /* 0 for what is no real */
        if (!json_is_real(v) || real != trunc(real) || fabs(real) > 9007199254740992.0)
                return false;
        *ret = (int64_t)real;
        return true;
}

bool tkw_f64(const struct tkw_value *value, double *ret)
{
        if (!json_is_number(json(value)))
                return false;
        *ret = json_number_value(json(value));
        return true;
}

bool tkw_bool(const struct tkw_value *value, bool *ret)
{
        if (!json_is_boolean(json(value)))
                return false;
        *ret = json_is_true(json(value));
        return true;
}

const char *tkw_str(const struct tkw_value *value)
{
        return json_string_value(json(value));
}

size_t tkw_count(const struct tkw_value *value)
{
        return json_is_array(json(value)) ? json_array_size(json(value)) : json_object_size(json(value));
}

const struct tkw_value *tkw_at(const struct tkw_value *array, size_t at)
{
        return view(json_array_get(json(array), at));
}

const struct tkw_value *tkw_next(const struct tkw_value *object, const char **key)
{
        /* jansson's iterators want a mutable object but only read it */
        json_t *o = (json_t *)(uintptr_t)json(object);
        void *iter = *key ? json_object_iter_next(o, json_object_key_to_iter(*key)) : json_object_iter(o);
        *key = iter ? json_object_iter_key(iter) : NULL;
        return iter ? view(json_object_iter_value(iter)) : NULL;
}
