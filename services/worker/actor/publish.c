/* SPDX-License-Identifier: MIT */
/* worker/actor/publish.c: see the header. */
#include "worker/actor/publish.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "worker/abi/value.h"
#include "worker/actor/envelope.h"
#include "worker/app.h"

enum { ARENA_BLOCK = 16 * 1024, FRACTION_DIGITS = 6 };
#define ARENA_MAX ((size_t)256 << 20)

static const struct tk_template_step *step_of(const struct work_job *job)
{
        return &job->tpl->steps[job->step];
}

/* What settling will make of it: the step's own rule, as tasker.settle_steps has it. */
static enum tk_event_outcome outcome_of(const struct work_job *job, const struct tkw_result *result)
{
        const Tasker__Dispatch__V1__Assign *a = job->assign;
        const char *on_timeout = step_of(job)->on_timeout;
        if (result->verdict == WORK_SUCCESS)
                return TK_OUTCOME_SUCCESS;
        bool final = on_timeout && !tk_streq(on_timeout, "retry") && tk_streq(result->type, "handler_timeout");
        bool again = result->verdict == WORK_RETRYABLE && a->retryable && a->retry_count + 1 < a->max_attempts && !final;
        return again ? TK_OUTCOME_RETRIED : TK_OUTCOME_FAILED;
}

static void lost(struct work_app *app, const struct work_job *job, const struct tk_template_event *event, const char *reason, const char *why)
{
        char step[TK_UUID_TEXT];
        tk_uuid_format(&job->key.step, step);
        work_count_l(app, events_failed_total, reason);
        tk_log_warn("event.failed", why, TK_STR("event", event->name), TK_STR("reason", reason), TK_STR("step_name", job->assign->step_name),
                    TK_STR("step_uuid", step));
}

/* {error_type, …} over the details. */
static json_t *failure_payload(const struct work_job *job, const struct tkw_result *result)
{
        char now[TK_TIME_TEXT];
        json_t *payload = result->details ? json_copy(result->details) : json_object();
        tk_time_format(tk_time_wall_ns(), FRACTION_DIGITS, now);
        json_object_set_new(payload, "error_type", json_string(result->type));
        json_object_set_new(payload, "error_code", json_string(result->code ? result->code : result->type));
        json_object_set_new(payload, "message", json_string(result->message));
        json_object_set_new(payload, "error_message", json_string(result->message));
        json_object_set_new(payload, "retryable", json_boolean(result->verdict == WORK_RETRYABLE));
        json_object_set_new(payload, "attempt", json_integer(job->assign->attempt));
        json_object_set_new(payload, "failed_at", json_string(now));
        return payload;
}

/* New reference; null: not to be published. */
static json_t *payload_of(const struct work_job *job, const struct tkw_result *result, const char *event)
{
        json_t *given = json_object_get(result->events, event);
        if (given)
                return json_incref(given);
        if (result->verdict == WORK_SUCCESS)
                return json_incref(result->whole ? result->whole : result->members);
        return failure_payload(job, result);
}

static void ask(struct work_app *app, const struct work_job *job, unsigned at, const struct tkw_publisher *publisher, struct tkw_context *ctx,
                struct tkw_result *result)
{
        const struct tk_template_event *event = &step_of(job)->events[at];
        enum tk_event_outcome outcome = outcome_of(job, result);
        TK_AUTOJSON json_t *before = payload_of(job, result, event->name);
        if (json_is_null(before))
                return; /* the handler does not want it */
        struct tkw_result answer;
        work_result_init(&answer);
        int r = publisher->fn(ctx, &(struct tkw_occasion){.event = event->name, .success = outcome == TK_OUTCOME_SUCCESS,
                                                          .retried = outcome == TK_OUTCOME_RETRIED, .payload = work_value_view(before, NULL)},
                              &answer);
        json_t *payload = json_null();
        if (r != TKW_SKIP) {
                work_result_conclude(&answer, r);
                if (answer.verdict == WORK_SUCCESS) {
                        payload = json_incref(answer.whole ? answer.whole : answer.members);
                } else {
                        lost(app, job, event, "publisher", answer.message);
                        result->events_lost |= 1u << at;
                }
        }
        if (!result->events)
                result->events = json_object();
        json_object_set_new(result->events, event->name, payload);
        work_result_deinit(&answer);
}

static void tell_unknown(const struct work_job *job, const struct tkw_result *result)
{
        const struct tk_template_step *step = step_of(job);
        const char *name;
        json_t *payload;
        json_object_foreach(result->events, name, payload) {
                bool declared = false;
                for (uint32_t i = 0; i < step->events_n; i++)
                        declared |= tk_streq(step->events[i].name, name);
                if (!declared)
                        tk_log_warn("event.undeclared", "a handler gave a payload for an event that its step does not publish", TK_STR("event", name),
                                    TK_STR("step_name", job->assign->step_name));
        }
}

void work_publish_ask(struct work_app *app, const struct work_job *job, struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tk_template_step *step = step_of(job);
        if (result->events)
                tell_unknown(job, result);
        for (uint32_t i = 0; i < step->events_n; i++) {
                const struct tkw_publisher *publisher = work_parties_publisher(app->parties, step->events[i].publisher);
                if (publisher && tk_event_holds(step->events[i].condition, outcome_of(job, result)))
                        ask(app, job, i, publisher, ctx, result);
        }
}

/* The document of one event; an empty one when it became too large. Without the ancestors' results it may fit. */
static void write_event(struct work_envelope *envelope, struct tk_buf *buf)
{
        for (int ancestors = 1; ancestors >= 0; ancestors--) {
                envelope->ancestors = ancestors;
                tk_buf_reset(buf);
                work_envelope_write(envelope, buf);
                if (!tk_buf_failed(buf))
                        return;
        }
}

static void add_durable(struct work_publication *p, const struct tk_template_event *event, const struct tk_buf *json)
{
        static const Tasker__Dispatch__V1__Event__When whens[] = {
                [TK_EVENT_SUCCESS] = TASKER__DISPATCH__V1__EVENT__WHEN__WHEN_SUCCESS,
                [TK_EVENT_FAILURE] = TASKER__DISPATCH__V1__EVENT__WHEN__WHEN_FAILURE,
                [TK_EVENT_RETRYABLE_FAILURE] = TASKER__DISPATCH__V1__EVENT__WHEN__WHEN_RETRYABLE_FAILURE,
                [TK_EVENT_PERMANENT_FAILURE] = TASKER__DISPATCH__V1__EVENT__WHEN__WHEN_PERMANENT_FAILURE,
                [TK_EVENT_ALWAYS] = TASKER__DISPATCH__V1__EVENT__WHEN__WHEN_ALWAYS,
        };
        Tasker__Dispatch__V1__Event *out = TK_ARENA_NEW(p->arena, Tasker__Dispatch__V1__Event);
        tasker__dispatch__v1__event__init(out);
        out->when = whens[event->condition];
        out->event_json = (ProtobufCBinaryData){json->len, (uint8_t *)tk_arena_strndup(p->arena, json->data, json->len)};
        p->durable[p->durable_n++] = out;
}

static void publish(struct work_app *app, const struct work_job *job, const struct tk_template_event *event, const struct tkw_result *result,
                    const struct tk_buf *document, struct work_publication *p)
{
        TK_AUTOJSON json_t *payload = payload_of(job, result, event->name);
        TK_AUTOBUF struct tk_buf json = {.max = app->conf.events_bytes_max};
        struct tk_err why = {0};
        struct tk_uuid uuid;
        char id[TK_UUID_TEXT];
        if (json_is_null(payload) && json_object_get(result->events, event->name)) {
                work_count_l(app, events_skipped_total, "declined");
                return;
        }
        if (event->schema && !tk_schema_check(event->schema, payload, &why)) {
                lost(app, job, event, "schema", tk_err_text(&why));
                return;
        }
        tk_uuid_v7(&uuid);
        tk_uuid_format(&uuid, id);
        write_event(&(struct work_envelope){.app = app, .job = job, .event = event, .result = document, .payload = payload, .id = id,
                                            .fired_by = work_parties_publisher(app->parties, event->publisher) ? event->publisher : "default"},
                    &json);
        if (tk_buf_failed(&json)) {
                lost(app, job, event, "too_large", "the document of the event is larger than events.bytes_max");
                return;
        }
        p->events->by_delivery[event->delivery]++;
        if (event->delivery != TK_EVENT_FAST)
                add_durable(p, event, &json);
        if (event->delivery != TK_EVENT_DURABLE)
                p->events->told[p->events->told_n++] = work_event_new(id, event->name, json.data, json.len);
}

void work_publish(struct work_app *app, const struct work_job *job, const struct tkw_result *result, const struct tk_buf *document,
                  struct work_publication *ret)
{
        const struct tk_template_step *step = step_of(job);
        enum tk_event_outcome outcome = outcome_of(job, result);
        *ret = (struct work_publication){.arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX), .events = TK_NEW(struct work_events)};
        ret->durable = TK_ARENA_ARRAY(ret->arena, Tasker__Dispatch__V1__Event *, step->events_n);
        for (uint32_t i = 0; i < step->events_n; i++)
                if (tk_event_holds(step->events[i].condition, outcome) && !(result->events_lost & 1u << i))
                        publish(app, job, &step->events[i], result, document, ret);
}
