/* SPDX-License-Identifier: MIT */
/* base/log.h: one event = one line with fields, to standard error. Thread-safe; a line is written by one write().
 * JSON for machines, text for people (colour only on a terminal). Library code returns, program code logs:
 * folders below shared/ log nothing above debug, except run/ (actor start and stop) and the adapters' reconnects. */
#pragma once
#include "base/attr.h"
#include <stddef.h>
#include <stdint.h>

enum tk_log_level { TK_LOG_ERROR, TK_LOG_WARN, TK_LOG_INFO, TK_LOG_DEBUG };
enum tk_log_format { TK_LOG_JSON, TK_LOG_TEXT };

struct tk_log_field {
        const char *key;
        enum { TK_LOG_F_STR, TK_LOG_F_I64, TK_LOG_F_F64, TK_LOG_F_BOOL, TK_LOG_F_JSON } kind;
        union { const char *s; int64_t i; double f; };
};
#define TK_STR(k, v) ((struct tk_log_field){.key = (k), .kind = TK_LOG_F_STR, .s = (v)})
#define TK_INT(k, v) ((struct tk_log_field){.key = (k), .kind = TK_LOG_F_I64, .i = (int64_t)(v)})
#define TK_F64(k, v) ((struct tk_log_field){.key = (k), .kind = TK_LOG_F_F64, .f = (v)})
#define TK_JSON(k, v) ((struct tk_log_field){.key = (k), .kind = TK_LOG_F_JSON, .s = (v)}) /* valid JSON, printed as it is, not cut */
#define TK_BOOL(k, v) ((struct tk_log_field){.key = (k), .kind = TK_LOG_F_BOOL, .i = !!(v)})

/* Once at start, before threads. `service` is printed on every line; static storage. */
void tk_log_init(const char *service, enum tk_log_level level, enum tk_log_format format);
void tk_log_set_level(enum tk_log_level level);
int tk_log_level_parse(const char *text, enum tk_log_level *ret_level); /* 0, or -EINVAL */
/* The name of this thread on its lines ("results", "http-1"); also set for the kernel, cut to 15 bytes. */
void tk_log_thread_name(const char *name);
int tk_log_enabled(enum tk_log_level level);
void tk_log_emit(enum tk_log_level level, const char *event, const char *msg, const struct tk_log_field *fields, size_t n);

/* event: stable dotted id ("task.created"); msg: a sentence for people (may be NULL). String values may be NULL. */
#define tk_log(level, event, msg, ...)                                                                       \
        do {                                                                                                 \
                if (tk_log_enabled(level)) {                                                                 \
                        const struct tk_log_field tk_log_f_[] = {{.key = NULL}, ##__VA_ARGS__};              \
                        tk_log_emit((level), (event), (msg), tk_log_f_ + 1, tk_countof(tk_log_f_) - 1);      \
                }                                                                                            \
        } while (0)
#define tk_log_error(event, msg, ...) tk_log(TK_LOG_ERROR, event, msg, ##__VA_ARGS__)
#define tk_log_warn(event, msg, ...) tk_log(TK_LOG_WARN, event, msg, ##__VA_ARGS__)
#define tk_log_info(event, msg, ...) tk_log(TK_LOG_INFO, event, msg, ##__VA_ARGS__)
#define tk_log_debug(event, msg, ...) tk_log(TK_LOG_DEBUG, event, msg, ##__VA_ARGS__)
