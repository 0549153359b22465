/* SPDX-License-Identifier: MIT */
/* json/merge.c: merge patches. */
#include "json/json.h"

void tk_json_merge(json_t *target, json_t *patch)
{
        const char *key;
        json_t *value;
        json_object_foreach(patch, key, value) {
                if (json_is_null(value)) {
                        (void)json_object_del(target, key);
                } else if (!json_is_object(value)) {
                        (void)json_object_set_new(target, key, json_deep_copy(value));
                } else {
                        if (!json_is_object(json_object_get(target, key)))
                                (void)json_object_set_new(target, key, json_object());
                        tk_json_merge(json_object_get(target, key), value);
                }
        }
}
