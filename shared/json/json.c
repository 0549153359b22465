/* SPDX-License-Identifier: MIT */
/* json/json.c: bounded parsing, and reading members with a fallback. */
#include "json/json.h"
#include "json/scan.h"

const struct tk_json_limits tk_json_limits_default = {
        .bytes_max = 1024 * 1024, .depth_max = 64, .entries_max = 10000, .string_max = 1024 * 1024};

int tk_json_parse(const char *text, size_t len, const struct tk_json_limits *limits, json_t **ret,
                  struct tk_err *err)
{
        json_error_t where;
        json_t *value;
        int result = tk_json_scan(text, len, limits, err);

        if (result)
                return result;
        if (!len)
                return TK_ERR(err, TK_JSON_E_SYNTAX, "line 1, column 0: the text is empty");
        value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
        if (!value)
                return TK_ERR(err, TK_JSON_E_SYNTAX, "line %d, column %d: %s", where.line, where.column,
                              where.text);
        *ret = value;
        return TK_JSON_OK;
}

const char *tk_json_str(const json_t *object, const char *key)
{
        return json_string_value(json_object_get(object, key));
}

const char *tk_json_text(const json_t *object, const char *key)
{
        const char *text = tk_json_str(object, key);
        return text ? text : "";
}

int64_t tk_json_i64(const json_t *object, const char *key, int64_t or_else)
{
        const json_t *value = json_object_get(object, key);

        return json_is_integer(value) ? json_integer_value(value) : or_else;
}

double tk_json_f64(const json_t *object, const char *key, double or_else)
{
        const json_t *value = json_object_get(object, key);

        return json_is_number(value) ? json_number_value(value) : or_else;
}

int tk_json_bool(const json_t *object, const char *key, int or_else)
{
        const json_t *value = json_object_get(object, key);

        return json_is_boolean(value) ? json_is_true(value) : or_else;
}
