/* SPDX-License-Identifier: MIT */
/* model/decision.c: see the header. */
#include "model/decision.h"
#include "base/str.h"
#include "json/json.h"

enum { BODY_MAX = 64 * 1024 };

static const struct tk_json_limits limits = {BODY_MAX, 8, 64, BODY_MAX};

static int shape(struct tk_err *err, const char *key, const char *wanted, const json_t *value)
{
        if (!value)
                return TK_ERR(err, TK_DECISION_E_SHAPE, "missing field `%s`", key);
        return TK_ERR(err, TK_DECISION_E_SHAPE, "%s: invalid type, expected %s", key, wanted);
}

int tk_decision_text(const json_t *in, const char *key, size_t max, struct tk_arena *arena, const char **ret, struct tk_err *err)
{
        const json_t *value = json_object_get(in, key);
        if (!json_is_string(value))
                return shape(err, key, "a string", value);
        size_t len = json_string_length(value);
        if (!len || len > max)
                return TK_ERR(err, TK_DECISION_E_VALUE, "%s: must have 1 to %zu bytes, found %zu", key, max, len);
        *ret = tk_arena_strndup(arena, json_string_value(value), len);
        return 0;
}

int tk_decision_uuid(const json_t *in, const char *key, struct tk_uuid *ret, struct tk_err *err)
{
        const json_t *value = json_object_get(in, key);
        if (!value || json_is_null(value))
                return 0;
        if (!json_is_string(value) || tk_uuid_parse(json_string_value(value), ret))
                return shape(err, key, "a UUID", value);
        return 0;
}

int tk_decision_read(const void *json, size_t len, const struct tk_json_limits *max, struct tk_arena *arena, struct tk_decision *ret,
                     json_t **ret_in, struct tk_err *err)
{
        TK_AUTOJSON json_t *in = NULL;
        *ret = (struct tk_decision){0};
        int r = tk_json_parse(json, len, max ? max : &limits, &in, err);
        if (r)
                return r == TK_JSON_E_SYNTAX ? TK_DECISION_E_SYNTAX : TK_DECISION_E_VALUE;
        if (!json_is_object(in))
                return TK_ERR(err, TK_DECISION_E_SHAPE, "invalid type, expected a map");
        r = tk_decision_text(in, "by", TK_ACTOR_MAX, arena, &ret->actor, err);
        if (!r)
                r = tk_decision_text(in, "reason", TK_REASON_MAX, arena, &ret->reason, err);
        if (!r)
                r = tk_decision_uuid(in, "after", &ret->after, err);
        if (r)
                return r;
        *ret_in = in;
        in = NULL;
        return 0;
}

int tk_decision_parse(const void *json, size_t len, struct tk_arena *arena, struct tk_decision *ret, struct tk_err *err)
{
        TK_AUTOJSON json_t *in = NULL;
        return tk_decision_read(json, len, NULL, arena, ret, &in, err);
}

int tk_decision_parse_weight(const void *json, size_t len, struct tk_arena *arena, struct tk_decision *ret, struct tk_err *err)
{
        TK_AUTOJSON json_t *in = NULL;
        int r = tk_decision_read(json, len, NULL, arena, ret, &in, err);
        if (r)
                return r;
        const json_t *weight = json_object_get(in, "weight");
        if (!json_is_integer(weight))
                return shape(err, "weight", "an integer", weight);
        json_int_t value = json_integer_value(weight);
        if (value < 1 || value > TK_WEIGHT_MAX)
                return TK_ERR(err, TK_DECISION_E_VALUE, "weight: must be 1 to %d, found %lld", TK_WEIGHT_MAX, (long long)value);
        ret->weight = (int)value;
        return 0;
}
