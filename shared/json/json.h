/* SPDX-License-Identifier: MIT */
/* json/json.h: jansson with bounds and messages that say where. This folder (and users of json_t values) may include
 * <jansson.h>; parsing of anything from outside goes through tk_json_parse. */
#pragma once
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include <jansson.h>
#include <stdbool.h>

struct tk_json_limits {
        size_t bytes_max, depth_max, entries_max /* per object or array */, string_max;
};
extern const struct tk_json_limits tk_json_limits_default; /* 1 MiB, 64, 10,000, 1 MiB */

enum { TK_JSON_OK, TK_JSON_E_SYNTAX, TK_JSON_E_LIMIT };
/* err text for E_SYNTAX: "line 3, column 17: …"; for E_LIMIT it names limit and what was found (JSON pointer).
 * Depth is checked before jansson sees the text. Refuses NUL (\u0000), invalid UTF-8, duplicate keys. */
TK_MUST int tk_json_parse(const char *text, size_t len, const struct tk_json_limits *limits, json_t **ret,
                          struct tk_err *err);
/* The same for what was JSON of ours before (canonical text, a jsonb column): there an integer beyond 64 bits was a floating point number when
 * it came, and is one again. From outside such an integer is refused, because it could not be kept as it is. */
TK_MUST int tk_json_read(const char *text, size_t len, const struct tk_json_limits *limits, json_t **ret, struct tk_err *err);
/* The text of an object's member, found without parsing: for a few members of a large text that is known to be JSON (of any other it finds
 * nothing, or a piece that does not parse). False: not there, or a key that stands there with escapes. Of equal keys the first. */
TK_MUST bool tk_json_member(const char *text, size_t len, const char *key, const char **ret, size_t *ret_len);
/* Whether objects and arrays stand in each other deeper than that. Of what is no JSON it may say anything. */
TK_MUST bool tk_json_deeper(const char *text, size_t len, size_t depth_max);
/* The object has that member, and it is not null. */
static inline bool tk_json_given(const json_t *object, const char *key)
{
        const json_t *value = json_object_get(object, key);
        return value && !json_is_null(value);
}
/* Compact text appended to buf. */
void tk_json_dump(const json_t *value, struct tk_buf *buf);
/* Canonical text after RFC 8785: keys sorted by UTF-16 code units, shortest round-trip numbers (integral doubles without
 * fraction), minimal escapes. Used for identity: one value, one text. */
void tk_json_canonical(const json_t *value, struct tk_buf *buf);
/* Changes an object as a merge patch (RFC 7396) that is an object says: members of it that are objects are merged, null takes a member away,
 * anything else, copied, takes the place of what was there. As deep as the patch. */
void tk_json_merge(json_t *target, json_t *patch);
const char *tk_json_str(const json_t *object, const char *key);           /* NULL when absent or not a string */
const char *tk_json_text(const json_t *object, const char *key);          /* "" when absent or not a string */
int64_t tk_json_i64(const json_t *object, const char *key, int64_t or_else);
double tk_json_f64(const json_t *object, const char *key, double or_else); /* integers too */
int tk_json_bool(const json_t *object, const char *key, int or_else);
static inline void tk_json_decref_p(json_t **value) { json_decref(*value); }
#define TK_AUTOJSON __attribute__((cleanup(tk_json_decref_p)))
