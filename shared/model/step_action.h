/* SPDX-License-Identifier: MIT */
/* model/step_action.h: what a person decides about a step, as the REST contract spells it: an object whose action_type selects what
 * else must be there. Pure: no I/O. */
#pragma once
#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"

enum { TK_STEP_ACTION_OK, TK_STEP_ACTION_E_SYNTAX /* 400 */, TK_STEP_ACTION_E_SHAPE /* 422: unknown tag, missing or mistyped key */,
       TK_STEP_ACTION_E_VALUE /* 400: empty, too long, too deep */ };
enum { TK_ACTOR_MAX = 255, TK_REASON_MAX = 500, TK_STEP_RESULT_BYTES_MAX = 1024 * 1024, TK_STEP_RESULT_DEPTH_MAX = 64 };

struct tk_step_action {
        const char *type;   /* reset_for_retry, resolve_manually, complete_manually, skip: a string constant */
        const char *event;  /* the same in the words of a refusal: ResetForRetry … */
        const char *actor, *reason;
        const char *data;   /* complete_manually: {"result": …, "metadata": …} as JSON text; else NULL */
};
/* All strings live in the arena. */
TK_MUST int tk_step_action_parse(const void *json, size_t len, struct tk_arena *arena, struct tk_step_action *ret, struct tk_err *err);
