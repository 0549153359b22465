/* SPDX-License-Identifier: MIT */
/* schema/check.c: the walk over a value and its schema. Where some node asks what others looked at (unevaluated…), each container has a byte per
 * member; a subschema's bytes count only where it fits. With nobody to tell (report NULL) the first mismatch ends a subschema. */
#include "base/mem.h"
#include "base/str.h"
#include "schema/internal.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH_MAX = 1000 };

struct walk {
        int64_t steps;
        unsigned depth;
        bool evaluates, endless;
};

static bool apply(struct walk *w, const struct node *node, const json_t *value, const struct place *at, struct report *report, uint8_t *seen);

static size_t size_of(const json_t *value)
{
        return json_is_array(value) ? json_array_size(value) : json_object_size(value);
}

static uint8_t *bytes_for(const struct walk *w, const json_t *value)
{
        return w->evaluates && size_of(value) ? tk_calloc(size_of(value), 1) : NULL;
}

/* A schema about a member: what it looked at there is nobody else's business. */
static bool below(struct walk *w, const struct node *node, const json_t *value, const struct place *at, struct report *report)
{
        TK_AUTOFREE uint8_t *seen = bytes_for(w, value);
        return apply(w, node, value, at, report, seen);
}

/* A schema about the same value. */
static bool beside(struct walk *w, const struct node *node, const json_t *value, const struct place *at, struct report *report, uint8_t *seen)
{
        TK_AUTOFREE uint8_t *own = bytes_for(w, value);
        bool fits = apply(w, node, value, at, report, own);
        for (size_t i = 0; fits && seen && own && i < size_of(value); i++)
                seen[i] |= own[i];
        return fits;
}

static const char *type_name(unsigned types)
{
        return types & S_NULL      ? "null"
               : types & S_BOOLEAN ? "boolean"
               : types & S_INTEGER ? "integer"
               : types & S_NUMBER  ? "number"
               : types & S_STRING  ? "string"
               : types & S_ARRAY   ? "array"
                                   : "object";
}

static bool wrong_type(const struct node *node, unsigned found, const struct place *at, struct report *report)
{
        char names[80] = "";
        for (unsigned bit = S_NULL; bit <= S_OBJECT; bit <<= 1)
                if (node->types & bit) {
                        size_t len = strlen(names);
                        snprintf(names + len, sizeof names - len, "%s%s", len ? " or " : "", type_name(bit));
                }
        return report_add(report, at, "must be %s, found %s", names, type_name(found));
}

static void shown(const json_t *value, char *ret, size_t size)
{
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        snprintf(ret, size, "%.60s%s", text ? text : "?", text && strlen(text) > 60 ? "…" : "");
        free(text);
}

static bool check_values(struct walk *w, const struct node *node, const json_t *value, const struct place *at, struct report *report)
{
        char text[80];
        size_t i;
        json_t *one;
        bool met = !node->values;
        if (node->value && !value_equal(value, node->value, &w->steps)) {
                shown(node->value, text, sizeof text);
                return report_add(report, at, "must be %s", text);
        }
        json_array_foreach((json_t *)(uintptr_t)node->values, i, one)
                met = met || value_equal(value, one, &w->steps);
        if (met)
                return true;
        shown(node->values, text, sizeof text);
        return report_add(report, at, "must be one of %s", text);
}

static bool check_number(const struct node *node, const json_t *value, const struct place *at, struct report *report)
{
        const struct {
                const json_t *limit;
                bool wrong;
                const char *says;
        } limits[] = {
                {node->minimum, node->minimum && value_compare(value, node->minimum) < 0, "must be at least"},
                {node->maximum, node->maximum && value_compare(value, node->maximum) > 0, "must be at most"},
                {node->above, node->above && value_compare(value, node->above) <= 0, "must be above"},
                {node->below, node->below && value_compare(value, node->below) >= 0, "must be below"},
                {node->multiple_of, node->multiple_of && !value_multiple(value, node->multiple_of), "must be a multiple of"},
        };
        bool fits = true;
        for (size_t i = 0; i < tk_countof(limits); i++)
                if (limits[i].wrong) {
                        char limit[80], found[80];
                        shown(limits[i].limit, limit, sizeof limit);
                        shown(value, found, sizeof found);
                        fits = report_add(report, at, "%s %s, found %s", limits[i].says, limit, found);
                }
        return fits;
}

static bool count(int64_t found, int64_t min, int64_t max, const char *what, const struct place *at, struct report *report)
{
        if (found < min)
                return report_add(report, at, "must have at least %lld %s, found %lld", (long long)min, what, (long long)found);
        if (max != NO_MAX && found > max)
                return report_add(report, at, "must have at most %lld %s, found %lld", (long long)max, what, (long long)found);
        return true;
}

static bool matches(struct walk *w, const struct pattern *pattern, const char *text, size_t len)
{
        int r = pattern_matches(pattern, text, len);
        w->endless |= r == PATTERN_TOO_LONG;
        return r == PATTERN_YES;
}

static bool check_string(struct walk *w, const struct node *node, const json_t *value, const struct place *at, struct report *report)
{
        bool fits = (!node->min_length && node->max_length == NO_MAX) ||
                    count((int64_t)value_length(value), node->min_length, node->max_length, "characters", at, report);
        if (node->pattern && !matches(w, node->pattern, json_string_value(value), json_string_length(value)))
                fits = report_add(report, at, "must match the pattern of its schema");
        return fits;
}

static bool check_contains(struct walk *w, const struct node *node, const json_t *value, const struct place *at, struct report *report, uint8_t *seen)
{
        int64_t met = 0;
        size_t i;
        json_t *item;
        json_array_foreach((json_t *)(uintptr_t)value, i, item)
                if (below(w, node->contains, item, NULL, NULL)) {
                        met++;
                        if (seen)
                                seen[i] = 1;
                }
        return count(met, node->min_contains, node->max_contains, "items that fit its schema's contains", at, report);
}

static bool check_array(struct walk *w, const struct node *node, const json_t *value, const struct place *at, struct report *report, uint8_t *seen)
{
        bool fits = count((int64_t)json_array_size(value), node->min_items, node->max_items, "items", at, report);
        size_t i;
        json_t *item;
        if (node->unique && !value_unique(value))
                fits = report_add(report, at, "must not have equal items");
        json_array_foreach((json_t *)(uintptr_t)value, i, item) {
                const struct place here = {.up = at, .index = i};
                const struct node *about = i < node->prefix.n ? node->prefix.list[i] : node->items;
                if (about)
                        fits = below(w, about, item, &here, report) && fits;
                if (about && seen)
                        seen[i] = 1;
                if (!fits && !report)
                        return false;
        }
        return (!node->contains || check_contains(w, node, value, at, report, seen)) && fits;
}

static bool check_member(struct walk *w, const struct node *node, const char *key, const json_t *value, const struct place *at,
                         struct report *report, bool *known)
{
        const struct node *about = node->properties ? tk_map_gets(node->properties, key) : NULL;
        bool fits = !about || below(w, about, value, at, report);
        *known = about;
        for (size_t i = 0; i < node->patterns_n; i++)
                if (matches(w, node->patterns[i].pattern, key, strlen(key))) {
                        *known = true;
                        fits = below(w, node->patterns[i].node, value, at, report) && fits;
                }
        if (*known || !node->additional)
                return fits;
        *known = true;
        if (node->additional->never)
                return report_add(report, at, "is not a key its schema knows");
        return below(w, node->additional, value, at, report) && fits;
}

static bool check_names(const struct node *node, const json_t *value, const struct place *at, struct report *report)
{
        const char *key;
        json_t *names, *name;
        size_t i;
        bool fits = true;
        json_array_foreach((json_t *)(uintptr_t)node->required, i, name)
                if (!json_object_get(value, json_string_value(name)))
                        fits = report_add(report, at, "'%.100s' is missing", json_string_value(name));
        json_object_foreach((json_t *)(uintptr_t)node->required_with, key, names) {
                if (!json_object_get(value, key))
                        continue;
                json_array_foreach(names, i, name) /* nothing, where it is a schema */
                        if (!json_object_get(value, json_string_value(name)))
                                fits = report_add(report, at, "'%.100s' is missing beside '%.60s'", json_string_value(name), key);
        }
        return fits;
}

static bool check_object(struct walk *w, const struct node *node, const json_t *value, const struct place *at, struct report *report, uint8_t *seen)
{
        bool fits = count((int64_t)json_object_size(value), node->min_properties, node->max_properties, "keys", at, report);
        const char *key;
        json_t *member;
        size_t i = 0;
        fits = check_names(node, value, at, report) && fits;
        json_object_foreach((json_t *)(uintptr_t)value, key, member) {
                const struct place here = {.up = at, .key = key};
                bool known;
                fits = check_member(w, node, key, member, &here, report, &known) && fits;
                if (seen)
                        seen[i] |= known;
                i++;
                if (node->names) {
                        json_t *name = json_string(key);
                        if (!below(w, node->names, name, NULL, NULL))
                                fits = report_add(report, at, "the key '%.60s' does not fit its schema's propertyNames", key);
                        json_decref(name);
                }
                if (!fits && !report)
                        return false;
        }
        return fits;
}

static bool check_any(struct walk *w, const struct nodes *nodes, unsigned most, const char *name, const json_t *value, const struct place *at,
                      struct report *report, uint8_t *seen)
{
        unsigned met = 0;
        for (size_t i = 0; i < nodes->n && (met <= most || seen); i++)
                met += beside(w, nodes->list[i], value, at, NULL, seen);
        if (met > most)
                return report_add(report, at, "fits more than one of the %zu schemas of %s", nodes->n, name);
        return met || report_add(report, at, "fits none of the %zu schemas of %s", nodes->n, name);
}

static bool check_beside(struct walk *w, const struct node *node, const json_t *value, const struct place *at, struct report *report, uint8_t *seen)
{
        bool fits = !node->ref || beside(w, node->ref, value, at, report, seen);
        for (size_t i = 0; i < node->all.n; i++)
                fits = beside(w, node->all.list[i], value, at, report, seen) && fits;
        if (node->any.n)
                fits = check_any(w, &node->any, (unsigned)node->any.n, "anyOf", value, at, report, seen) && fits;
        if (node->one.n)
                fits = check_any(w, &node->one, 1, "oneOf", value, at, report, seen) && fits;
        if (node->negated && beside(w, node->negated, value, at, NULL, NULL))
                fits = report_add(report, at, "fits a schema it must not fit (not)");
        if (node->when) {
                const struct node *next = beside(w, node->when, value, at, NULL, seen) ? node->then : node->otherwise;
                fits = (!next || beside(w, next, value, at, report, seen)) && fits;
        }
        for (size_t i = 0; i < node->schemas_with_n; i++)
                if (json_object_get(value, node->schemas_with[i].name))
                        fits = beside(w, node->schemas_with[i].node, value, at, report, seen) && fits;
        return fits;
}

/* Last: what nothing beside it looked at. */
static bool check_rest(struct walk *w, const struct node *node, const json_t *value, const struct place *at, struct report *report, uint8_t *seen)
{
        const struct node *about = json_is_array(value) ? node->unevaluated_items : node->unevaluated_properties;
        const char *key = NULL;
        json_t *member;
        bool fits = true;
        size_t i = 0;
        void *iter = json_object_iter((json_t *)(uintptr_t)value);
        for (; about && i < size_of(value); i++) {
                member = json_is_array(value) ? json_array_get(value, i) : json_object_iter_value(iter);
                key = json_is_array(value) ? NULL : json_object_iter_key(iter);
                const struct place here = {.up = at, .key = key, .index = i};
                if (!seen[i] && about->never)
                        fits = report_add(report, &here, "is not a %s its schema knows", key ? "key" : "item");
                else if (!seen[i])
                        fits = below(w, about, member, &here, report) && fits;
                seen[i] = 1;
                iter = key ? json_object_iter_next((json_t *)(uintptr_t)value, iter) : NULL;
        }
        return fits;
}

static bool apply(struct walk *w, const struct node *node, const json_t *value, const struct place *at, struct report *report, uint8_t *seen)
{
        unsigned types = value_types(value);
        if (--w->steps < 0 || w->endless)
                return false;
        if (node->never)
                return report_add(report, at, "must not be there");
        if (node->types && !(node->types & types))
                return wrong_type(node, types, at, report);
        if (w->depth >= DEPTH_MAX) {
                w->endless = true;
                return false;
        }
        w->depth++;
        bool fits = check_values(w, node, value, at, report);
        if (types & S_NUMBER)
                fits = check_number(node, value, at, report) && fits;
        else if (types & S_STRING)
                fits = check_string(w, node, value, at, report) && fits;
        else if (types & S_ARRAY)
                fits = check_array(w, node, value, at, report, seen) && fits;
        else if (types & S_OBJECT)
                fits = check_object(w, node, value, at, report, seen) && fits;
        if (fits || report)
                fits = check_beside(w, node, value, at, report, seen) && fits;
        if (seen && (fits || report))
                fits = check_rest(w, node, value, at, report, seen) && fits;
        w->depth--;
        return fits;
}

bool tk_schema_check(const struct tk_schema *schema, const json_t *value, struct tk_err *err)
{
        struct walk walk = {.steps = TK_SCHEMA_STEPS_MAX, .evaluates = schema->evaluates};
        struct report report = {.err = err};
        if (err)
                *err = (struct tk_err){0};
        bool fits = below(&walk, schema->root, value, NULL, &report);
        if (walk.steps < 0 || walk.endless) {
                (void)TK_ERR(err, -E2BIG, "/: checking it against its schema takes more than %d steps, or a regular expression too long",
                             TK_SCHEMA_STEPS_MAX);
                return false;
        }
        if (!fits)
                report_end(&report);
        return fits;
}
