/* SPDX-License-Identifier: MIT */
/* schema/keywords.c: every keyword once: what it must be, and where it goes. Keywords nobody knows are annotations, as the draft has it. */
#include "base/str.h"
#include "schema/internal.h"
#include <errno.h>
#include <stdio.h>

enum kind { K_NODE, K_NODES, K_COUNT, K_NUMBER, K_NAMES, K_FLAG, K_ANY, K_OWN };

struct keyword {
        const char *name;
        enum kind kind;
        size_t at; /* in struct node */
        int (*own)(struct compiling *c, const json_t *value, struct node *node);
};

static int compile_into(struct compiling *c, const json_t *value, const char *key, struct node **ret)
{
        size_t before = schema_enter(c, key);
        int r = schema_node(c, value, ret);
        if (!r)
                schema_leave(c, before);
        return r;
}

static int compile_list(struct compiling *c, const json_t *value, struct nodes *ret)
{
        size_t i;
        json_t *item;
        int r = 0;
        if (!json_is_array(value) || !json_array_size(value))
                return schema_wrong(c, "must be a list of one or more schemas");
        ret->list = TK_ARENA_ARRAY(c->schema->arena, struct node *, json_array_size(value));
        json_array_foreach((json_t *)(uintptr_t)value, i, item) {
                char index[24];
                snprintf(index, sizeof index, "%zu", i);
                r = compile_into(c, item, index, &ret->list[ret->n++]);
                if (r)
                        return r;
        }
        return r;
}

static int names_list(struct compiling *c, const json_t *value)
{
        size_t i;
        json_t *item;
        if (!json_is_array(value))
                return schema_wrong(c, "must be a list of names");
        json_array_foreach((json_t *)(uintptr_t)value, i, item)
                if (!json_is_string(item))
                        return schema_wrong(c, "must be a list of names");
        return 0;
}

static struct pattern *compile_pattern(struct compiling *c, const char *text)
{
        if (strlen(text) <= TK_SCHEMA_PATTERN_MAX)
                return pattern_new(text, strlen(text), c->err);
        (void)schema_wrong(c, "a regular expression may have %d bytes, found %zu", TK_SCHEMA_PATTERN_MAX, strlen(text));
        return NULL;
}

static int own_type(struct compiling *c, const json_t *value, struct node *node)
{
        static const char *const names[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
        size_t n = json_is_array(value) ? json_array_size(value) : 1;
        for (size_t i = 0; i < n; i++) {
                const char *name = json_string_value(json_is_array(value) ? json_array_get(value, i) : value);
                size_t k = 0;
                while (k < tk_countof(names) && !tk_streq(names[k], name))
                        k++;
                if (k == tk_countof(names))
                        return schema_wrong(c, "type must be one or more of null, boolean, integer, number, string, array, object; found '%.60s'",
                                            name ? name : "something else");
                node->types |= (uint8_t)(1u << k);
        }
        return 0;
}

static int own_enum(struct compiling *c, const json_t *value, struct node *node)
{
        node->values = value;
        return json_is_array(value) ? 0 : schema_wrong(c, "enum must be a list of values");
}

static int own_pattern(struct compiling *c, const json_t *value, struct node *node)
{
        if (!json_is_string(value))
                return schema_wrong(c, "pattern must be a string");
        node->pattern = compile_pattern(c, json_string_value(value));
        return node->pattern ? 0 : -EINVAL;
}

static int own_properties(struct compiling *c, const json_t *value, struct node *node)
{
        const char *name;
        json_t *schema;
        if (!json_is_object(value))
                return schema_wrong(c, "must be a map of schemas");
        node->properties = tk_map_new();
        json_object_foreach((json_t *)(uintptr_t)value, name, schema) {
                struct node *found;
                int r = compile_into(c, schema, name, &found);
                if (r)
                        return r;
                tk_map_puts(node->properties, name, found);
        }
        return 0;
}

static int own_patterns(struct compiling *c, const json_t *value, struct node *node)
{
        const char *name;
        json_t *schema;
        if (!json_is_object(value))
                return schema_wrong(c, "must be a map of schemas");
        node->patterns = TK_ARENA_ARRAY(c->schema->arena, struct patterned, json_object_size(value) + 1);
        json_object_foreach((json_t *)(uintptr_t)value, name, schema) {
                struct patterned *to = &node->patterns[node->patterns_n];
                to->pattern = compile_pattern(c, name);
                if (!to->pattern)
                        return -EINVAL;
                node->patterns_n++;
                int r = compile_into(c, schema, name, &to->node);
                if (r)
                        return r;
        }
        return 0;
}

static int own_required_with(struct compiling *c, const json_t *value, struct node *node)
{
        const char *name;
        json_t *names;
        int r = 0;
        if (!json_is_object(value))
                return schema_wrong(c, "must be a map of lists of names");
        json_object_foreach((json_t *)(uintptr_t)value, name, names)
                if (!r)
                        r = names_list(c, names);
        node->required_with = value;
        return r;
}

static int add_schemas_with(struct compiling *c, const json_t *value, struct node *node)
{
        const char *name;
        json_t *schema;
        node->schemas_with = TK_ARENA_ARRAY(c->schema->arena, struct named, json_object_size(value) + 1);
        json_object_foreach((json_t *)(uintptr_t)value, name, schema) {
                if (json_is_array(schema))
                        continue;
                struct named *to = &node->schemas_with[node->schemas_with_n++];
                to->name = name;
                int r = compile_into(c, schema, name, &to->node);
                if (r)
                        return r;
        }
        return 0;
}

static int own_schemas_with(struct compiling *c, const json_t *value, struct node *node)
{
        const char *name;
        json_t *schema;
        if (!json_is_object(value))
                return schema_wrong(c, "must be a map of schemas");
        json_object_foreach((json_t *)(uintptr_t)value, name, schema)
                if (json_is_array(schema))
                        return schema_wrong(c, "must be a map of schemas, '%.60s' is a list", name);
        return add_schemas_with(c, value, node);
}

/* Of older drafts: both kinds in one map. */
static int own_dependencies(struct compiling *c, const json_t *value, struct node *node)
{
        const char *name;
        json_t *names;
        int r = 0;
        if (!json_is_object(value))
                return schema_wrong(c, "must be a map of lists of names or schemas");
        if (node->required_with || node->schemas_with)
                return schema_wrong(c, "dependencies and dependentRequired or dependentSchemas do not go together");
        json_object_foreach((json_t *)(uintptr_t)value, name, names)
                if (!r && json_is_array(names))
                        r = names_list(c, names);
        node->required_with = value;
        return r ? r : add_schemas_with(c, value, node);
}

static int own_items(struct compiling *c, const json_t *value, struct node *node)
{
        return json_is_array(value) ? compile_list(c, value, &node->prefix) : schema_node(c, value, &node->items);
}

static int own_multiple(struct compiling *c, const json_t *value, struct node *node)
{
        node->multiple_of = value;
        return json_is_number(value) && json_number_value(value) > 0 ? 0 : schema_wrong(c, "multipleOf must be a number above 0");
}

static int own_ref(struct compiling *c, const json_t *value, struct node *node)
{
        return json_is_string(value) ? schema_reference(c, json_string_value(value), &node->ref) : schema_wrong(c, "$ref must be a string");
}

static int own_dialect(struct compiling *c, const json_t *value, struct node *node)
{
        const char *text = json_string_value(value);
        (void)node;
        if (!text || !strstr(text, "json-schema.org/"))
                return schema_wrong(c, "$schema must be a draft of json-schema.org, found '%.100s'", text ? text : "something else");
        return 0;
}

static int own_id(struct compiling *c, const json_t *value, struct node *node)
{
        (void)node;
        if (c->depth > 1)
                return schema_wrong(c, "$id stands only at the root of a schema");
        return json_is_string(value) ? 0 : schema_wrong(c, "$id must be a string");
}

static int own_dynamic(struct compiling *c, const json_t *value, struct node *node)
{
        (void)value;
        (void)node;
        return schema_wrong(c, "dynamic references are not supported");
}

/* Compiled though nobody may refer to them: mistakes in them are mistakes. */
static int own_definitions(struct compiling *c, const json_t *value, struct node *node)
{
        const char *name;
        json_t *schema;
        struct node *found;
        (void)node;
        if (!json_is_object(value))
                return schema_wrong(c, "must be a map of schemas");
        json_object_foreach((json_t *)(uintptr_t)value, name, schema) {
                int r = compile_into(c, schema, name, &found);
                if (r)
                        return r;
        }
        return 0;
}

#define AT(member) offsetof(struct node, member)
static const struct keyword keywords[] = {
        {"$ref", K_OWN, 0, own_ref}, {"$schema", K_OWN, 0, own_dialect}, {"$id", K_OWN, 0, own_id},
        {"$dynamicRef", K_OWN, 0, own_dynamic}, {"$recursiveRef", K_OWN, 0, own_dynamic},
        {"$defs", K_OWN, 0, own_definitions}, {"definitions", K_OWN, 0, own_definitions},
        {"type", K_OWN, 0, own_type}, {"enum", K_OWN, 0, own_enum}, {"const", K_ANY, AT(value), NULL},
        {"minimum", K_NUMBER, AT(minimum), NULL}, {"maximum", K_NUMBER, AT(maximum), NULL},
        {"exclusiveMinimum", K_NUMBER, AT(above), NULL}, {"exclusiveMaximum", K_NUMBER, AT(below), NULL},
        {"multipleOf", K_OWN, 0, own_multiple}, {"pattern", K_OWN, 0, own_pattern},
        {"minLength", K_COUNT, AT(min_length), NULL}, {"maxLength", K_COUNT, AT(max_length), NULL},
        {"minItems", K_COUNT, AT(min_items), NULL}, {"maxItems", K_COUNT, AT(max_items), NULL},
        {"minProperties", K_COUNT, AT(min_properties), NULL}, {"maxProperties", K_COUNT, AT(max_properties), NULL},
        {"minContains", K_COUNT, AT(min_contains), NULL}, {"maxContains", K_COUNT, AT(max_contains), NULL},
        {"uniqueItems", K_FLAG, AT(unique), NULL}, {"required", K_NAMES, AT(required), NULL},
        {"properties", K_OWN, 0, own_properties}, {"patternProperties", K_OWN, 0, own_patterns},
        {"additionalProperties", K_NODE, AT(additional), NULL}, {"propertyNames", K_NODE, AT(names), NULL},
        {"unevaluatedProperties", K_NODE, AT(unevaluated_properties), NULL}, {"unevaluatedItems", K_NODE, AT(unevaluated_items), NULL},
        {"dependentRequired", K_OWN, 0, own_required_with}, {"dependentSchemas", K_OWN, 0, own_schemas_with},
        {"dependencies", K_OWN, 0, own_dependencies},
        {"prefixItems", K_NODES, AT(prefix), NULL}, {"items", K_OWN, 0, own_items}, {"contains", K_NODE, AT(contains), NULL},
        {"allOf", K_NODES, AT(all), NULL}, {"anyOf", K_NODES, AT(any), NULL}, {"oneOf", K_NODES, AT(one), NULL},
        {"not", K_NODE, AT(negated), NULL}, {"if", K_NODE, AT(when), NULL}, {"then", K_NODE, AT(then), NULL}, {"else", K_NODE, AT(otherwise), NULL},
};

static int take(struct compiling *c, const struct keyword *key, const json_t *value, struct node *node)
{
        void *to = (char *)node + key->at;
        switch (key->kind) {
        case K_NODE:
                return schema_node(c, value, to);
        case K_NODES:
                return compile_list(c, value, to);
        case K_COUNT:
                if (!(value_types(value) & S_INTEGER) || json_number_value(value) < 0 || json_number_value(value) > 1e15)
                        return schema_wrong(c, "%s must be a whole number of 0 or more", key->name);
                *(int64_t *)to = json_is_integer(value) ? json_integer_value(value) : (int64_t)json_real_value(value);
                return 0;
        case K_NUMBER:
                *(const json_t **)to = value;
                return json_is_number(value) ? 0 : schema_wrong(c, "%s must be a number", key->name);
        case K_NAMES:
                *(const json_t **)to = value;
                return names_list(c, value);
        case K_FLAG:
                *(bool *)to = json_is_true(value);
                return json_is_boolean(value) ? 0 : schema_wrong(c, "%s must be true or false", key->name);
        case K_ANY:
                *(const json_t **)to = value;
                return 0;
        case K_OWN:
                return key->own(c, value, node);
        }
        return 0;
}

int schema_keywords(struct compiling *c, const json_t *document, struct node *node)
{
        for (size_t i = 0; i < tk_countof(keywords); i++) {
                const json_t *value = json_object_get(document, keywords[i].name);
                if (!value)
                        continue;
                size_t before = schema_enter(c, keywords[i].name);
                int r = take(c, &keywords[i], value, node);
                if (r)
                        return r;
                schema_leave(c, before);
        }
        const json_t *more = json_object_get(document, "additionalItems"); /* of older drafts: what follows the list */
        if (more && json_is_array(json_object_get(document, "items"))) {
                int r = compile_into(c, more, "additionalItems", &node->items);
                if (r)
                        return r;
        }
        c->schema->evaluates |= node->unevaluated_items || node->unevaluated_properties;
        return 0;
}
