/* SPDX-License-Identifier: MIT */
/* base/buf.h: a growing byte buffer with a mandatory maximum. Failure is sticky: append freely, check once with
 * tk_buf_failed(). The bytes are always followed by a NUL that does not count. Not thread-safe. */
#pragma once
#include "base/attr.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tk_buf {
        char *data; /* NULL while empty; owned */
        size_t len, cap, max;
        bool failed; /* an append would have passed max; the content is then incomplete */
};

void tk_buf_init(struct tk_buf *buf, size_t max);
void tk_buf_deinit(struct tk_buf *buf); /* re-usable afterwards */
void tk_buf_reset(struct tk_buf *buf);  /* length 0, memory kept, failure cleared */
void tk_buf_put(struct tk_buf *buf, const void *data, size_t len);
void tk_buf_puts(struct tk_buf *buf, const char *text);
void tk_buf_putc(struct tk_buf *buf, char c);
void tk_buf_printf(struct tk_buf *buf, const char *fmt, ...) TK_PRINTF(2, 3);
/* A JSON string literal with quotes; bytes must be UTF-8 (invalid ones become U+FFFD). */
void tk_buf_put_json_str(struct tk_buf *buf, const char *text, size_t len);
/* Room for len more bytes at the end, already counted in len; NULL when failed. */
void *tk_buf_grow(struct tk_buf *buf, size_t len);
/* Hands the bytes to the caller (tk_free), leaves the buffer empty. "" when nothing was put. */
TK_MUST char *tk_buf_take(struct tk_buf *buf);
static inline bool tk_buf_failed(const struct tk_buf *buf) { return buf->failed; }
static inline const char *tk_buf_str(const struct tk_buf *buf) { return buf->data ? buf->data : ""; }
static inline void tk_buf_deinit_p(struct tk_buf *buf) { tk_buf_deinit(buf); }
/* Freed at the end of the scope; initialise it where it is declared: `TK_AUTOBUF struct tk_buf buf = {.max = 4096};`. */
#define TK_AUTOBUF __attribute__((cleanup(tk_buf_deinit_p)))
