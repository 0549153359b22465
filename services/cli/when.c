/* SPDX-License-Identifier: MIT */
/* cli/when.c: see when.h. */
#include "cli/when.h"
#include "model/task_times.h"
#include <errno.h>

enum { DIGITS = 6 };

int cli_when_parse(const char *text, int64_t now_wall_ns, char ret_text[TK_TIME_TEXT])
{
        int64_t ns, ahead_ns;
        if (*text == '+') {
                if (tk_time_duration_parse(text + 1, &ahead_ns) || __builtin_add_overflow(now_wall_ns, ahead_ns, &ns))
                        return -EINVAL;
        } else if (tk_task_time_parse(text, &ns)) {
                return -EINVAL;
        }
        tk_time_format(ns, DIGITS, ret_text);
        return 0;
}
