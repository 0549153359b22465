/* SPDX-License-Identifier: MIT */
/* worker/core/document.c: written as text in one go, members in the order of the contract. */
#include "worker/core/document.h"
#include "base/check.h"
#include "base/str.h"
#include "base/time.h"

enum { FRACTION_DIGITS = 6 };

static void put_text(struct tk_buf *buf, const char *text)
{
        if (text)
                tk_buf_put_json_str(buf, text, strlen(text));
        else
                tk_buf_puts(buf, "null");
}

static void put_time(struct tk_buf *buf, int64_t wall_ns)
{
        char text[TK_TIME_TEXT];
        tk_time_format(wall_ns, FRACTION_DIGITS, text);
        put_text(buf, text);
}

static void put_object(struct tk_buf *buf, const json_t *object)
{
        if (object)
                tk_json_dump(object, buf);
        else
                tk_buf_puts(buf, "{}");
}

static const char *status(const struct work_execution *execution, const struct tkw_result *result)
{
        if (result->verdict == WORK_SUCCESS)
                return "completed";
        return execution->by_worker ? "error" : "failed";
}

static void put_metadata(struct tk_buf *buf, const struct work_execution *execution, const struct tkw_result *result)
{
        bool failed = result->verdict != WORK_SUCCESS;
        tk_buf_printf(buf, "{\"execution_time_ms\":%lld,\"handler_version\":", (long long)execution->execution_ms);
        put_text(buf, execution->handler_version);
        tk_buf_printf(buf, ",\"retryable\":%s,\"completed_at\":", result->verdict == WORK_PERMANENT ? "false" : "true");
        put_time(buf, execution->completed_ns);
        tk_buf_puts(buf, ",\"worker_id\":");
        put_text(buf, execution->worker_id);
        tk_buf_puts(buf, ",\"worker_hostname\":");
        put_text(buf, execution->worker_hostname);
        tk_buf_puts(buf, ",\"started_at\":");
        put_time(buf, execution->started_ns);
        tk_buf_puts(buf, ",\"custom\":");
        put_object(buf, result->notes);
        tk_buf_puts(buf, ",\"error_code\":");
        put_text(buf, failed ? result->code : NULL);
        tk_buf_puts(buf, ",\"error_type\":");
        put_text(buf, failed ? result->type : NULL);
        tk_buf_puts(buf, ",\"context\":");
        put_object(buf, failed ? result->details : NULL);
        tk_buf_putc(buf, '}');
}

static void put_error(struct tk_buf *buf, const struct tkw_result *result)
{
        if (result->verdict == WORK_SUCCESS) {
                tk_buf_puts(buf, "null");
                return;
        }
        tk_buf_puts(buf, "{\"message\":");
        put_text(buf, result->message);
        tk_buf_puts(buf, ",\"error_type\":");
        put_text(buf, result->type);
        tk_buf_printf(buf, ",\"backtrace\":[],\"retryable\":%s", result->verdict == WORK_RETRYABLE ? "true" : "false");
        if (result->details) {
                tk_buf_puts(buf, ",\"context\":");
                put_object(buf, result->details);
        }
        tk_buf_putc(buf, '}');
}

/* The delay a handler asked for; whole seconds, rounded up, as the contract has it (the exact one travels beside). */
static void put_hint(struct tk_buf *buf, const struct tkw_result *result)
{
        if (result->verdict != WORK_RETRYABLE || result->retry_after_ms < 0) {
                tk_buf_puts(buf, "null");
                return;
        }
        tk_buf_printf(buf, "{\"headers\":{},\"error_context\":null,\"backoff_hint\":{\"backoff_type\":\"ServerRequested\","
                      "\"delay_seconds\":%lld,\"context\":null},\"custom\":{}}", (long long)((result->retry_after_ms + 999) / 1000));
}

void work_document_write(const struct work_execution *execution, const struct tkw_result *result, struct tk_buf *buf)
{
        char step[TK_UUID_TEXT];
        bool success = result->verdict == WORK_SUCCESS;
        TK_CHECK(result->verdict != WORK_NO_VERDICT);
        tk_uuid_format(&execution->step, step);
        tk_buf_printf(buf, "{\"step_uuid\":\"%s\",\"success\":%s,\"result\":", step, success ? "true" : "false");
        if (success && result->whole)
                tk_json_dump(result->whole, buf);
        else
                put_object(buf, success ? result->members : NULL);
        tk_buf_printf(buf, ",\"status\":\"%s\",\"metadata\":", status(execution, result));
        put_metadata(buf, execution, result);
        tk_buf_puts(buf, ",\"error\":");
        put_error(buf, result);
        tk_buf_puts(buf, ",\"orchestration_metadata\":");
        put_hint(buf, result);
        tk_buf_putc(buf, '}');
}
