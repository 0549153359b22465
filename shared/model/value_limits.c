/* SPDX-License-Identifier: MIT */
/* model/value_limits.c: see the header. The recursion is bounded by the parser's own depth limit. */
#include "model/value_limits.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>

struct limits {
        const char *name;
        unsigned depth_max;
        size_t entries_max, string_max;
        struct tk_err *err;
};

static int check(const struct limits *l, const json_t *value, unsigned depth);

static int check_text(const struct limits *l, size_t len)
{
        return len <= l->string_max ? 0
                                    : TK_ERR(l->err, -EINVAL, "%s: a string or key may have %zu bytes, found %zu",
                                             l->name, l->string_max, len);
}

static int check_members(const struct limits *l, const json_t *value, unsigned depth)
{
        const char *key;
        json_t *member;
        size_t i;
        int r = 0;
        json_object_foreach((json_t *)(uintptr_t)value, key, member) {
                r = check_text(l, strlen(key));
                if (!r)
                        r = check(l, member, depth + 1);
                if (r)
                        return r;
        }
        json_array_foreach((json_t *)(uintptr_t)value, i, member) {
                r = check(l, member, depth + 1);
                if (r)
                        return r;
        }
        return 0;
}

static int check(const struct limits *l, const json_t *value, unsigned depth)
{
        if (json_is_string(value))
                return check_text(l, json_string_length(value));
        size_t entries = json_is_object(value) ? json_object_size(value) : json_array_size(value);
        if (!json_is_object(value) && !json_is_array(value))
                return 0;
        if (depth > l->depth_max)
                return TK_ERR(l->err, -EINVAL, "%s: may nest %u levels deep, found more", l->name, l->depth_max);
        if (entries > l->entries_max)
                return TK_ERR(l->err, -EINVAL, "%s: an object or list may have %zu entries, found %zu", l->name,
                              l->entries_max, entries);
        return check_members(l, value, depth);
}

int tk_value_check(const char *name, const json_t *value, unsigned depth_max, size_t entries_max, size_t string_max,
                   struct tk_err *err)
{
        return check(&(struct limits){name, depth_max, entries_max, string_max, err}, value, 1);
}
