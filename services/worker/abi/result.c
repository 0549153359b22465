/* SPDX-License-Identifier: MIT */
/* worker/abi/result.c: handlers fill a result. A value that cannot be taken is remembered and fails the step in the end,
 * so that handlers need not check every call. */
#include "worker/abi/result.h"
#include "base/mem.h"
#include "base/str.h"
#include "worker/abi/value.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { TYPE_MAX = 128, CODE_MAX = 128, MESSAGE_MAX = 8 * 1024, MEMBERS_MAX = 10000 };
#define RETRY_AFTER_MAX_MS (INT64_C(3600) * 1000) /* as settle_steps has it */

static const struct tk_json_limits value_limits = {
        .bytes_max = 64u << 20, .depth_max = 64, .entries_max = 1000000, .string_max = 64u << 20};

void work_result_init(struct tkw_result *result)
{
        *result = (struct tkw_result){.members = json_object(), .retry_after_ms = -1};
}

void work_result_deinit(struct tkw_result *result)
{
        json_decref(result->members);
        json_decref(result->whole);
        json_decref(result->details);
        json_decref(result->notes);
        json_decref(result->events);
        json_decref(result->batches);
        json_decref(result->cursor);
        json_decref(result->accumulated);
        json_decref(result->task);
        tk_free(result->type);
        tk_free(result->message);
        tk_free(result->code);
        *result = (struct tkw_result){0};
}

static void broken(struct tkw_result *result, const char *name, const char *why)
{
        if (!result->broken.code)
                (void)TK_ERR(&result->broken, -EINVAL, "result member \"%.100s\": %s", name, why);
}

/* Takes over value; NULL: it could not be made. */
static void put(struct tkw_result *result, json_t *object, const char *name, json_t *value, const char *why)
{
        if (!name)
                broken(result, "", "has no name");
        else if (!value)
                broken(result, name, why);
        else if (json_object_size(object) >= MEMBERS_MAX)
                broken(result, name, "more than 10000 members");
        else if (!json_object_set(object, name, value))
                ;
        else
                broken(result, name, "its name is not UTF-8");
        json_decref(value);
}

static json_t *parse(const char *text, struct tk_err *err)
{
        json_t *value = NULL;
        if (!text)
                (void)TK_ERR(err, -EINVAL, "no text");
        else if (tk_json_parse(text, strlen(text), &value_limits, &value, err))
                value = NULL;
        return value;
}

static json_t *text_or_null(const char *text)
{
        return text ? json_string(text) : json_null();
}

void tkw_put_str(struct tkw_result *result, const char *name, const char *value)
{
        put(result, result->members, name, text_or_null(value), "the text is not UTF-8");
}

void tkw_put_i64(struct tkw_result *result, const char *name, int64_t value)
{
        put(result, result->members, name, json_integer(value), "no memory");
}

void tkw_put_f64(struct tkw_result *result, const char *name, double value)
{
        put(result, result->members, name, isfinite(value) ? json_real(value) : json_null(), "no memory");
}

void tkw_put_bool(struct tkw_result *result, const char *name, bool value)
{
        put(result, result->members, name, json_boolean(value), "no memory");
}

void tkw_put_null(struct tkw_result *result, const char *name)
{
        put(result, result->members, name, json_null(), "no memory");
}

void tkw_put_value(struct tkw_result *result, const char *name, const struct tkw_value *value)
{
        put(result, result->members, name, work_value_copy(value), "no memory");
}

void work_result_put(struct tkw_result *result, const char *name, json_t *value, const char *why)
{
        put(result, result->members, name, value, why);
}

json_t *work_result_parse(struct tkw_result *result, const char *name, const char *text)
{
        struct tk_err err = {0};
        json_t *value = parse(text, &err);
        if (!value)
                broken(result, name, tk_err_text(&err));
        return value;
}

static void put_text(struct tkw_result *result, json_t *object, const char *name, const char *text)
{
        struct tk_err err = {0};
        json_t *value = parse(text, &err);
        put(result, object, name, value, tk_err_text(&err));
}

void tkw_put_json(struct tkw_result *result, const char *name, const char *text)
{
        put_text(result, result->members, name, text);
}

int tkw_success(struct tkw_result *result)
{
        result->verdict = WORK_SUCCESS;
        return 0;
}

int tkw_success_json(struct tkw_result *result, const char *text)
{
        struct tk_err err = {0};
        json_decref(result->whole);
        result->whole = parse(text, &err);
        if (!result->whole)
                broken(result, "", tk_err_text(&err));
        return tkw_success(result);
}

/* A bounded copy that is UTF-8 in any case, since it may hold bytes of the handler's input. */
static char *text_copy(const char *text, size_t max)
{
        size_t len = strlen(text) < max ? strlen(text) : max;
        while (len && !tk_str_utf8_valid(text, len) && strlen(text) > max && len > max - 4)
                len--;
        if (tk_str_utf8_valid(text, len))
                return tk_strndup(text, len);
        char *copy = tk_strndup(text, len);
        for (char *at = copy; *at; at++)
                if ((unsigned char)*at >= 0x80)
                        *at = '?';
        return copy;
}

static void set_text(char **at, const char *text, size_t max)
{
        tk_free(*at);
        *at = text ? text_copy(text, max) : NULL;
}

void work_result_fail(struct tkw_result *result, enum work_verdict verdict, const char *type, const char *message)
{
        result->verdict = verdict;
        set_text(&result->type, type ? type : "handler_error", TYPE_MAX);
        set_text(&result->message, message, MESSAGE_MAX);
}

TK_PRINTF(4, 0)
static int fail(struct tkw_result *result, enum work_verdict verdict, const char *type, const char *fmt, va_list ap)
{
        char message[MESSAGE_MAX];
        vsnprintf(message, sizeof message, fmt, ap);
        work_result_fail(result, verdict, type, message);
        return 0;
}

int tkw_permanent(struct tkw_result *result, const char *type, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        int r = fail(result, WORK_PERMANENT, type, fmt, ap);
        va_end(ap);
        return r;
}

int tkw_retryable(struct tkw_result *result, const char *type, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        int r = fail(result, WORK_RETRYABLE, type, fmt, ap);
        va_end(ap);
        return r;
}

void tkw_set_code(struct tkw_result *result, const char *code)
{
        set_text(&result->code, code, CODE_MAX);
}

void tkw_set_retry_after(struct tkw_result *result, int64_t delay_ms)
{
        result->retry_after_ms = delay_ms < 0 ? 0 : delay_ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : delay_ms;
}

static void set_member(struct tkw_result *result, json_t **object, const char *name, const char *text)
{
        if (!*object)
                *object = json_object();
        put_text(result, *object, name, text);
}

void tkw_set_detail(struct tkw_result *result, const char *name, const char *text)
{
        set_member(result, &result->details, name, text);
}

void tkw_set_note(struct tkw_result *result, const char *name, const char *text)
{
        set_member(result, &result->notes, name, text);
}

void work_result_require(struct tkw_result *result, const char *member)
{
        char message[128];
        if (result->verdict != WORK_SUCCESS || json_object_get(result->whole ? result->whole : result->members, member))
                return;
        snprintf(message, sizeof message, "a step of this type must say its %s", member);
        work_result_fail(result, WORK_PERMANENT, "missing_outcome", message);
}

void work_result_conclude(struct tkw_result *result, int returned)
{
        char message[64];
        bool said_well = result->verdict == WORK_SUCCESS || result->verdict == WORK_YIELD || result->verdict == WORK_SUB_TASK;
        if (result->broken.code && (returned || said_well))
                work_result_fail(result, WORK_PERMANENT, "invalid_result", tk_err_text(&result->broken));
        else if (returned) {
                snprintf(message, sizeof message, "the handler returned %d", returned);
                work_result_fail(result, WORK_RETRYABLE, "handler_error", message);
        } else if (result->verdict == WORK_NO_VERDICT)
                work_result_fail(result, WORK_RETRYABLE, "handler_error", "the handler returned without stating a result");
}
