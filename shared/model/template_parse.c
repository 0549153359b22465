/* SPDX-License-Identifier: MIT */
/* model/template_parse.c: the two ways in, and what belongs to the whole document. */
#include "base/mem.h"
#include "crypto/sha256.h"
#include "json/json.h"
#include "model/template_internal.h"
#include <errno.h>

enum { ARENA_BLOCK = 64 * 1024, CANONICAL_MAX = 64 * 1024 * 1024 };
#define ARENA_MAX ((size_t)512 << 20)

static int finish(struct tk_template_source *src, struct tk_template *tpl, const json_t *raw,
                  const char *environment, struct tk_err *err)
{
        TK_AUTOBUF struct tk_buf canonical = {.max = CANONICAL_MAX};
        int r = tk_template_normalise(src, raw, &tpl->body, err);
        if (!r && environment)
                r = tk_template_apply_environment(src, tpl->body, environment, err);
        if (!r)
                r = tk_template_build(src, tpl, err);
        if (!r)
                r = tk_template_graph(src, tpl, err);
        if (!r)
                r = tk_template_check(src, tpl, err);
        if (!r)
                r = tk_template_schemas(src, tpl, err);
        if (r)
                return r;
        tpl->warnings = src->warnings;
        tpl->warnings_n = src->warnings_n;
        tk_template_canonical(tpl, &canonical);
        if (tk_buf_failed(&canonical))
                return tk_template_fail(src, err, "", "the document is larger than 64 MiB in canonical form");
        tk_sha256_hex(canonical.data, canonical.len, tpl->digest);
        return 0;
}

static int parse(const char *file, const struct tk_yaml_tree *tree, const json_t *raw, const char *environment,
                 struct tk_template **ret, struct tk_err *err)
{
        struct tk_template *tpl = TK_NEW(struct tk_template);
        tpl->arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        struct tk_template_source src = {.file = file, .tree = tree, .arena = tpl->arena};
        int r = finish(&src, tpl, raw, environment, err);
        if (r) {
                tk_template_free(tpl);
                return r;
        }
        *ret = tpl;
        return 0;
}

int tk_template_parse_yaml(const char *file, const void *yaml, size_t len, const char *environment,
                           struct tk_template **ret, struct tk_err *err)
{
        TK_CLEANUP(tk_yaml_free) struct tk_yaml_tree *tree = NULL;
        if (len > TK_TEMPLATE_BYTES_MAX)
                return TK_ERR(err, -EFBIG, "%s: a template may have %d bytes, found %zu", file, TK_TEMPLATE_BYTES_MAX, len);
        int r = tk_yaml_parse(file, yaml, len, &tree, err);
        return r ? r : parse(file, tree, tk_yaml_root(tree), environment, ret, err);
}

int tk_template_parse_json(const void *json, size_t len, struct tk_template **ret, struct tk_err *err)
{
        static const struct tk_json_limits limits = {CANONICAL_MAX, TK_YAML_DEPTH_MAX, TK_YAML_NODES_MAX,
                                                     TK_TEMPLATE_BYTES_MAX};
        TK_AUTOJSON json_t *raw = NULL;
        int r = tk_json_read(json, len, &limits, &raw, err);
        return r ? -EINVAL : parse("stored template", NULL, raw, NULL, ret, err);
}
