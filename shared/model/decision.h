/* SPDX-License-Identifier: MIT */
/* model/decision.h: what people decide about tasks: who and why, and for many tasks at once which. Pure: no I/O. */
#pragma once
#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/uuid.h"
#include <jansson.h>
#include <stdbool.h>

enum { TK_DECISION_OK, TK_DECISION_E_SYNTAX /* 400 */, TK_DECISION_E_SHAPE /* 422: missing or mistyped key */, TK_DECISION_E_VALUE /* 400 */ };
enum { TK_ACTOR_MAX = 255, TK_REASON_MAX = 500, TK_WEIGHT_MAX = 1000 };

struct tk_decision {
        const char *actor, *reason; /* "by" and "reason" */
        struct tk_uuid after;       /* of a decision taken in pages: where to go on; nil: from the start */
        int weight;                 /* of a namespace */
        /* Of a bulk decision: */
        const char *action;         /* pause, resume, start, cancel; of steps reset, resolve, skip, complete, rerun */
        bool dry_run;
        const char *data;           /* JSON, of complete: {"result": …, "metadata": …}; of rerun: a merge patch for contexts, or NULL */
        const char *ns, *name, *version, *state, *initiator, *tag, *step, *step_state; /* filters, NULL: any */
        struct tk_uuid correlation; /* nil: any */
        int64_t created_after_ns, created_before_ns; /* wall clock; 0: any */
};
/* {"by": …, "reason": …, "after"?: uuid}. All strings live in the arena. */
TK_MUST int tk_decision_parse(const void *json, size_t len, struct tk_arena *arena, struct tk_decision *ret, struct tk_err *err);
/* The same with "weight", 1 to TK_WEIGHT_MAX. */
TK_MUST int tk_decision_parse_weight(const void *json, size_t len, struct tk_arena *arena, struct tk_decision *ret, struct tk_err *err);
/* The same with "action", "dry_run", "completion_data", "context_patch" and "filter"; a filter without conditions is refused unless it is
 * {"all": true}, and so is one that asks for what the action does nothing to. */
TK_MUST int tk_decision_parse_bulk(const void *json, size_t len, struct tk_arena *arena, struct tk_decision *ret, struct tk_err *err);

/* For bodies of the same kind: all of tk_decision_parse, and the body (decref it); max NULL: 64 KiB and few members. */
struct tk_json_limits;
TK_MUST int tk_decision_read(const void *json, size_t len, const struct tk_json_limits *max, struct tk_arena *arena, struct tk_decision *ret,
                             json_t **ret_in, struct tk_err *err);
/* A required text of 1 to max bytes; an optional UUID. 0, E_SHAPE or E_VALUE. */
TK_MUST int tk_decision_text(const json_t *in, const char *key, size_t max, struct tk_arena *arena, const char **ret, struct tk_err *err);
TK_MUST int tk_decision_uuid(const json_t *in, const char *key, struct tk_uuid *ret, struct tk_err *err);
/* "action", one of n words (the constant is taken), and "dry_run". */
TK_MUST int tk_decision_action(const json_t *in, const char *const *words, size_t n, struct tk_decision *ret, struct tk_err *err);
/* The texts of "filter" that are there, null being like absent; *ret_any: at least one was, or "all": true. */
struct tk_filter_text {
        const char *key, **at;
};
TK_MUST int tk_decision_filter(const json_t *in, const struct tk_filter_text *texts, size_t n, struct tk_arena *arena, bool *ret_any,
                               struct tk_err *err);
