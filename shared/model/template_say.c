/* SPDX-License-Identifier: MIT */
/* model/template_say.c: errors and warnings with the place in the file they are about. */
#include "model/template_internal.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { WARNINGS_MAX = 200, MESSAGE_MAX = 400 };

static void locate(const struct tk_template_source *src, const char *pointer, char *ret, size_t size)
{
        struct tk_yaml_place place = {0, 0};
        if (src->tree)
                place = tk_yaml_place(src->tree, pointer);
        if (place.line)
                snprintf(ret, size, "%s:%u:%u", src->file, place.line, place.column);
        else
                snprintf(ret, size, "%s: %s", src->file, *pointer ? pointer : "/");
}

int tk_template_fail(const struct tk_template_source *src, struct tk_err *err, const char *pointer, const char *fmt, ...)
{
        char where[MESSAGE_MAX], what[MESSAGE_MAX];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(what, sizeof what, fmt, ap);
        va_end(ap);
        locate(src, pointer, where, sizeof where);
        return TK_ERR(err, -EINVAL, "%s: %s", where, what);
}

void tk_template_warn(struct tk_template_source *src, const char *pointer, const char *fmt, ...)
{
        char where[MESSAGE_MAX], what[MESSAGE_MAX];
        if (!src->warnings)
                src->warnings = TK_ARENA_ARRAY(src->arena, char *, WARNINGS_MAX);
        if (src->warnings_n == WARNINGS_MAX)
                return;
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(what, sizeof what, fmt, ap);
        va_end(ap);
        locate(src, pointer, where, sizeof where);
        src->warnings[src->warnings_n++] = tk_arena_printf(src->arena, "%s: %s", where, what);
}
