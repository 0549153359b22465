/* SPDX-License-Identifier: MIT */
/* model/task_times.h: when a task may start and when it must be complete, as its request says. Pure: no I/O, no clock. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { TK_TASK_AHEAD_MAX_DAYS = 366 }; /* how far ahead a start, a deadline or the end of a timeout may be */
struct tk_task_times {
        int64_t run_at_ns;   /* wall clock; 0: none */
        int64_t deadline_ns; /* wall clock; 0: none */
        int32_t timeout_s;   /* from its start; 0: the template's */
        const char *on_timeout; /* static: error, cancel; NULL: the template's */
};
/* Reads run_at, deadline (RFC 3339, with a zone), timeout_seconds and on_timeout of a request; null and absent are the same. A start that has
 * passed is now, a deadline must be to come and after the start. 0, or TK_TASK_REQUEST_E_SHAPE (wrong JSON type), _E_VALUE. */
TK_MUST int tk_task_times_parse(const json_t *request, int64_t now_ns, struct tk_task_times *ret, struct tk_err *err);
/* Whether any of them is given. */
static inline bool tk_task_times_any(const struct tk_task_times *times)
{
        return times->run_at_ns || times->deadline_ns || times->timeout_s || times->on_timeout;
}
/* RFC 3339 with its zone, which tk_time_parse alone would not insist on. 0, or -EINVAL. */
TK_MUST int tk_task_time_parse(const char *text, int64_t *ret_wall_ns);
