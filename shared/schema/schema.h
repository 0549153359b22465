/* SPDX-License-Identifier: MIT */
/* schema/schema.h: JSON Schema, draft 2020-12: compiled once, checked often. Pure: no I/O, nothing is fetched.
 * Known: all of core, applicator, unevaluated and validation; `format` and the content keywords are annotations, as the draft has them;
 * list-valued `items` with `additionalItems`, and `dependencies`, of older drafts. Refused when compiling: references to other documents, `$id` below
 * the root, dynamic references, patterns that PCRE2 does not take, keywords of the wrong type, schemas that refer to themselves without going
 * deeper into the value, and more than the limits below. A check stops after so many steps: bad schema and bad value together cost milliseconds. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include <jansson.h>
#include <stdbool.h>

enum {
        TK_SCHEMA_NODES_MAX = 4096,      /* schemas within a schema */
        TK_SCHEMA_DEPTH_MAX = 64,        /* schemas in a row that look at the same value */
        TK_SCHEMA_PATTERN_MAX = 4096,    /* bytes of a regular expression */
        TK_SCHEMA_STEPS_MAX = 1000000,   /* of one check: schemas applied, values compared */
        TK_SCHEMA_ERRORS_MAX = 10,       /* told of one check */
        TK_SCHEMA_POINTER_MAX = 512,
};

struct tk_schema;
/* The schema keeps references to the document. Failing, err has the text and ret_pointer (of TK_SCHEMA_POINTER_MAX; may be NULL) where in the
 * document. 0 or -EINVAL. */
TK_MUST int tk_schema_compile(const json_t *document, struct tk_schema **ret, char *ret_pointer, struct tk_err *err);
struct tk_schema *tk_schema_ref(struct tk_schema *schema); /* one more owner; NULL is fine; any thread */
struct tk_schema *tk_schema_free(struct tk_schema *schema); /* gives one back; returns NULL */
TK_DEFINE_CLEANUP(struct tk_schema *, tk_schema_free);
/* True: the value fits. Else err has up to TK_SCHEMA_ERRORS_MAX errors, "/path: what is wrong; …", and how many more there are. Any thread. */
TK_MUST bool tk_schema_check(const struct tk_schema *schema, const json_t *value, struct tk_err *err);
