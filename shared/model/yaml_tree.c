/* SPDX-License-Identifier: MIT */
/* model/yaml_tree.c: see the header. A recursive descent over libyaml's events. */
#include "model/yaml_tree.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <yaml.h>

enum { POINTER_MAX = 4096 };

struct anchor {
        json_t *value; /* borrowed from the tree */
        size_t nodes;
};

struct tk_yaml_tree {
        const char *file;
        json_t *root;
        struct tk_map *places;  /* pointer → struct tk_yaml_place */
        struct tk_map *anchors; /* name → struct anchor */
        yaml_parser_t parser;
        struct tk_buf pointer;  /* of the value being read */
        unsigned depth;
        size_t nodes;
        struct tk_err *err;
};

static int fail(struct tk_yaml_tree *t, yaml_mark_t mark, const char *what)
{
        return TK_ERR(t->err, -EINVAL, "%s:%zu:%zu: %s", t->file, mark.line + 1, mark.column + 1, what);
}

static int next(struct tk_yaml_tree *t, yaml_event_t *event)
{
        if (yaml_parser_parse(&t->parser, event))
                return 0;
        const yaml_parser_t *p = &t->parser;
        yaml_mark_t mark = p->problem_mark;
        if (p->error == YAML_READER_ERROR)
                return TK_ERR(t->err, -EINVAL, "%s: byte %zu: %s", t->file, p->problem_offset,
                              p->problem ? p->problem : "not UTF-8");
        return fail(t, mark, p->problem ? p->problem : "malformed YAML");
}

static void remember_place(struct tk_yaml_tree *t, yaml_mark_t mark)
{
        struct tk_yaml_place *place = TK_NEW(struct tk_yaml_place);
        *place = (struct tk_yaml_place){(unsigned)mark.line + 1, (unsigned)mark.column + 1};
        tk_free(tk_map_put(t->places, tk_buf_str(&t->pointer), t->pointer.len, place));
}

static void remember_anchor(struct tk_yaml_tree *t, const yaml_char_t *name, json_t *value, size_t nodes)
{
        if (!name)
                return;
        struct anchor *anchor = TK_NEW(struct anchor);
        *anchor = (struct anchor){value, nodes};
        tk_free(tk_map_puts(t->anchors, (const char *)name, anchor));
}

static bool is_integer(const char *text)
{
        text += *text == '-' || *text == '+';
        if (!*text)
                return false;
        return text[strspn(text, "0123456789")] == '\0';
}

static bool is_float(const char *text)
{
        return *text && text[strspn(text, "0123456789+-.eE")] == '\0' && strpbrk(text, "0123456789") &&
               strpbrk(text, ".eE") && (isdigit((unsigned char)*text) || strchr("+-.", *text));
}

/* A plain scalar after YAML's core rules. NULL: a number out of range. */
static json_t *typed(const char *text, size_t len)
{
        static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
        static const char *const trues[] = {"true", "True", "TRUE"}, *const falses[] = {"false", "False", "FALSE"};
        int64_t integer;
        double real;
        for (size_t i = 0; i < tk_countof(nulls); i++)
                if (tk_streq(text, nulls[i]))
                        return json_null();
        for (size_t i = 0; i < tk_countof(trues); i++) {
                if (tk_streq(text, trues[i]))
                        return json_true();
                if (tk_streq(text, falses[i]))
                        return json_false();
        }
        if (is_integer(text))
                return tk_str_to_i64(*text == '+' ? text + 1 : text, INT64_MIN, INT64_MAX, &integer)
                               ? NULL
                               : json_integer(integer);
        if (is_float(text) && !tk_str_to_f64(text, &real))
                return isfinite(real) ? json_real(real) : NULL;
        return json_stringn(text, len);
}

static int scalar(struct tk_yaml_tree *t, const yaml_event_t *event, json_t **ret)
{
        const char *text = (const char *)event->data.scalar.value;
        size_t len = event->data.scalar.length;
        if (strlen(text) != len)
                return fail(t, event->start_mark, "a string holds a NUL character");
        bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !event->data.scalar.tag;
        *ret = plain ? typed(text, len) : json_stringn(text, len);
        if (!*ret)
                return fail(t, event->start_mark, plain ? "a number is out of range" : "a string is not valid UTF-8");
        remember_anchor(t, event->data.scalar.anchor, *ret, 1);
        return 0;
}

static int value_of(struct tk_yaml_tree *t, yaml_event_t *event, json_t **ret);

/* Appends one segment to the pointer while a member is read; returns the old length. */
static size_t descend(struct tk_yaml_tree *t, const char *segment)
{
        size_t old = t->pointer.len;
        tk_buf_printf(&t->pointer, "/%s", segment);
        return old;
}

static void ascend(struct tk_yaml_tree *t, size_t old)
{
        if (t->pointer.data)
                t->pointer.data[old] = '\0';
        t->pointer.len = old;
        t->pointer.failed = false;
}

static int sequence(struct tk_yaml_tree *t, json_t **ret)
{
        json_t *list = json_array();
        *ret = list;
        for (size_t i = 0;; i++) {
                yaml_event_t event;
                char segment[24];
                json_t *item = NULL;
                int r = next(t, &event);
                if (r)
                        return r;
                if (event.type == YAML_SEQUENCE_END_EVENT) {
                        yaml_event_delete(&event);
                        return 0;
                }
                snprintf(segment, sizeof segment, "%zu", i);
                size_t old = descend(t, segment);
                r = value_of(t, &event, &item);
                yaml_event_delete(&event);
                ascend(t, old);
                if (item)
                        json_array_append_new(list, item);
                if (r)
                        return r;
        }
}

static int member(struct tk_yaml_tree *t, json_t *object, const yaml_event_t *key)
{
        const char *name = (const char *)key->data.scalar.value;
        yaml_event_t event;
        json_t *value = NULL;
        if (key->type != YAML_SCALAR_EVENT || strlen(name) != key->data.scalar.length)
                return fail(t, key->start_mark, "a key must be a plain string");
        if (json_object_get(object, name)) {
                char what[256];
                snprintf(what, sizeof what, "key '%.100s' stands here twice", name);
                return fail(t, key->start_mark, what);
        }
        int r = next(t, &event);
        if (r)
                return r;
        size_t old = descend(t, name);
        r = value_of(t, &event, &value);
        yaml_event_delete(&event);
        ascend(t, old);
        if (value && json_object_set_new(object, name, value) && !r)
                r = fail(t, key->start_mark, "a key is not valid UTF-8");
        return r;
}

static int mapping(struct tk_yaml_tree *t, json_t **ret)
{
        json_t *object = json_object();
        *ret = object;
        for (;;) {
                yaml_event_t key;
                int r = next(t, &key);
                if (r)
                        return r;
                bool end = key.type == YAML_MAPPING_END_EVENT;
                if (!end)
                        r = member(t, object, &key);
                yaml_event_delete(&key);
                if (end || r)
                        return r;
        }
}

static int alias(struct tk_yaml_tree *t, const yaml_event_t *event, json_t **ret)
{
        const struct anchor *anchor = tk_map_gets(t->anchors, (const char *)event->data.alias.anchor);
        if (!anchor)
                return fail(t, event->start_mark, "an alias names an anchor that does not stand before it");
        t->nodes += anchor->nodes;
        if (t->nodes > TK_YAML_NODES_MAX)
                return fail(t, event->start_mark, "the document stands for more than 1,000,000 values");
        *ret = json_deep_copy(anchor->value);
        return 0;
}

static int collection(struct tk_yaml_tree *t, const yaml_event_t *event, json_t **ret)
{
        size_t before = t->nodes;
        if (++t->depth > TK_YAML_DEPTH_MAX)
                return fail(t, event->start_mark, "nested deeper than 64 levels");
        bool list = event->type == YAML_SEQUENCE_START_EVENT;
        int r = list ? sequence(t, ret) : mapping(t, ret);
        t->depth--;
        if (!r)
                remember_anchor(t, list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor,
                                *ret, t->nodes - before + 1);
        return r;
}

/* Whatever is in *ret belongs to the caller, also after a failure. */
static int value_of(struct tk_yaml_tree *t, yaml_event_t *event, json_t **ret)
{
        remember_place(t, event->start_mark);
        if (++t->nodes > TK_YAML_NODES_MAX)
                return fail(t, event->start_mark, "more than 1,000,000 values");
        switch (event->type) {
        case YAML_SCALAR_EVENT:
                return scalar(t, event, ret);
        case YAML_ALIAS_EVENT:
                return alias(t, event, ret);
        case YAML_SEQUENCE_START_EVENT:
        case YAML_MAPPING_START_EVENT:
                return collection(t, event, ret);
        case YAML_NO_EVENT:
        case YAML_STREAM_START_EVENT:
        case YAML_STREAM_END_EVENT:
        case YAML_DOCUMENT_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
                break;
        }
        return fail(t, event->start_mark, "a value is missing");
}

/* Reads events up to one of this type. */
static int expect(struct tk_yaml_tree *t, yaml_event_type_t type, const char *otherwise)
{
        yaml_event_t event;
        int r = next(t, &event);
        if (r)
                return r;
        if (event.type != type)
                r = fail(t, event.start_mark, otherwise);
        yaml_event_delete(&event);
        return r;
}

static int document(struct tk_yaml_tree *t)
{
        yaml_event_t event;
        int r = expect(t, YAML_STREAM_START_EVENT, "not a YAML stream");
        if (!r)
                r = expect(t, YAML_DOCUMENT_START_EVENT, "the file is empty");
        if (!r)
                r = next(t, &event);
        if (r)
                return r;
        r = value_of(t, &event, &t->root);
        yaml_event_delete(&event);
        if (!r)
                r = expect(t, YAML_DOCUMENT_END_EVENT, "the document goes on");
        if (!r)
                r = expect(t, YAML_STREAM_END_EVENT, "a second document begins here; one file holds one template");
        return r;
}

static void free_values(struct tk_map *map)
{
        const void *key;
        size_t len;
        void *value;
        for (size_t at = 0; tk_map_next(map, &at, &key, &len, &value);)
                tk_free(value);
        tk_map_free(map);
}

int tk_yaml_parse(const char *file, const void *text, size_t len, struct tk_yaml_tree **ret, struct tk_err *err)
{
        struct tk_yaml_tree *t = TK_NEW(struct tk_yaml_tree);
        t->file = file;
        t->err = err;
        t->places = tk_map_new();
        t->anchors = tk_map_new();
        tk_buf_init(&t->pointer, POINTER_MAX);
        int r = yaml_parser_initialize(&t->parser) ? 0 : TK_ERR(err, -ENOMEM, "%s: no memory for a parser", file);
        if (!r) {
                yaml_parser_set_encoding(&t->parser, YAML_UTF8_ENCODING);
                yaml_parser_set_input_string(&t->parser, text ? text : (const void *)"", len); /* no bytes are no pointer; libyaml ends the process */
                r = document(t);
                yaml_parser_delete(&t->parser);
        }
        if (r) {
                tk_yaml_free(t);
                return r;
        }
        *ret = t;
        return 0;
}

struct tk_yaml_tree *tk_yaml_free(struct tk_yaml_tree *t)
{
        if (!t)
                return NULL;
        json_decref(t->root);
        free_values(t->places);
        free_values(t->anchors);
        tk_buf_deinit(&t->pointer);
        return tk_free(t);
}

json_t *tk_yaml_root(const struct tk_yaml_tree *t)
{
        return t->root;
}

struct tk_yaml_place tk_yaml_place(const struct tk_yaml_tree *t, const char *pointer)
{
        size_t len = strlen(pointer);
        for (;;) {
                const struct tk_yaml_place *place = tk_map_get(t->places, pointer, len);
                if (place)
                        return *place;
                while (len && pointer[len - 1] != '/')
                        len--;
                if (!len)
                        return (struct tk_yaml_place){0, 0};
                len--;
        }
}
