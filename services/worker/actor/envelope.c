/* SPDX-License-Identifier: MIT */
/* worker/actor/envelope.c: written as text in one go, members in the order of the contract. */
#include "worker/actor/envelope.h"
#include "base/time.h"
#include "worker/app.h"

enum { FRACTION_DIGITS = 6 };

static void put_text(struct tk_buf *buf, const char *key, const char *text)
{
        tk_buf_printf(buf, ",\"%s\":", key);
        tk_buf_put_json_str(buf, text, strlen(text));
}

static void put_time(struct tk_buf *buf, const char *key, int64_t wall_ns)
{
        char text[TK_TIME_TEXT];
        tk_time_format(wall_ns, FRACTION_DIGITS, text);
        put_text(buf, key, text);
}

/* null when it is none. */
static void put_uuid(struct tk_buf *buf, const char *comma, const char *key, const ProtobufCBinaryData *bytes)
{
        struct tk_uuid uuid;
        char text[TK_UUID_TEXT];
        if (bytes->len != sizeof uuid.b) {
                tk_buf_printf(buf, "%s\"%s\":null", comma, key);
                return;
        }
        memcpy(uuid.b, bytes->data, sizeof uuid.b);
        tk_uuid_format(&uuid, text);
        tk_buf_printf(buf, "%s\"%s\":\"%s\"", comma, key, text);
}

static void put_json(struct tk_buf *buf, const char *key, const ProtobufCBinaryData *json, const char *or_else)
{
        tk_buf_printf(buf, ",\"%s\":", key);
        if (json->len)
                tk_buf_put(buf, json->data, json->len);
        else
                tk_buf_puts(buf, or_else);
}

static void put_task(struct tk_buf *buf, const struct work_job *job)
{
        const Tasker__Dispatch__V1__Assign *a = job->assign;
        put_uuid(buf, "{\"task\":{", "task_uuid", &a->task_uuid);
        put_uuid(buf, ",", "named_task_uuid", &a->named_task_uuid);
        tk_buf_puts(buf, ",\"complete\":false");
        put_time(buf, "requested_at", a->requested_at_us * TK_NS_PER_US);
        put_text(buf, "initiator", a->initiator);
        put_text(buf, "source_system", a->source_system);
        put_text(buf, "reason", a->reason);
        tk_buf_printf(buf, ",\"priority\":%d", a->priority);
        put_json(buf, "context", &a->context_json, "{}");
        put_uuid(buf, ",", "correlation_id", &a->correlation_id);
        put_uuid(buf, ",", "parent_correlation_id", &a->parent_correlation_id);
        tk_buf_putc(buf, '}');
        put_text(buf, "task_name", job->tpl->name);
        put_text(buf, "task_version", job->tpl->version);
        put_text(buf, "namespace_name", job->tpl->ns);
        tk_buf_putc(buf, '}');
}

static void put_step(struct tk_buf *buf, const struct work_job *job)
{
        const Tasker__Dispatch__V1__Assign *a = job->assign;
        put_uuid(buf, "{", "workflow_step_uuid", &a->step_uuid);
        put_uuid(buf, ",", "task_uuid", &a->task_uuid);
        put_text(buf, "name", a->step_name);
        put_text(buf, "template_step_name", job->tpl->steps[job->step].name);
        tk_buf_puts(buf, ",\"in_process\":true,\"processed\":false,\"processed_at\":null,\"results\":null"); /* as the handler was called */
        tk_buf_printf(buf, ",\"retryable\":%s,\"max_attempts\":%u,\"attempts\":%u", a->retryable ? "true" : "false", a->max_attempts, a->attempt);
        put_json(buf, "inputs", &a->step_inputs_json, "null");
        put_json(buf, "checkpoint", &a->checkpoint_json, "null");
        tk_buf_putc(buf, '}');
}

static void put_sequence(const struct work_envelope *e, struct tk_buf *buf)
{
        static const ProtobufCBinaryData none = {0};
        const Tasker__Dispatch__V1__Assign *a = e->job->assign;
        tk_buf_puts(buf, "{\"task\":");
        put_task(buf, e->job);
        tk_buf_puts(buf, ",\"workflow_step\":");
        put_step(buf, e->job);
        put_json(buf, "dependency_results", e->ancestors ? &a->dependency_results_json : &none, "{}");
        tk_buf_puts(buf, ",\"step_definition\":");
        tk_json_dump(json_array_get(json_object_get(e->job->tpl->body, "steps"), e->job->step), buf);
        tk_buf_putc(buf, '}');
}

static void put_metadata(const struct work_envelope *e, struct tk_buf *buf)
{
        const Tasker__Dispatch__V1__Assign *a = e->job->assign;
        put_uuid(buf, "{", "task_uuid", &a->task_uuid);
        put_uuid(buf, ",", "step_uuid", &a->step_uuid);
        put_text(buf, "step_name", a->step_name);
        put_text(buf, "namespace", a->namespace_);
        put_uuid(buf, ",", "correlation_id", &a->correlation_id);
        put_uuid(buf, ",", "parent_correlation_id", &a->parent_correlation_id);
        put_time(buf, "fired_at", tk_time_wall_ns());
        put_text(buf, "fired_by", e->fired_by);
        put_text(buf, "condition", tk_event_condition_name(e->event->condition));
        tk_buf_printf(buf, ",\"attempt\":%u", a->attempt);
        put_text(buf, "worker_id", e->app->worker_id);
        tk_buf_putc(buf, '}');
}

void work_envelope_write(const struct work_envelope *e, struct tk_buf *buf)
{
        tk_buf_printf(buf, "{\"event_id\":\"%s\"", e->id);
        put_text(buf, "event_name", e->event->name);
        tk_buf_puts(buf, ",\"event_version\":\"1.0\",\"payload\":{\"task_sequence_step\":");
        put_sequence(e, buf);
        tk_buf_puts(buf, ",\"execution_result\":");
        tk_buf_put(buf, e->result->data, e->result->len);
        tk_buf_puts(buf, ",\"payload\":");
        tk_json_dump(e->payload, buf);
        tk_buf_puts(buf, "},\"metadata\":");
        put_metadata(e, buf);
        tk_buf_putc(buf, '}');
}
