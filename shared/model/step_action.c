/* SPDX-License-Identifier: MIT */
/* model/step_action.c: one row per action. */
#include "model/step_action.h"
#include "base/buf.h"
#include "base/str.h"
#include "json/json.h"
#include "model/decision.h"
#include "model/task_request.h"
#include "model/value_limits.h"

enum { BODY_MAX = 2 * 1024 * 1024, ENTRIES_MAX = 100000 };

static const struct action {
        const char *type, *event, *actor; /* actor: the key that names who */
        enum { NOTHING, COMPLETION, CONTEXT } data;
} actions[] = {
        {"reset_for_retry", "ResetForRetry", "reset_by", NOTHING},
        {"resolve_manually", "ResolveManually", "resolved_by", NOTHING},
        {"complete_manually", "CompleteManually", "completed_by", COMPLETION},
        {"skip", "Skip", "skipped_by", NOTHING},
        {"rerun", "Rerun", "rerun_by", CONTEXT},
};

static int shape(struct tk_err *err, const char *key, const char *wanted, const json_t *value)
{
        if (!value)
                return TK_ERR(err, TK_STEP_ACTION_E_SHAPE, "missing field `%s`", key);
        return TK_ERR(err, TK_STEP_ACTION_E_SHAPE, "%s: invalid type, expected %s", key, wanted);
}

int tk_step_action_completion(const json_t *in, struct tk_arena *arena, const char **ret, struct tk_err *err)
{
        const json_t *data = json_object_get(in, "completion_data"), *result = json_object_get(data, "result");
        TK_AUTOBUF struct tk_buf text = {.max = BODY_MAX};
        if (!json_is_object(data))
                return shape(err, "completion_data", "a map", data);
        if (!result)
                return shape(err, "completion_data.result", "", NULL);
        if (tk_value_check("completion_data", data, TK_STEP_RESULT_DEPTH_MAX, ENTRIES_MAX, TK_STEP_RESULT_BYTES_MAX, err))
                return TK_STEP_ACTION_E_VALUE;
        tk_json_dump(data, &text);
        if (tk_buf_failed(&text) || text.len > TK_STEP_RESULT_BYTES_MAX)
                return TK_ERR(err, TK_STEP_ACTION_E_VALUE, "completion_data: may have %d bytes, found %zu", TK_STEP_RESULT_BYTES_MAX, text.len);
        *ret = tk_arena_strndup(arena, text.data, text.len);
        return 0;
}

int tk_step_action_context(const json_t *in, const char *key, struct tk_arena *arena, const char **ret, struct tk_err *err)
{
        const json_t *context = json_object_get(in, key);
        TK_AUTOBUF struct tk_buf text = {.max = BODY_MAX};
        if (!context || json_is_null(context))
                return 0;
        if (!json_is_object(context))
                return shape(err, key, "a map", context);
        if (tk_value_check(key, context, TK_TASK_CONTEXT_DEPTH_MAX, TK_TASK_CONTEXT_ENTRIES_MAX, TK_TASK_STRING_MAX, err))
                return TK_STEP_ACTION_E_VALUE;
        tk_json_dump(context, &text);
        if (tk_buf_failed(&text) || text.len > TK_TASK_CONTEXT_BYTES_MAX)
                return TK_ERR(err, TK_STEP_ACTION_E_VALUE, "%s: may have %d bytes, found %zu", key, TK_TASK_CONTEXT_BYTES_MAX, text.len);
        *ret = tk_arena_strndup(arena, text.data, text.len);
        return 0;
}

/* The task's input from now on: as it stands there, or what is to change in it. */
static int take_context(const json_t *in, struct tk_arena *arena, struct tk_step_action *ret, struct tk_err *err)
{
        ret->patch = tk_json_given(in, "context_patch");
        if (ret->patch && tk_json_given(in, "context"))
                return TK_ERR(err, TK_STEP_ACTION_E_VALUE, "context and context_patch: give one of them");
        return tk_step_action_context(in, ret->patch ? "context_patch" : "context", arena, &ret->data, err);
}

static const struct action *find(const char *type)
{
        for (size_t i = 0; type && i < tk_countof(actions); i++)
                if (tk_streq(actions[i].type, type))
                        return &actions[i];
        return NULL;
}

int tk_step_action_parse(const void *json, size_t len, struct tk_arena *arena, struct tk_step_action *ret, struct tk_err *err)
{
        static const struct tk_json_limits limits = {BODY_MAX, TK_STEP_RESULT_DEPTH_MAX + 4, ENTRIES_MAX, BODY_MAX};
        TK_AUTOJSON json_t *in = NULL;
        int r = tk_json_parse(json, len, &limits, &in, err);
        *ret = (struct tk_step_action){0};
        if (r)
                return r == TK_JSON_E_SYNTAX ? TK_STEP_ACTION_E_SYNTAX : TK_STEP_ACTION_E_VALUE;
        const json_t *type = json_object_get(in, "action_type");
        if (!json_is_string(type))
                return shape(err, "action_type", "a string", type);
        const struct action *action = find(json_string_value(type));
        if (!action)
                return TK_ERR(err, TK_STEP_ACTION_E_SHAPE, "unknown variant `%.64s`, expected one of `reset_for_retry`, `resolve_manually`, "
                              "`complete_manually`, `skip`, `rerun`", json_string_value(type));
        ret->type = action->type;
        ret->event = action->event;
        r = tk_decision_text(in, "reason", TK_REASON_MAX, arena, &ret->reason, err);
        if (!r)
                r = tk_decision_text(in, action->actor, TK_ACTOR_MAX, arena, &ret->actor, err);
        if (!r && action->data == COMPLETION)
                r = tk_step_action_completion(in, arena, &ret->data, err);
        else if (!r && action->data == CONTEXT)
                r = take_context(in, arena, ret, err);
        return r;
}
