/* SPDX-License-Identifier: MIT */
/* cache/core/key.h: what an entry is about, as one text that serves as key in memory, in flights and (prefixed) in Redis:
 *     named:<namespace>/<name>/<version>   version empty: the newest
 *     template:<digest>
 *     list:<namespace>                     empty: all
 * A key that starts with "template:" names something that never changes; all others may be invalidated. Pure. */
#pragma once
#include "base/attr.h"
#include <stdbool.h>
#include <stddef.h>

enum { CACHE_KEY_MAX = 512, CACHE_PART_MAX = 128 };
#define CACHE_REDIS_PREFIX "tasker:v1:"

enum cache_key_kind { CACHE_NAMED, CACHE_TEMPLATE, CACHE_LIST };
struct cache_key {
        enum cache_key_kind kind;
        char text[CACHE_KEY_MAX];
        char parts[3][CACHE_PART_MAX + 1]; /* namespace, name, version | digest | namespace */
};
/* 0, or -EINVAL when a part is too long or holds a '/' or a control character (version may be empty, and namespace of a list). */
TK_MUST int cache_key_named(struct cache_key *key, const char *ns, const char *name, const char *version);
TK_MUST int cache_key_template(struct cache_key *key, const char *digest);
TK_MUST int cache_key_list(struct cache_key *key, const char *ns);
static inline bool cache_key_changes(const struct cache_key *key) { return key->kind != CACHE_TEMPLATE; }

/* All keys whose value may depend on this version: itself, the newest of its name, and two lists. */
enum { CACHE_DEPENDENTS = 4 };
TK_MUST int cache_key_dependents(const char *ns, const char *name, const char *version,
                                 struct cache_key ret[CACHE_DEPENDENTS]);
