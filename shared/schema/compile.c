/* SPDX-License-Identifier: MIT */
/* schema/compile.c: a document as nodes: one per subschema, made where a keyword or a reference first leads to it. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "schema/internal.h"
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BLOCK = 16 * 1024, KEY_MAX = 1024, LEVELS_MAX = 256 /* references followed included */ };
#define ARENA_MAX ((size_t)64 << 20)

int schema_wrong(struct compiling *c, const char *fmt, ...)
{
        char text[256];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        return TK_ERR(c->err, -EINVAL, "%s", text);
}

size_t schema_enter(struct compiling *c, const char *key)
{
        size_t before = c->at_len;
        int n = snprintf(c->at + before, sizeof c->at - before, "/%s", key);
        c->at_len = before + (size_t)n < sizeof c->at ? before + (size_t)n : sizeof c->at - 1;
        return before;
}

void schema_leave(struct compiling *c, size_t len)
{
        c->at_len = len;
        c->at[len] = '\0';
}

int schema_node(struct compiling *c, const json_t *document, struct node **ret)
{
        struct node *node = tk_map_get(c->schema->nodes, &document, sizeof document);
        *ret = node;
        if (node)
                return 0;
        if (!json_is_object(document) && !json_is_boolean(document))
                return schema_wrong(c, "a schema must be a map, true or false");
        if (tk_map_count(c->schema->nodes) >= TK_SCHEMA_NODES_MAX)
                return schema_wrong(c, "a schema may hold %d schemas, this one holds more", TK_SCHEMA_NODES_MAX);
        if (c->depth >= LEVELS_MAX)
                return schema_wrong(c, "a schema may have %d levels with its references, this one has more", LEVELS_MAX);
        *ret = node = TK_ARENA_NEW(c->schema->arena, struct node);
        tk_map_put(c->schema->nodes, &document, sizeof document, node);
        node->never = json_is_false(document);
        node->min_contains = 1;
        node->max_length = node->max_items = node->max_properties = node->max_contains = NO_MAX;
        c->depth++;
        int r = json_is_object(document) ? schema_keywords(c, document, node) : 0;
        c->depth--;
        return r;
}

/* One token of a JSON pointer in a URI fragment. */
static bool token(const char **at, char ret[KEY_MAX])
{
        size_t n = 0;
        for (++*at; **at && **at != '/'; ++*at) {
                char ch = **at;
                if (n + 1 >= KEY_MAX)
                        return false;
                if (ch == '%' && (*at)[1] && (*at)[2]) {
                        char hex[3] = {(*at)[1], (*at)[2], '\0'};
                        ch = (char)strtoul(hex, NULL, 16);
                        *at += 2;
                }
                if (ch == '~' && ((*at)[1] == '0' || (*at)[1] == '1'))
                        ch = *++*at == '0' ? '~' : '/';
                ret[n++] = ch;
        }
        ret[n] = '\0';
        return true;
}

static const json_t *follow(const json_t *value, const char *pointer)
{
        char key[KEY_MAX], *end;
        while (*pointer && value) {
                if (*pointer != '/' || !token(&pointer, key))
                        return NULL;
                if (json_is_array(value)) {
                        unsigned long index = strtoul(key, &end, 10);
                        value = *end ? NULL : json_array_get(value, index);
                } else {
                        value = json_object_get(value, key);
                }
        }
        return value;
}

int schema_reference(struct compiling *c, const char *to, struct node **ret)
{
        const char *id = json_string_value(json_object_get(c->schema->document, "$id")), *fragment = to;
        if (id && *id && tk_str_starts(to, id))
                fragment = to + strlen(id);
        if (*fragment && *fragment != '#')
                return schema_wrong(c, "$ref '%.100s' leads out of this schema; nothing is fetched", to);
        fragment += *fragment == '#';
        const json_t *target = !*fragment || *fragment == '/' ? follow(c->schema->document, fragment) : tk_map_gets(c->anchors, fragment);
        if (!target)
                return schema_wrong(c, "$ref '%.100s' leads nowhere", to);
        return schema_node(c, target, ret);
}

/* Anchors are known before references are followed. */
static int find_anchors(struct compiling *c, const json_t *value, unsigned depth)
{
        const char *key;
        json_t *member;
        size_t i;
        int r = 0;
        if (depth > LEVELS_MAX)
                return schema_wrong(c, "a schema may have %d levels, this one has more", LEVELS_MAX);
        json_array_foreach((json_t *)(uintptr_t)value, i, member)
                if (!r)
                        r = find_anchors(c, member, depth + 1);
        const char *anchor = json_string_value(json_object_get(value, "$anchor"));
        if (anchor && tk_map_puts(c->anchors, anchor, (void *)(uintptr_t)value))
                return schema_wrong(c, "$anchor '%.100s' is there twice", anchor);
        json_object_foreach((json_t *)(uintptr_t)value, key, member)
                if (!r && !tk_streq(key, "enum") && !tk_streq(key, "const"))
                        r = find_anchors(c, member, depth + 1);
        return r;
}

/* Schemas that look at the same value as this one must not come back to it: the walk would never end. */
static bool circles(struct node *node, unsigned depth)
{
        enum { NEW, ENTERED, DONE };
        if (!node || node->mark == DONE)
                return false;
        if (node->mark == ENTERED || depth > TK_SCHEMA_DEPTH_MAX)
                return true;
        node->mark = ENTERED;
        struct node *single[] = {node->negated, node->when, node->then, node->otherwise, node->ref};
        const struct nodes *many[] = {&node->all, &node->any, &node->one};
        bool found = false;
        for (size_t i = 0; i < tk_countof(single); i++)
                found = found || circles(single[i], depth + 1);
        for (size_t i = 0; i < tk_countof(many); i++)
                for (size_t k = 0; k < many[i]->n; k++)
                        found = found || circles(many[i]->list[k], depth + 1);
        for (size_t i = 0; i < node->schemas_with_n; i++)
                found = found || circles(node->schemas_with[i].node, depth + 1);
        node->mark = DONE;
        return found;
}

static bool any_circle(struct tk_schema *schema)
{
        const void *key;
        size_t len;
        void *node;
        for (size_t at = 0; tk_map_next(schema->nodes, &at, &key, &len, &node);)
                if (circles(node, 0))
                        return true;
        return false;
}

int tk_schema_compile(const json_t *document, struct tk_schema **ret, char *ret_pointer, struct tk_err *err)
{
        struct tk_err unused;
        TK_CLEANUP(tk_map_free) struct tk_map *anchors = tk_map_new();
        TK_CLEANUP(tk_schema_free) struct tk_schema *schema = TK_NEW(struct tk_schema);
        struct compiling c = {.schema = schema, .anchors = anchors, .err = err ? err : &unused};
        atomic_store(&schema->owners, 1);
        schema->document = json_incref((json_t *)(uintptr_t)document);
        schema->arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        schema->nodes = tk_map_new();
        int r = find_anchors(&c, document, 0);
        if (!r)
                r = schema_node(&c, document, &schema->root);
        if (!r && any_circle(schema))
                r = schema_wrong(&c, "the schema refers to itself without going deeper into the value, or by more than %d references in a row",
                                 TK_SCHEMA_DEPTH_MAX);
        if (ret_pointer)
                (void)tk_str_copy(ret_pointer, TK_SCHEMA_POINTER_MAX, c.at);
        if (r)
                return r;
        *ret = schema;
        schema = NULL;
        return 0;
}

struct tk_schema *tk_schema_ref(struct tk_schema *schema)
{
        if (schema)
                atomic_fetch_add(&schema->owners, 1);
        return schema;
}

struct tk_schema *tk_schema_free(struct tk_schema *schema)
{
        const void *key;
        size_t len;
        void *value;
        if (!schema || atomic_fetch_sub(&schema->owners, 1) > 1)
                return NULL;
        for (size_t at = 0; tk_map_next(schema->nodes, &at, &key, &len, &value);) {
                struct node *node = value;
                pattern_free(node->pattern);
                for (size_t i = 0; i < node->patterns_n; i++)
                        pattern_free(node->patterns[i].pattern);
                tk_map_free(node->properties);
        }
        tk_map_free(schema->nodes);
        tk_arena_free(schema->arena);
        json_decref(schema->document);
        return tk_free(schema);
}
