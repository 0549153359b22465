/* SPDX-License-Identifier: MIT */
/* model/step_action.h: what a person decides about a step, as the REST contract spells it: an object whose action_type selects what
 * else must be there. Pure: no I/O. */
#pragma once
#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "model/decision.h"

/* The outcomes of model/decision.h: not JSON; unknown tag, missing or mistyped key; empty, too long, too deep. */
enum { TK_STEP_ACTION_OK = TK_DECISION_OK, TK_STEP_ACTION_E_SYNTAX = TK_DECISION_E_SYNTAX, TK_STEP_ACTION_E_SHAPE = TK_DECISION_E_SHAPE,
       TK_STEP_ACTION_E_VALUE = TK_DECISION_E_VALUE };
enum { TK_STEP_RESULT_BYTES_MAX = 1024 * 1024, TK_STEP_RESULT_DEPTH_MAX = 64 };

struct tk_step_action {
        const char *type;   /* reset_for_retry, resolve_manually, complete_manually, skip, rerun: a string constant */
        const char *event;  /* the same in the words of a refusal: ResetForRetry … */
        const char *actor, *reason;
        const char *data;   /* complete_manually: {"result": …, "metadata": …} as JSON text; rerun: the context, what is to change in it, or NULL */
        bool patch;         /* data is a merge patch for the context */
};
/* All strings live in the arena. */
TK_MUST int tk_step_action_parse(const void *json, size_t len, struct tk_arena *arena, struct tk_step_action *ret, struct tk_err *err);
/* "completion_data" of a body that completes steps: {"result": …, "metadata"?: …}, as text. */
TK_MUST int tk_step_action_completion(const json_t *in, struct tk_arena *arena, const char **ret, struct tk_err *err);
/* The object under that key, within the bounds of a task's context, as text; absent or null: *ret stays. */
TK_MUST int tk_step_action_context(const json_t *in, const char *key, struct tk_arena *arena, const char **ret, struct tk_err *err);
