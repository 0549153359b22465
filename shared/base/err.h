/* SPDX-License-Identifier: MIT */
/* base/err.h: how functions fail.
 *
 * `int` results: 0 done; negative = fatal (-errno), not examined, only passed up; positive = an outcome listed in the
 * enum of that function's header, handled by the direct caller. Text for people travels in an optional last
 * `struct tk_err *` at the edges (pg, json, conf, model, rpc); passing NULL is always allowed. */
#pragma once
#include "base/attr.h"
#include <stddef.h>

enum { TK_ERR_TEXT_MAX = 512 };

struct tk_err {
        int code;               /* what the failing function returned */
        const char *file;       /* source place; static storage */
        int line;
        char text[TK_ERR_TEXT_MAX]; /* one sentence, without a trailing newline; cut with "…" when too long */
};

/* Fills *err (NULL is fine) and returns code, so that `return TK_ERR(err, -EINVAL, "…", …)` reads well. */
int tk_err_fill(struct tk_err *err, int code, const char *file, int line, const char *fmt, ...) TK_PRINTF(5, 6);
#define TK_ERR(err, code, ...) tk_err_fill((err), (code), __FILE__, __LINE__, __VA_ARGS__)

/* Puts "prefix: " before the text that is there. */
void tk_err_prefix(struct tk_err *err, const char *fmt, ...) TK_PRINTF(2, 3);

/* The text, or strerror of the code when there is none. Never NULL. */
const char *tk_err_text(const struct tk_err *err);
