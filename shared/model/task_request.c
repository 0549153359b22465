/* SPDX-License-Identifier: MIT */
/* model/task_request.c: one table of fields; the context has limits of its own. */
#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"
#include "json/json.h"
#include "model/task_request.h"
#include "model/value_limits.h"
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

enum { REQUEST_BYTES_MAX = 4 * 1024 * 1024, REQUEST_DEPTH_MAX = 64, TAG_MAX = 255, PRIORITY_MAX = 100, KEY_MAX = 255 };

static const struct text_field {
        const char *key;
        size_t offset;
        const char *empty; /* what an empty one is told; NULL: it may be empty */
        size_t max;
} text_fields[] = {
        {"name", offsetof(struct tk_task_request, name), "Task name cannot be empty", 255},
        {"namespace", offsetof(struct tk_task_request, ns), "Namespace cannot be empty", 255},
        {"version", offsetof(struct tk_task_request, version), "Version cannot be empty", 50},
        {"initiator", offsetof(struct tk_task_request, initiator), NULL, 255},
        {"source_system", offsetof(struct tk_task_request, source_system), NULL, 255},
        {"reason", offsetof(struct tk_task_request, reason), NULL, 500},
};

static const char *found(const json_t *value)
{
        static const char *const names[] = {
                "a map",     "a sequence", "a string", "an integer", "a floating point number",
                "a boolean", "a boolean",  "null"};
        return names[json_typeof(value)];
}

static int mistyped(struct tk_err *err, const char *key, const char *wanted, const json_t *value)
{
        if (!value)
                return TK_ERR(err, TK_TASK_REQUEST_E_SHAPE, "missing field `%s`", key);
        return TK_ERR(err, TK_TASK_REQUEST_E_SHAPE, "%s: invalid type: %s, expected %s", key, found(value), wanted);
}

static int take_texts(const json_t *in, struct tk_arena *arena, struct tk_task_request *ret, struct tk_err *err)
{
        for (size_t i = 0; i < tk_countof(text_fields); i++) {
                const json_t *value = json_object_get(in, text_fields[i].key);
                if (!json_is_string(value))
                        return mistyped(err, text_fields[i].key, "a string", value);
                *(const char **)((char *)ret + text_fields[i].offset) = tk_arena_strdup(arena, json_string_value(value));
        }
        for (size_t i = 0; i < tk_countof(text_fields); i++) {
                size_t len = strlen(*(const char *const *)((const char *)ret + text_fields[i].offset));
                if (!len && text_fields[i].empty)
                        return TK_ERR(err, TK_TASK_REQUEST_E_VALUE, "%s", text_fields[i].empty);
                if (len > text_fields[i].max)
                        return TK_ERR(err, TK_TASK_REQUEST_E_VALUE, "%s: may have %zu bytes, found %zu",
                                      text_fields[i].key, text_fields[i].max, len);
        }
        return 0;
}

static int take_context(const json_t *in, struct tk_arena *arena, struct tk_task_request *ret, struct tk_err *err)
{
        const json_t *context = json_object_get(in, "context");
        TK_AUTOBUF struct tk_buf plain = {.max = REQUEST_BYTES_MAX}, canonical = {.max = REQUEST_BYTES_MAX};
        if (!context)
                return mistyped(err, "context", "a map", NULL);
        if (!json_is_object(context))
                return TK_ERR(err, TK_TASK_REQUEST_E_VALUE, "context: must be an object, found %s", found(context));
        if (tk_value_check("context", context, TK_TASK_CONTEXT_DEPTH_MAX, TK_TASK_CONTEXT_ENTRIES_MAX,
                           TK_TASK_STRING_MAX, err))
                return TK_TASK_REQUEST_E_VALUE;
        tk_json_dump(context, &plain);
        tk_json_canonical(context, &canonical);
        if (tk_buf_failed(&plain) || tk_buf_failed(&canonical) || plain.len > TK_TASK_CONTEXT_BYTES_MAX)
                return TK_ERR(err, TK_TASK_REQUEST_E_VALUE, "context: may have %d bytes, found %zu",
                              TK_TASK_CONTEXT_BYTES_MAX, plain.len);
        ret->context = tk_arena_strndup(arena, plain.data, plain.len);
        ret->context_canonical = tk_arena_strndup(arena, canonical.data, canonical.len);
        return 0;
}

static int take_tags(const json_t *in, struct tk_arena *arena, struct tk_task_request *ret, struct tk_err *err)
{
        const json_t *tags = json_object_get(in, "tags");
        TK_AUTOBUF struct tk_buf text = {.max = REQUEST_BYTES_MAX};
        ret->tags = "[]";
        if (!tags)
                return 0;
        if (!json_is_array(tags))
                return mistyped(err, "tags", "a sequence", tags);
        if (json_array_size(tags) > TK_TASK_TAGS_MAX)
                return TK_ERR(err, TK_TASK_REQUEST_E_VALUE, "tags: may have %d entries, found %zu",
                              TK_TASK_TAGS_MAX, json_array_size(tags));
        for (size_t i = 0; i < json_array_size(tags); i++) {
                const json_t *tag = json_array_get(tags, i);
                if (!json_is_string(tag))
                        return mistyped(err, "tags", "a sequence of strings", tag);
                if (json_string_length(tag) > TAG_MAX)
                        return TK_ERR(err, TK_TASK_REQUEST_E_VALUE, "tags: one may have %d bytes, found %zu",
                                      TAG_MAX, json_string_length(tag));
        }
        tk_json_dump(tags, &text);
        ret->tags = tk_arena_strndup(arena, text.data, text.len);
        return 0;
}

static int take_uuid(const json_t *in, const char *key, bool nullable, struct tk_uuid *ret, struct tk_err *err)
{
        const json_t *value = json_object_get(in, key);
        if (!value || (nullable && json_is_null(value)))
                return 0;
        if (!json_is_string(value) || tk_uuid_parse_any(json_string_value(value), ret))
                return mistyped(err, key, "a UUID", value);
        return 0;
}

static int take_strategy(const json_t *in, struct tk_task_request *ret, struct tk_err *err)
{
        static const char *const strategies[] = {"strict", "caller_provided", "always_unique"};
        const json_t *value = json_object_get(in, "identity_strategy");
        if (!value || json_is_null(value))
                return 0;
        if (!json_is_string(value))
                return mistyped(err, "identity_strategy", "a string", value);
        for (size_t i = 0; i < tk_countof(strategies); i++)
                if (tk_streq(json_string_value(value), strategies[i])) {
                        ret->identity_strategy = strategies[i];
                        return 0;
                }
        return TK_ERR(err, TK_TASK_REQUEST_E_VALUE, "identity_strategy: must be strict, caller_provided or always_unique, found '%.64s'",
                      json_string_value(value));
}

/* The wire contract has no zone here: what looks like another place's time must not pass for UTC. */
static bool has_zone(const char *text)
{
        const char *time = strchr(text, 'T');
        return time && strpbrk(time, "Zz+-");
}

static int take_rest(const json_t *in, struct tk_arena *arena, struct tk_task_request *ret, struct tk_err *err)
{
        const json_t *priority = json_object_get(in, "priority"), *key = json_object_get(in, "idempotency_key"),
                     *requested = json_object_get(in, "requested_at"), *options = json_object_get(in, "options");
        if (priority && !json_is_null(priority)) {
                if (!json_is_integer(priority))
                        return mistyped(err, "priority", "i32", priority);
                if (llabs(json_integer_value(priority)) > PRIORITY_MAX)
                        return TK_ERR(err, TK_TASK_REQUEST_E_VALUE,
                                      "priority: must be between -%d and %d, found %lld", PRIORITY_MAX,
                                      PRIORITY_MAX, (long long)json_integer_value(priority));
                ret->priority = (int32_t)json_integer_value(priority);
        }
        if (key && !json_is_null(key)) {
                if (!json_is_string(key))
                        return mistyped(err, "idempotency_key", "a string", key);
                size_t len = json_string_length(key);
                if (!len || len > KEY_MAX)
                        return TK_ERR(err, TK_TASK_REQUEST_E_VALUE,
                                      "idempotency_key: must have 1 to %d bytes, found %zu", KEY_MAX, len);
                ret->idempotency_key = tk_arena_strdup(arena, json_string_value(key));
        }
        if (options && !json_is_null(options) && !json_is_object(options))
                return mistyped(err, "options", "a map", options);
        ret->requested_at_ns = tk_time_wall_ns();
        if (requested && (!json_is_string(requested) || has_zone(json_string_value(requested)) ||
                          tk_time_parse(json_string_value(requested), &ret->requested_at_ns)))
                return mistyped(err, "requested_at", "a date and time without a zone", requested);
        return 0;
}

int tk_task_request_parse(const void *json, size_t len, struct tk_arena *arena, struct tk_task_request *ret, json_t **ret_context,
                          struct tk_err *err)
{
        static const struct tk_json_limits limits = {REQUEST_BYTES_MAX, REQUEST_DEPTH_MAX, 100000, REQUEST_BYTES_MAX};
        TK_AUTOJSON json_t *in = NULL;
        *ret = (struct tk_task_request){0};
        int r = tk_json_parse(json, len, &limits, &in, err);
        if (r)
                return r == TK_JSON_E_SYNTAX ? TK_TASK_REQUEST_E_SYNTAX : TK_TASK_REQUEST_E_VALUE;
        if (!json_is_object(in))
                return mistyped(err, "request", "a map", in);
        r = take_texts(in, arena, ret, err);
        if (!r)
                r = take_context(in, arena, ret, err);
        if (!r)
                r = take_tags(in, arena, ret, err);
        if (!r)
                r = take_uuid(in, "correlation_id", false, &ret->correlation_id, err);
        if (!r)
                r = take_uuid(in, "parent_correlation_id", true, &ret->parent_correlation_id, err);
        if (!r)
                r = take_strategy(in, ret, err);
        if (!r)
                r = take_rest(in, arena, ret, err);
        if (!r)
                r = tk_task_times_parse(in, tk_time_wall_ns(), &ret->times, err);
        if (!r && tk_uuid_is_nil(&ret->correlation_id))
                tk_uuid_v7(&ret->correlation_id);
        if (!r && ret_context)
                *ret_context = json_incref(json_object_get(in, "context"));
        return r;
}
