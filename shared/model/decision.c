/* SPDX-License-Identifier: MIT */
/* model/decision.c: see the header. */
#include "model/decision.h"
#include "base/str.h"
#include "json/json.h"
#include <stddef.h>

enum { BODY_MAX = 64 * 1024, FILTER_MAX = 255 };

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

static int take_uuid(const json_t *in, const char *key, struct tk_uuid *ret, struct tk_err *err)
{
        const json_t *value = json_object_get(in, key);
        if (!value || json_is_null(value))
                return 0;
        if (!json_is_string(value) || tk_uuid_parse(json_string_value(value), ret))
                return shape(err, key, "a UUID", value);
        return 0;
}

static int take_common(const json_t *in, struct tk_arena *arena, struct tk_decision *ret, struct tk_err *err)
{
        int r = tk_decision_text(in, "by", TK_ACTOR_MAX, arena, &ret->actor, err);
        if (!r)
                r = tk_decision_text(in, "reason", TK_REASON_MAX, arena, &ret->reason, err);
        return r ? r : take_uuid(in, "after", &ret->after, err);
}

static int parse(const void *json, size_t len, json_t **ret, struct tk_err *err)
{
        int r = tk_json_parse(json, len, &limits, ret, err);
        if (r)
                return r == TK_JSON_E_SYNTAX ? TK_DECISION_E_SYNTAX : TK_DECISION_E_VALUE;
        return json_is_object(*ret) ? 0 : TK_ERR(err, TK_DECISION_E_SHAPE, "invalid type, expected a map");
}

int tk_decision_parse(const void *json, size_t len, struct tk_arena *arena, struct tk_decision *ret, struct tk_err *err)
{
        TK_AUTOJSON json_t *in = NULL;
        *ret = (struct tk_decision){0};
        int r = parse(json, len, &in, err);
        return r ? r : take_common(in, arena, ret, err);
}

int tk_decision_parse_weight(const void *json, size_t len, struct tk_arena *arena, struct tk_decision *ret, struct tk_err *err)
{
        TK_AUTOJSON json_t *in = NULL;
        *ret = (struct tk_decision){0};
        int r = parse(json, len, &in, err);
        if (!r)
                r = take_common(in, arena, ret, err);
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

static int take_action(const json_t *in, struct tk_decision *ret, struct tk_err *err)
{
        static const char *const actions[] = {"pause", "resume", "start", "cancel", "reset", "resolve", "skip"};
        const json_t *value = json_object_get(in, "action"), *dry = json_object_get(in, "dry_run");
        if (!json_is_string(value))
                return shape(err, "action", "a string", value);
        for (size_t i = 0; i < tk_countof(actions); i++)
                if (tk_streq(json_string_value(value), actions[i]))
                        ret->action = actions[i];
        if (!ret->action)
                return TK_ERR(err, TK_DECISION_E_SHAPE, "unknown variant `%.64s`, expected one of `pause`, `resume`, `start`, `cancel`, `reset`, "
                              "`resolve`, `skip`", json_string_value(value));
        if (dry && !json_is_boolean(dry))
                return shape(err, "dry_run", "a boolean", dry);
        ret->dry_run = json_is_true(dry);
        return 0;
}

static int take_filter(const json_t *in, struct tk_arena *arena, struct tk_decision *ret, struct tk_err *err)
{
        static const struct {
                const char *key;
                size_t offset;
        } texts[] = {
                {"namespace", offsetof(struct tk_decision, ns)},    {"name", offsetof(struct tk_decision, name)},
                {"version", offsetof(struct tk_decision, version)}, {"status", offsetof(struct tk_decision, state)},
                {"initiator", offsetof(struct tk_decision, initiator)}, {"tag", offsetof(struct tk_decision, tag)},
        };
        const json_t *filter = json_object_get(in, "filter");
        bool any = json_is_true(json_object_get(filter, "all"));
        if (!json_is_object(filter))
                return shape(err, "filter", "a map", filter);
        for (size_t i = 0; i < tk_countof(texts); i++) {
                if (!json_object_get(filter, texts[i].key))
                        continue;
                int r = tk_decision_text(filter, texts[i].key, FILTER_MAX, arena, (const char **)((char *)ret + texts[i].offset), err);
                if (r)
                        return r;
                any = true;
        }
        int r = take_uuid(filter, "correlation_id", &ret->correlation, err);
        if (r)
                return r;
        if (any || !tk_uuid_is_nil(&ret->correlation))
                return 0;
        return TK_ERR(err, TK_DECISION_E_VALUE, "filter: needs at least one of namespace, name, version, status, initiator, tag, correlation_id, or "
                      "\"all\": true");
}

int tk_decision_parse_bulk(const void *json, size_t len, struct tk_arena *arena, struct tk_decision *ret, struct tk_err *err)
{
        TK_AUTOJSON json_t *in = NULL;
        *ret = (struct tk_decision){0};
        int r = parse(json, len, &in, err);
        if (!r)
                r = take_common(in, arena, ret, err);
        if (!r)
                r = take_action(in, ret, err);
        return r ? r : take_filter(in, arena, ret, err);
}
