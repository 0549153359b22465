/* SPDX-License-Identifier: MIT */
/* base/err.c: bounded error texts. A text that does not fit ends in "…", cut between characters. */
#include "base/err.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char ellipsis[] = "…";

/* Ends a full buffer with the ellipsis, without leaving half a UTF-8 character before it. */
static void mark_cut(char text[TK_ERR_TEXT_MAX])
{
        size_t at = TK_ERR_TEXT_MAX - sizeof ellipsis;

        while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
                at--;
        memcpy(text + at, ellipsis, sizeof ellipsis);
}

int tk_err_fill(struct tk_err *err, int code, const char *file, int line, const char *fmt, ...)
{
        va_list args;
        int n;

        if (!err)
                return code;
        err->code = code;
        err->file = file;
        err->line = line;
        va_start(args, fmt);
        n = vsnprintf(err->text, sizeof err->text, fmt, args);
        va_end(args);
        if (n < 0)
                err->text[0] = 0;
        else if ((size_t)n >= sizeof err->text)
                mark_cut(err->text);
        return code;
}

void tk_err_prefix(struct tk_err *err, const char *fmt, ...)
{
        char old[TK_ERR_TEXT_MAX];
        va_list args;
        int n, rest;

        if (!err)
                return;
        memcpy(old, tk_err_text(err), strnlen(tk_err_text(err), sizeof old - 1) + 1);
        old[sizeof old - 1] = 0;
        va_start(args, fmt);
        n = vsnprintf(err->text, sizeof err->text, fmt, args);
        va_end(args);
        if (n < 0)
                n = 0;
        if ((size_t)n >= sizeof err->text) {
                mark_cut(err->text);
                return;
        }
        rest = snprintf(err->text + n, sizeof err->text - (size_t)n, ": %s", old);
        if (rest > 0 && (size_t)(n + rest) >= sizeof err->text)
                mark_cut(err->text);
}

const char *tk_err_text(const struct tk_err *err)
{
        if (err && err->text[0])
                return err->text;
        if (!err || err->code >= 0)
                return "unknown error";
        const char *text = strerrordesc_np(-err->code); /* static, unlike strerror: safe between threads */
        return text ? text : "unknown error";
}
