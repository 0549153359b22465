/* SPDX-License-Identifier: MIT */
/* model/dead_letter.c: see the header. */
#include "model/dead_letter.h"
#include "base/buf.h"
#include "base/str.h"
#include "json/json.h"

enum { BODY_MAX = 64 * 1024, FILTER_MAX = 255, DEPTH_MAX = 32, ENTRIES_MAX = 10000 };
static const struct tk_json_limits limits = {BODY_MAX, DEPTH_MAX, ENTRIES_MAX, BODY_MAX};

struct word {
        const char *stored, *contract;
};
static const struct word statuses[] = {{"pending", "Pending"},
                                       {"manually_resolved", "ManuallyResolved"},
                                       {"permanently_failed", "PermanentlyFailed"},
                                       {"cancelled", "Cancelled"}};
static const struct word reasons[] = {{"staleness_timeout", "StalenessTimeout"},
                                      {"max_retries_exceeded", "MaxRetriesExceeded"},
                                      {"dependency_cycle_detected", "DependencyCycleDetected"},
                                      {"worker_unavailable", "WorkerUnavailable"},
                                      {"manual_dlq", "ManualDlq"}};

static const char *stored(const struct word *words, size_t n, const char *word)
{
        for (size_t i = 0; i < n; i++)
                if (tk_streq(words[i].stored, word) || tk_streq(words[i].contract, word))
                        return words[i].stored;
        return NULL;
}

const char *tk_dead_letter_status(const char *word)
{
        return stored(statuses, tk_countof(statuses), word);
}

const char *tk_dead_letter_reason(const char *word)
{
        return stored(reasons, tk_countof(reasons), word);
}

static int parse(const void *json, size_t len, json_t **ret, struct tk_err *err)
{
        int r = tk_json_parse(json, len, &limits, ret, err);
        if (r)
                return r == TK_JSON_E_SYNTAX ? TK_DECISION_E_SYNTAX : TK_DECISION_E_VALUE;
        return json_is_object(*ret) ? 0 : TK_ERR(err, TK_DECISION_E_SHAPE, "invalid type, expected a map");
}

static int take_metadata(const json_t *in, struct tk_arena *arena, const char **ret, struct tk_err *err)
{
        TK_AUTOBUF struct tk_buf text = {.max = BODY_MAX};
        tk_json_dump(json_object_get(in, "metadata"), &text);
        if (tk_buf_failed(&text) || text.len > TK_DEAD_LETTER_METADATA_MAX)
                return TK_ERR(err, TK_DECISION_E_VALUE, "metadata: may have %d bytes, found %zu", TK_DEAD_LETTER_METADATA_MAX, text.len);
        *ret = tk_arena_strndup(arena, text.data, text.len);
        return 0;
}

int tk_dead_letter_parse_update(const void *json, size_t len, struct tk_arena *arena, struct tk_dead_letter_update *ret, struct tk_err *err)
{
        TK_AUTOJSON json_t *in = NULL;
        const char *status;
        *ret = (struct tk_dead_letter_update){0};
        int r = parse(json, len, &in, err);
        if (!r && tk_json_given(in, "resolution_status")) {
                r = tk_decision_text(in, "resolution_status", FILTER_MAX, arena, &status, err);
                if (!r && !(ret->status = tk_dead_letter_status(status)))
                        r = TK_ERR(err, TK_DECISION_E_SHAPE, "resolution_status: unknown variant `%.64s`, expected one of " TK_DEAD_LETTER_STATUSES,
                                   status);
        }
        if (!r && tk_json_given(in, "resolution_notes"))
                r = tk_decision_text(in, "resolution_notes", TK_DEAD_LETTER_NOTES_MAX, arena, &ret->notes, err);
        if (!r && tk_json_given(in, "resolved_by"))
                r = tk_decision_text(in, "resolved_by", TK_ACTOR_MAX, arena, &ret->by, err);
        if (!r && tk_json_given(in, "metadata"))
                r = take_metadata(in, arena, &ret->metadata, err);
        return r;
}

int tk_dead_letter_parse_entry(const void *json, size_t len, struct tk_arena *arena, struct tk_uuid *ret_task, struct tk_decision *ret,
                               struct tk_err *err)
{
        TK_AUTOJSON json_t *in = NULL;
        const char *task;
        int r = tk_decision_read(json, len, &limits, arena, ret, &in, err);
        if (!r)
                r = tk_decision_text(in, "task_uuid", FILTER_MAX, arena, &task, err);
        if (!r && tk_uuid_parse_any(task, ret_task))
                r = TK_ERR(err, TK_DECISION_E_SHAPE, "task_uuid: expected a UUID, found `%.64s`", task);
        return r;
}

static int take_filter(const json_t *in, struct tk_arena *arena, struct tk_dead_letter_bulk *ret, struct tk_err *err)
{
        const char *why = NULL;
        const struct tk_filter_text texts[] = {
                {"reason", &why}, {"namespace", &ret->decision.ns}, {"name", &ret->decision.name}, {"version", &ret->decision.version}};
        bool any;
        int r = tk_decision_filter(in, texts, tk_countof(texts), arena, &any, err);
        if (r)
                return r;
        if (why && !(ret->why = tk_dead_letter_reason(why)))
                return TK_ERR(err, TK_DECISION_E_SHAPE, "filter.reason: unknown variant `%.64s`, expected one of " TK_DEAD_LETTER_REASONS, why);
        return any ? 0 : TK_ERR(err, TK_DECISION_E_VALUE, "filter: needs at least one of reason, namespace, name, version, or \"all\": true");
}

int tk_dead_letter_parse_bulk(const void *json, size_t len, struct tk_arena *arena, struct tk_dead_letter_bulk *ret, struct tk_err *err)
{
        static const char *const actions[] = {"revive", "resolve"};
        TK_AUTOJSON json_t *in = NULL;
        *ret = (struct tk_dead_letter_bulk){0};
        int r = tk_decision_read(json, len, &limits, arena, &ret->decision, &in, err);
        if (!r)
                r = tk_decision_action(in, actions, tk_countof(actions), &ret->decision, err);
        return r ? r : take_filter(in, arena, ret, err);
}
