/* SPDX-License-Identifier: MIT */
/* model/task_times.c: see the header. */
#include "model/task_times.h"
#include "base/str.h"
#include "base/time.h"
#include "model/task_request.h"
#include <errno.h>
#include <string.h>

enum { SECONDS_PER_DAY = 86400, DATE_LEN = 10 };
#define AHEAD_MAX_S ((int64_t)TK_TASK_AHEAD_MAX_DAYS * SECONDS_PER_DAY)

int tk_task_time_parse(const char *text, int64_t *ret_wall_ns)
{
        if (strlen(text) <= DATE_LEN || !strpbrk(text + DATE_LEN, "Zz+-"))
                return -EINVAL;
        return tk_time_parse(text, ret_wall_ns);
}

static int take_time(const json_t *request, const char *key, int64_t now_ns, int64_t *ret_ns, struct tk_err *err)
{
        const json_t *value = json_object_get(request, key);
        if (!value || json_is_null(value))
                return 0;
        if (!json_is_string(value))
                return TK_ERR(err, TK_TASK_REQUEST_E_SHAPE, "%s: invalid type, expected a time such as \"2026-01-31T12:00:00Z\"", key);
        if (tk_task_time_parse(json_string_value(value), ret_ns))
                return TK_ERR(err, TK_TASK_REQUEST_E_VALUE, "%s: must be a time with a zone, such as 2026-01-31T12:00:00Z, found '%.64s'", key,
                              json_string_value(value));
        if (*ret_ns > now_ns + AHEAD_MAX_S * TK_NS_PER_S)
                return TK_ERR(err, TK_TASK_REQUEST_E_VALUE, "%s: may be %d days ahead at most, found %.64s", key, TK_TASK_AHEAD_MAX_DAYS,
                              json_string_value(value));
        return 0;
}

static int take_timeout(const json_t *request, int32_t *ret_s, struct tk_err *err)
{
        const json_t *value = json_object_get(request, "timeout_seconds");
        if (!value || json_is_null(value))
                return 0;
        if (!json_is_integer(value))
                return TK_ERR(err, TK_TASK_REQUEST_E_SHAPE, "timeout_seconds: invalid type, expected a whole number");
        if (json_integer_value(value) < 1 || json_integer_value(value) > AHEAD_MAX_S)
                return TK_ERR(err, TK_TASK_REQUEST_E_VALUE, "timeout_seconds: must be between 1 and %lld, found %lld", (long long)AHEAD_MAX_S,
                              (long long)json_integer_value(value));
        *ret_s = (int32_t)json_integer_value(value);
        return 0;
}

static int take_on_timeout(const json_t *request, const char **ret, struct tk_err *err)
{
        static const char *const ways[] = {"error", "cancel"};
        const json_t *value = json_object_get(request, "on_timeout");
        if (!value || json_is_null(value))
                return 0;
        if (!json_is_string(value))
                return TK_ERR(err, TK_TASK_REQUEST_E_SHAPE, "on_timeout: invalid type, expected a string");
        for (size_t i = 0; i < tk_countof(ways); i++)
                if (tk_streq(json_string_value(value), ways[i])) {
                        *ret = ways[i];
                        return 0;
                }
        return TK_ERR(err, TK_TASK_REQUEST_E_VALUE, "on_timeout: must be error or cancel, found '%.64s'", json_string_value(value));
}

int tk_task_times_parse(const json_t *request, int64_t now_ns, struct tk_task_times *ret, struct tk_err *err)
{
        struct tk_task_times times = {0};
        int r = take_time(request, "run_at", now_ns, &times.run_at_ns, err);
        if (!r)
                r = take_time(request, "deadline", now_ns, &times.deadline_ns, err);
        if (!r)
                r = take_timeout(request, &times.timeout_s, err);
        if (!r)
                r = take_on_timeout(request, &times.on_timeout, err);
        if (r)
                return r;
        if (times.deadline_ns && times.deadline_ns <= now_ns)
                return TK_ERR(err, TK_TASK_REQUEST_E_VALUE, "deadline: must be to come, found %.64s",
                              json_string_value(json_object_get(request, "deadline")));
        if (times.deadline_ns && times.deadline_ns <= times.run_at_ns)
                return TK_ERR(err, TK_TASK_REQUEST_E_VALUE, "deadline: must be after run_at, found %.64s",
                              json_string_value(json_object_get(request, "deadline")));
        *ret = times;
        return 0;
}
