/* SPDX-License-Identifier: MIT */
/* schema/internal.h: a schema as a graph of nodes, one per subschema (compile.c, keywords.c), and the walk over it (check.c). */
#pragma once
#include "base/arena.h"
#include "base/map.h"
#include "schema/schema.h"
#include <stddef.h>
#include <stdint.h>

enum tk_schema_type { S_NULL = 1, S_BOOLEAN = 2, S_INTEGER = 4, S_NUMBER = 8, S_STRING = 16, S_ARRAY = 32, S_OBJECT = 64 };
enum { NO_MAX = -1 };

struct pattern;
struct node;
struct named {
        const char *name;
        struct node *node;
};
struct patterned {
        struct pattern *pattern;
        struct node *node;
};
struct nodes {
        struct node **list;
        size_t n;
};
struct node {
        bool never;                           /* the schema false */
        uint8_t types;                        /* of tk_schema_type; 0: any */
        uint8_t mark;                         /* of compile's search for circles */
        const json_t *values, *value;         /* enum, const; NULL: none */
        const json_t *minimum, *maximum, *above, *below, *multiple_of;
        int64_t min_length, max_length, min_items, max_items, min_properties, max_properties, min_contains, max_contains;
        struct pattern *pattern;
        const json_t *required, *required_with; /* array of names; object of such arrays */
        struct tk_map *properties;            /* name → struct node; NULL: none */
        struct patterned *patterns;
        struct named *schemas_with;           /* dependentSchemas */
        size_t patterns_n, schemas_with_n;
        struct nodes prefix, all, any, one;
        struct node *additional, *names, *unevaluated_properties, *items, *contains, *unevaluated_items;
        struct node *negated, *when, *then, *otherwise, *ref;
        bool unique;
};
struct tk_schema {
        _Atomic unsigned owners;
        json_t *document;
        struct tk_arena *arena;
        struct node *root;
        struct tk_map *nodes;                 /* address of a json_t → its node, while compiling and to free */
        bool evaluates;                       /* some node asks what others looked at */
};

/* keywords.c: fills a node from a schema that is a map. */
struct compiling {
        struct tk_schema *schema;
        struct tk_map *anchors;               /* name → json_t */
        struct tk_err *err;
        char at[TK_SCHEMA_POINTER_MAX];
        size_t at_len;
        unsigned depth;
};
TK_MUST int schema_keywords(struct compiling *c, const json_t *document, struct node *node);
/* compile.c, for it. */
TK_MUST int schema_node(struct compiling *c, const json_t *document, struct node **ret);
TK_MUST int schema_reference(struct compiling *c, const char *to, struct node **ret);
TK_PRINTF(2, 3) int schema_wrong(struct compiling *c, const char *fmt, ...);
size_t schema_enter(struct compiling *c, const char *key); /* returns what schema_leave takes */
void schema_leave(struct compiling *c, size_t len);

/* pattern.c */
TK_MUST struct pattern *pattern_new(const char *text, size_t len, struct tk_err *err);
struct pattern *pattern_free(struct pattern *pattern);
enum { PATTERN_NO, PATTERN_YES, PATTERN_TOO_LONG };
TK_MUST int pattern_matches(const struct pattern *pattern, const char *text, size_t len);

/* value.c: numbers by value, 1 equals 1.0. */
unsigned value_types(const json_t *value);
TK_MUST int value_compare(const json_t *a, const json_t *b);      /* two numbers: <0, 0, >0 */
TK_MUST bool value_multiple(const json_t *value, const json_t *of);
TK_MUST bool value_equal(const json_t *a, const json_t *b, int64_t *steps);
TK_MUST size_t value_length(const json_t *string);                /* in code points */
TK_MUST bool value_unique(const json_t *array);

/* report.c: where the walk is, and what it found. */
struct place {
        const struct place *up;
        const char *key;                      /* NULL: the index */
        size_t index;
};
struct report {
        struct tk_err *err;
        size_t len;
        unsigned n;
};
TK_PRINTF(3, 4) bool report_add(struct report *report, const struct place *at, const char *fmt, ...); /* returns false; report NULL: nobody asks */
void report_end(struct report *report);
