/* SPDX-License-Identifier: MIT */
/* cache/core/key.c: see the header. */
#include "cache/core/key.h"
#include "base/str.h"
#include <errno.h>
#include <stdio.h>

enum { DIGEST_LEN = 64 };

static bool part_ok(const char *part, size_t min)
{
        size_t len = strlen(part);
        if (len < min || len > CACHE_PART_MAX)
                return false;
        for (const char *c = part; *c; c++)
                if (*c == '/' || (unsigned char)*c < 0x20)
                        return false;
        return true;
}

/* prefix:a/b/c. The parts were checked: the text has room. */
static int make(struct cache_key *key, enum cache_key_kind kind, const char *prefix, const char *const *parts, size_t n)
{
        size_t len = (size_t)snprintf(key->text, sizeof key->text, "%s", prefix);
        key->kind = kind;
        for (size_t i = 0; i < n; i++) {
                len += (size_t)snprintf(key->text + len, sizeof key->text - len, "%s%s", i ? "/" : "", parts[i]);
                (void)tk_str_copy(key->parts[i], sizeof key->parts[i], parts[i]);
        }
        return 0;
}

int cache_key_named(struct cache_key *key, const char *ns, const char *name, const char *version)
{
        if (!part_ok(ns, 1) || !part_ok(name, 1) || !part_ok(version, 0))
                return -EINVAL;
        return make(key, CACHE_NAMED, "named:", (const char *[]){ns, name, version}, 3);
}

int cache_key_template(struct cache_key *key, const char *digest)
{
        if (strlen(digest) != DIGEST_LEN || strspn(digest, "0123456789abcdef") != DIGEST_LEN)
                return -EINVAL;
        return make(key, CACHE_TEMPLATE, "template:", (const char *[]){digest}, 1);
}

int cache_key_list(struct cache_key *key, const char *ns)
{
        if (!part_ok(ns, 0))
                return -EINVAL;
        return make(key, CACHE_LIST, "list:", (const char *[]){ns}, 1);
}

int cache_key_dependents(const char *ns, const char *name, const char *version, struct cache_key ret[CACHE_DEPENDENTS])
{
        if (cache_key_named(&ret[0], ns, name, version) || cache_key_named(&ret[1], ns, name, "") ||
            cache_key_list(&ret[2], ns) || cache_key_list(&ret[3], ""))
                return -EINVAL;
        return 0;
}
