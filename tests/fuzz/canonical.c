/* SPDX-License-Identifier: MIT */
/* One value, one text: the canonical text reads back as itself, whatever order the keys had and however the value was written. */
#include "fuzz/fuzz.h"
#include "base/str.h"
#include "json/json.h"
#include <string.h>

/* The same value with the keys of all its objects the other way round. */
static json_t *turned(const json_t *value)
{
        const char *key;
        json_t *member;
        size_t i;
        if (json_is_array(value)) {
                json_t *out = json_array();
                json_array_foreach(value, i, member)
                        (void)json_array_append_new(out, turned(member));
                return out;
        }
        if (!json_is_object(value))
                return json_deep_copy(value);
        size_t n = json_object_size(value), at = n;
        const char **keys = calloc(n + 1, sizeof *keys);
        json_t *out = json_object();
        json_object_foreach((json_t *)(uintptr_t)value, key, member)
                keys[--at] = key;
        for (i = 0; i < n; i++)
                (void)json_object_set_new(out, keys[i], turned(json_object_get(value, keys[i])));
        free(keys);
        return out;
}

static void same(const struct tk_buf *first, const json_t *value)
{
        TK_AUTOBUF struct tk_buf text;
        tk_buf_init(&text, SIZE_MAX / 2);
        tk_json_canonical(value, &text);
        TK_CHECK(text.len == first->len && !memcmp(text.data, first->data, text.len));
}

static void reads_back(const struct tk_buf *canonical, const struct tk_buf *written)
{
        static const struct tk_json_limits limits = {.bytes_max = 64u << 20, .depth_max = 128, .entries_max = 1000000, .string_max = 64u << 20};
        TK_AUTOJSON json_t *value = NULL;
        struct tk_err err = {0};
        TK_CHECK(!tk_json_read(written->data, written->len, &limits, &value, &err));
        same(canonical, value);
}

static void member(const char *text, size_t len, const json_t *value)
{
        const char *key, *found;
        size_t found_len;
        json_t *child;
        json_object_foreach((json_t *)(uintptr_t)value, key, child)
                if (tk_json_member(text, len, key, &found, &found_len))
                        TK_CHECK(found >= text && found + found_len <= text + len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
        TK_AUTOJSON json_t *value = NULL, *other = NULL;
        TK_AUTOBUF struct tk_buf canonical, dumped;
        struct tk_err err = {0};
        tk_buf_init(&canonical, SIZE_MAX / 2);
        tk_buf_init(&dumped, SIZE_MAX / 2);
        if (tk_json_parse((const char *)data, len, &tk_json_limits_default, &value, &err)) {
                TK_CHECK(*tk_err_text(&err));
                return 0;
        }
        tk_json_canonical(value, &canonical);
        tk_json_dump(value, &dumped);
        reads_back(&canonical, &canonical);
        reads_back(&canonical, &dumped);
        same(&canonical, other = turned(value));
        member((const char *)data, len, value);
        return 0;
}
