/* SPDX-License-Identifier: MIT */
/* model/template_parse.c: the two ways in, and what belongs to the whole document. */
#include "base/mem.h"
#include "base/str.h"
#include "crypto/sha256.h"
#include "json/json.h"
#include "model/template_internal.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { ARENA_BLOCK = 64 * 1024, WARNINGS_MAX = 200, MESSAGE_MAX = 400, CANONICAL_MAX = 64 * 1024 * 1024 };
#define ARENA_MAX ((size_t)512 << 20)

static void locate(const struct tk_template_source *src, const char *pointer, char *ret, size_t size)
{
        struct tk_yaml_place place = {0, 0};
        if (src->tree)
                place = tk_yaml_place(src->tree, pointer);
        if (place.line)
                snprintf(ret, size, "%s:%u:%u", src->file, place.line, place.column);
        else
                snprintf(ret, size, "%s: %s", src->file, *pointer ? pointer : "/");
}

int tk_template_fail(const struct tk_template_source *src, struct tk_err *err, const char *pointer, const char *fmt, ...)
{
        char where[MESSAGE_MAX], what[MESSAGE_MAX];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(what, sizeof what, fmt, ap);
        va_end(ap);
        locate(src, pointer, where, sizeof where);
        return TK_ERR(err, -EINVAL, "%s: %s", where, what);
}

void tk_template_warn(struct tk_template_source *src, const char *pointer, const char *fmt, ...)
{
        char where[MESSAGE_MAX], what[MESSAGE_MAX];
        if (!src->warnings)
                src->warnings = TK_ARENA_ARRAY(src->arena, char *, WARNINGS_MAX);
        if (src->warnings_n == WARNINGS_MAX)
                return;
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(what, sizeof what, fmt, ap);
        va_end(ap);
        locate(src, pointer, where, sizeof where);
        src->warnings[src->warnings_n++] = tk_arena_printf(src->arena, "%s: %s", where, what);
}

void tk_template_canonical(const struct tk_template *tpl, struct tk_buf *buf)
{
        tk_json_canonical(tpl->body, buf);
}

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

struct tk_template *tk_template_free(struct tk_template *tpl)
{
        if (!tpl)
                return NULL;
        for (uint32_t i = 0; i < tpl->steps_n; i++) {
                tk_schema_free(tpl->steps[i].result_schema);
                for (uint32_t k = 0; k < tpl->steps[i].events_n; k++)
                        tk_schema_free(tpl->steps[i].events[k].schema);
        }
        tk_schema_free(tpl->input_schema);
        json_decref(tpl->body);
        tk_arena_free(tpl->arena);
        return tk_free(tpl);
}

int tk_template_step_find(const struct tk_template *tpl, const char *name)
{
        for (uint32_t i = 0; i < tpl->steps_n; i++)
                if (tk_streq(tpl->steps[i].name, name))
                        return (int)i;
        return -1;
}
