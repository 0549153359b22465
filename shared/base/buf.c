/* SPDX-License-Identifier: MIT */
/* base/buf.c: the growing buffer: doubles its memory up to `max`, then fails for good until it is reset. */
#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/utf8.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { CAP_FIRST = 512 }; /* most answers and frames fit: growing to it takes two more calls */

void tk_buf_init(struct tk_buf *buf, size_t max)
{
        *buf = (struct tk_buf){.max = max};
}

void tk_buf_deinit(struct tk_buf *buf)
{
        tk_free(buf->data);
        tk_buf_init(buf, buf->max);
}

void tk_buf_reset(struct tk_buf *buf)
{
        buf->len = 0;
        buf->failed = false;
        if (buf->data)
                buf->data[0] = 0;
}

/* Makes room for len more bytes and the NUL; false and sticky failure when the maximum forbids it. */
static bool reserve(struct tk_buf *buf, size_t len)
{
        size_t need, cap = buf->cap ? buf->cap : CAP_FIRST;

        if (buf->failed || len > buf->max || buf->len > buf->max - len ||
            __builtin_add_overflow(buf->len + len, 1, &need)) {
                buf->failed = true;
                return false;
        }
        if (need <= buf->cap)
                return true;
        while (cap < need)
                if (__builtin_mul_overflow(cap, 2, &cap))
                        cap = need;
        buf->data = tk_realloc(buf->data, cap, 1);
        buf->cap = cap;
        return true;
}

void *tk_buf_grow(struct tk_buf *buf, size_t len)
{
        char *at;

        if (!reserve(buf, len))
                return NULL;
        at = buf->data + buf->len;
        buf->len += len;
        buf->data[buf->len] = 0;
        return at;
}

void tk_buf_put(struct tk_buf *buf, const void *data, size_t len)
{
        char *at = tk_buf_grow(buf, len);

        if (at && len)
                memcpy(at, data, len);
}

void tk_buf_puts(struct tk_buf *buf, const char *text)
{
        tk_buf_put(buf, text, strlen(text));
}

void tk_buf_putc(struct tk_buf *buf, char c)
{
        tk_buf_put(buf, &c, 1);
}

void tk_buf_printf(struct tk_buf *buf, const char *fmt, ...)
{
        char small[256];
        va_list args, again;
        int n;

        va_start(args, fmt);
        va_copy(again, args);
        n = vsnprintf(small, sizeof small, fmt, args);
        va_end(args);
        TK_CHECK(n >= 0);
        if ((size_t)n < sizeof small) {
                tk_buf_put(buf, small, (size_t)n);
        } else {
                char *at = tk_buf_grow(buf, (size_t)n);
                if (at)
                        vsnprintf(at, (size_t)n + 1, fmt, again);
        }
        va_end(again);
}

static const char *json_escape(unsigned char c, char room[7])
{
        switch (c) {
        case '"': return "\\\"";
        case '\\': return "\\\\";
        case '\b': return "\\b";
        case '\f': return "\\f";
        case '\n': return "\\n";
        case '\r': return "\\r";
        case '\t': return "\\t";
        default:
                if (c >= 0x20)
                        return NULL;
                snprintf(room, 7, "\\u%04x", c);
                return room;
        }
}

void tk_buf_put_json_str(struct tk_buf *buf, const char *text, size_t len)
{
        const unsigned char *bytes = (const unsigned char *)text;
        size_t run = 0; /* start of the bytes that can be copied as they are */

        tk_buf_putc(buf, '"');
        for (size_t at = 0; at < len;) {
                char room[7];
                const char *escape = bytes[at] < 0x80 ? json_escape(bytes[at], room) : NULL;
                size_t size = escape ? 1 : tk_utf8_size(bytes + at, len - at);

                if (!size) {
                        escape = "\xef\xbf\xbd"; /* U+FFFD for each byte that makes no sense */
                        size = 1;
                }
                if (escape) {
                        tk_buf_put(buf, text + run, at - run);
                        tk_buf_puts(buf, escape);
                        run = at + size;
                }
                at += size;
        }
        tk_buf_put(buf, text + run, len - run);
        tk_buf_putc(buf, '"');
}

char *tk_buf_take(struct tk_buf *buf)
{
        char *data = buf->data ? buf->data : tk_strdup("");

        tk_buf_init(buf, buf->max);
        return data;
}
