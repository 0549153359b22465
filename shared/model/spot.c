/* SPDX-License-Identifier: MIT */
/* model/spot.c: see the header. Marks are packed into the pointer that the map keeps: 40 bits line, 23 bits column. */
#include "model/spot.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { KEY_TEXT_MAX = 1024, PATH_MAX_BYTES = 300, COLUMN_BITS = 23 };

_Static_assert(sizeof(uintptr_t) == 8, "marks are packed into a pointer");

/* The container's address, then the member's name or the element's number. Objects and arrays never share one. */
static size_t mark_key(const json_t *container, const char *key, size_t index, char ret[KEY_TEXT_MAX])
{
        size_t len = key ? strlen(key) : sizeof index;

        if (len > KEY_TEXT_MAX - sizeof container)
                len = KEY_TEXT_MAX - sizeof container;
        memcpy(ret, &container, sizeof container);
        memcpy(ret + sizeof container, key ? (const void *)key : (const void *)&index, len);
        return sizeof container + len;
}

void tk_document_deinit(struct tk_document *document)
{
        json_decref(document->root);
        tk_map_free(document->marks);
        *document = (struct tk_document){0};
}

void tk_document_mark(struct tk_document *document, const json_t *container, const char *key, size_t index,
                      struct tk_mark mark)
{
        unsigned column_max = (1U << COLUMN_BITS) - 1;
        uintptr_t packed = (uintptr_t)mark.line << COLUMN_BITS | (mark.column < column_max ? mark.column : column_max);
        char text[KEY_TEXT_MAX];
        size_t len = mark_key(container, key, index, text);

        tk_map_put(document->marks, text, len, (void *)packed);
}

/* The position of the spot, or of the nearest thing around it that has one. */
static struct tk_mark mark_of(const struct tk_document *document, const struct tk_spot *spot)
{
        char text[KEY_TEXT_MAX];

        for (; spot && spot->up; spot = spot->up) {
                size_t len = mark_key(spot->container, spot->key, spot->index, text);
                uintptr_t packed = (uintptr_t)tk_map_get(document->marks, text, len);
                if (packed)
                        return (struct tk_mark){(unsigned)(packed >> COLUMN_BITS),
                                                (unsigned)(packed & ((1U << COLUMN_BITS) - 1))};
        }
        return (struct tk_mark){1, 1};
}

static void put_path(const struct tk_spot *spot, struct tk_buf *buf)
{
        if (!spot || !spot->up)
                return;
        put_path(spot->up, buf);
        if (spot->key)
                tk_buf_printf(buf, "%s%.64s", spot->up->up ? "." : "", spot->key);
        else
                tk_buf_printf(buf, "[%zu]", spot->index);
}

void tk_spot_put(const struct tk_document *document, const struct tk_spot *spot, struct tk_buf *buf)
{
        TK_AUTOBUF struct tk_buf path = {.max = PATH_MAX_BYTES};

        if (document->file)
                tk_buf_printf(buf, "%s:", document->file);
        if (document->marks) {
                struct tk_mark mark = mark_of(document, spot);
                tk_buf_printf(buf, "%u:%u:", mark.line, mark.column);
        }
        if (document->file || document->marks)
                tk_buf_putc(buf, ' ');
        put_path(spot, &path);
        if (path.len)
                tk_buf_printf(buf, "%s: ", tk_buf_str(&path));
}

int tk_spot_wrong(const struct tk_document *document, const struct tk_spot *spot, struct tk_err *err, const char *fmt,
                  ...)
{
        TK_AUTOBUF struct tk_buf place = {.max = TK_ERR_TEXT_MAX};
        char text[TK_ERR_TEXT_MAX];
        va_list args;

        tk_spot_put(document, spot, &place);
        va_start(args, fmt);
        (void)vsnprintf(text, sizeof text, fmt, args);
        va_end(args);
        return TK_ERR(err, -EINVAL, "%s%s", tk_buf_str(&place), text);
}
