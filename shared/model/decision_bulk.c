/* SPDX-License-Identifier: MIT */
/* model/decision_bulk.c: decisions about many tasks: what is done, and to which. */
#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"
#include "json/json.h"
#include "model/decision.h"
#include "model/step_action.h"
#include "tbl/states.h"

enum { BODY_MAX = 64 * 1024, DEPTH_MAX = 32, ENTRIES_MAX = 10000, FILTER_MAX = 255, WORDS_MAX = 512 };

static const char *const task_states[] = {
#define STATE(id, name, terminal, satisfies) name,
        TK_TASK_STATES(STATE)
#undef STATE
};
static const char *const step_states[] = {
#define STATE(id, name, terminal, satisfies) name,
        TK_STEP_STATES(STATE)
#undef STATE
};

/* What an action is about beyond tasks that are open: in which other states a task, and in which a step can be. */
static const struct action {
        const char *name;
        bool named;                /* needs the name of a step */
        const char *also[2];       /* ended tasks it can do something to */
        const char *from[6];       /* step states it can do something to; none: any */
} actions[] = {
        {.name = "pause"},
        {.name = "resume"},
        {.name = "start"},
        {.name = "cancel"},
        {.name = "reset", .also = {"error"}, .from = {"error", "cancelled"}},
        {.name = "resolve", .also = {"error"}},
        {.name = "skip", .also = {"error"}, .from = {"error", "pending", "enqueued", "waiting_for_retry", "enqueued_for_orchestration", "cancelled"}},
        {.name = "complete", .named = true, .also = {"error"}},
        {.name = "rerun", .named = true, .also = {"error", "complete"}, .from = {"error", "complete", "resolved_manually", "cancelled"}},
};

static bool has(const char *const *words, size_t n, const char *word)
{
        for (size_t i = 0; i < n; i++)
                if (words[i] && tk_streq(words[i], word))
                        return true;
        return false;
}

/* "`a`, `b`" */
static void list(struct tk_buf *buf, const char *const *words, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (words[i])
                        tk_buf_printf(buf, "%s`%s`", buf->len ? ", " : "", words[i]);
}

static int unknown(const char *prefix, const char *word, const char *const *words, size_t n, struct tk_err *err)
{
        TK_AUTOBUF struct tk_buf text = {.max = WORDS_MAX};
        list(&text, words, n);
        return TK_ERR(err, TK_DECISION_E_SHAPE, "%sunknown variant `%.64s`, expected one of %s", prefix, word, tk_buf_str(&text));
}

int tk_decision_action(const json_t *in, const char *const *words, size_t n, struct tk_decision *ret, struct tk_err *err)
{
        const json_t *value = json_object_get(in, "action"), *dry = json_object_get(in, "dry_run");
        if (!json_is_string(value))
                return TK_ERR(err, TK_DECISION_E_SHAPE, value ? "action: invalid type, expected a string" : "missing field `action`");
        for (size_t i = 0; i < n; i++)
                if (tk_streq(json_string_value(value), words[i]))
                        ret->action = words[i];
        if (!ret->action)
                return unknown("", json_string_value(value), words, n, err);
        if (dry && !json_is_boolean(dry))
                return TK_ERR(err, TK_DECISION_E_SHAPE, "dry_run: invalid type, expected a boolean");
        ret->dry_run = json_is_true(dry);
        return 0;
}

int tk_decision_filter(const json_t *in, const struct tk_filter_text *texts, size_t n, struct tk_arena *arena, bool *ret_any, struct tk_err *err)
{
        const json_t *filter = json_object_get(in, "filter");
        if (!json_is_object(filter))
                return TK_ERR(err, TK_DECISION_E_SHAPE, filter ? "filter: invalid type, expected a map" : "missing field `filter`");
        *ret_any = json_is_true(json_object_get(filter, "all"));
        for (size_t i = 0; i < n; i++) {
                if (!tk_json_given(filter, texts[i].key))
                        continue;
                int r = tk_decision_text(filter, texts[i].key, FILTER_MAX, arena, texts[i].at, err);
                if (r)
                        return r;
                *ret_any = true;
        }
        return 0;
}

static int take_time(const json_t *filter, const char *key, int64_t *ret_ns, bool *any, struct tk_err *err)
{
        const json_t *value = json_object_get(filter, key);
        if (!tk_json_given(filter, key))
                return 0;
        if (!json_is_string(value) || tk_time_parse(json_string_value(value), ret_ns))
                return TK_ERR(err, TK_DECISION_E_SHAPE, "filter.%s: invalid type, expected a date and time such as 2026-01-31T12:00:00Z", key);
        *any = true;
        return 0;
}

static int take_filter(const json_t *in, struct tk_arena *arena, struct tk_decision *ret, struct tk_err *err)
{
        const struct tk_filter_text texts[] = {
                {"namespace", &ret->ns}, {"name", &ret->name}, {"version", &ret->version}, {"status", &ret->state},
                {"initiator", &ret->initiator}, {"tag", &ret->tag}, {"step", &ret->step}, {"step_status", &ret->step_state},
        };
        const json_t *filter = json_object_get(in, "filter");
        bool any;
        int r = tk_decision_filter(in, texts, tk_countof(texts), arena, &any, err);
        if (!r)
                r = tk_decision_uuid(filter, "correlation_id", &ret->correlation, err);
        if (!r)
                r = take_time(filter, "created_after", &ret->created_after_ns, &any, err);
        if (!r)
                r = take_time(filter, "created_before", &ret->created_before_ns, &any, err);
        if (r || any || !tk_uuid_is_nil(&ret->correlation))
                return r;
        return TK_ERR(err, TK_DECISION_E_VALUE, "filter: needs at least one of namespace, name, version, status, initiator, tag, correlation_id, "
                      "created_after, created_before, step, or \"all\": true");
}

static bool is_open(const char *state)
{
        static const char *const ended[] = {"complete", "error", "cancelled", "resolved_manually"};
        return !has(ended, tk_countof(ended), state);
}

/* The filter asks for something the action can do something to. */
static int check(const struct action *action, struct tk_decision *d, struct tk_err *err)
{
        TK_AUTOBUF struct tk_buf from = {.max = WORDS_MAX};
        if (tk_streq(d->state, "completed"))
                d->state = "complete"; /* the contract's word of lists */
        if (d->state && !has(task_states, tk_countof(task_states), d->state))
                return unknown("filter.status: ", d->state, task_states, tk_countof(task_states), err);
        if (d->step_state && !has(step_states, tk_countof(step_states), d->step_state))
                return unknown("filter.step_status: ", d->step_state, step_states, tk_countof(step_states), err);
        if (d->state && !is_open(d->state) && !has(action->also, tk_countof(action->also), d->state))
                return TK_ERR(err, TK_DECISION_E_VALUE, "filter.status: %s does nothing to a task that is %s", action->name, d->state);
        if (d->step_state && !d->step)
                return TK_ERR(err, TK_DECISION_E_VALUE, "filter.step_status goes with filter.step, the name of a step");
        if (!d->step && action->named)
                return TK_ERR(err, TK_DECISION_E_VALUE, "filter.step: %s needs the name of a step", action->name);
        list(&from, action->from, tk_countof(action->from));
        if (d->step_state && from.len && !has(action->from, tk_countof(action->from), d->step_state))
                return TK_ERR(err, TK_DECISION_E_VALUE, "filter.step_status: %s is for a step that is %s, found `%s`", action->name,
                              tk_buf_str(&from), d->step_state);
        return 0;
}

/* What goes along with the action. */
static int take_data(const json_t *in, struct tk_arena *arena, struct tk_decision *ret, struct tk_err *err)
{
        if (tk_streq(ret->action, "complete"))
                return tk_step_action_completion(in, arena, &ret->data, err);
        bool rerun = tk_streq(ret->action, "rerun");
        if (!rerun && tk_json_given(in, "context_patch"))
                return TK_ERR(err, TK_DECISION_E_VALUE, "context_patch: goes with rerun, found %s", ret->action);
        if (rerun && tk_json_given(in, "context"))
                return TK_ERR(err, TK_DECISION_E_VALUE, "context: each task has its own; context_patch changes members of it");
        return rerun ? tk_step_action_context(in, "context_patch", arena, &ret->data, err) : 0;
}

int tk_decision_parse_bulk(const void *json, size_t len, struct tk_arena *arena, struct tk_decision *ret, struct tk_err *err)
{
        static const struct tk_json_limits limits = {BODY_MAX, DEPTH_MAX, ENTRIES_MAX, BODY_MAX};
        const char *words[tk_countof(actions)];
        const struct action *action = NULL;
        TK_AUTOJSON json_t *in = NULL;
        for (size_t i = 0; i < tk_countof(actions); i++)
                words[i] = actions[i].name;
        *ret = (struct tk_decision){0};
        int r = tk_decision_read(json, len, &limits, arena, ret, &in, err);
        if (!r)
                r = tk_decision_action(in, words, tk_countof(words), ret, err);
        if (!r)
                r = take_filter(in, arena, ret, err);
        if (r)
                return r;
        for (size_t i = 0; i < tk_countof(actions); i++)
                if (ret->action == actions[i].name)
                        action = &actions[i];
        r = check(action, ret, err);
        return r ? r : take_data(in, arena, ret, err);
}
