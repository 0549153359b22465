/* SPDX-License-Identifier: MIT */
/* base/log.c: composes a line in memory and writes it at once. Level and format are set before threads start;
 * the level may change later. Long values are cut, so a line is bounded whatever it is given. */
#include "base/log.h"
#include "base/buf.h"
#include "base/time.h"
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { VALUE_MAX = 4096, LINE_MAX_BYTES = 64 * 1024, THREAD_NAME_MAX = 32 };

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static struct {
        const char *service;
        enum tk_log_format format;
        bool colour;
        atomic_int level;
} state = {.service = "tasker", .format = TK_LOG_TEXT, .level = TK_LOG_INFO};

static _Thread_local char thread_name[THREAD_NAME_MAX] = "main";

void tk_log_init(const char *service, enum tk_log_level level, enum tk_log_format format)
{
        state.service = service;
        state.format = format;
        state.colour = isatty(STDERR_FILENO) == 1;
        tk_log_set_level(level);
}

void tk_log_set_level(enum tk_log_level level)
{
        atomic_store_explicit(&state.level, (int)level, memory_order_relaxed);
}

int tk_log_level_parse(const char *text, enum tk_log_level *ret_level)
{
        for (size_t i = 0; i < tk_countof(level_names); i++) {
                if (!strcasecmp(text, level_names[i])) {
                        *ret_level = (enum tk_log_level)i;
                        return 0;
                }
        }
        return -EINVAL;
}

void tk_log_thread_name(const char *name)
{
        char kernel[16];

        snprintf(thread_name, sizeof thread_name, "%s", name);
        snprintf(kernel, sizeof kernel, "%s", name);
        pthread_setname_np(pthread_self(), kernel); /* fails only for long names */
}

int tk_log_enabled(enum tk_log_level level)
{
        return (int)level <= atomic_load_explicit(&state.level, memory_order_relaxed);
}

/* A bounded JSON string: cut at a character's border, marked with "…". */
static void put_str(struct tk_buf *line, const char *text)
{
        size_t len = strlen(text);

        if (len <= VALUE_MAX) {
                tk_buf_put_json_str(line, text, len);
                return;
        }
        len = VALUE_MAX;
        while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
                len--;
        tk_buf_put_json_str(line, text, len);
        line->len--; /* the closing quote */
        tk_buf_puts(line, "…\"");
}

static void put_value(struct tk_buf *line, const struct tk_log_field *field)
{
        switch (field->kind) {
        case TK_LOG_F_STR:
                if (field->s)
                        put_str(line, field->s);
                else
                        tk_buf_puts(line, "null");
                break;
        case TK_LOG_F_I64: tk_buf_printf(line, "%lld", (long long)field->i); break;
        case TK_LOG_F_F64:
                if (isfinite(field->f))
                        tk_buf_printf(line, "%.9g", field->f);
                else
                        tk_buf_puts(line, "null"); /* JSON has no infinity */
                break;
        case TK_LOG_F_JSON: tk_buf_puts(line, field->s); break;
        case TK_LOG_F_BOOL: tk_buf_puts(line, field->i ? "true" : "false"); break;
        }
}

static void put_member(struct tk_buf *line, const char *key, const char *value)
{
        tk_buf_putc(line, ',');
        put_str(line, key);
        tk_buf_putc(line, ':');
        put_str(line, value);
}

static void compose_json(struct tk_buf *line, const char *time, const char *level, const char *event,
                         const char *msg, const struct tk_log_field *fields, size_t n)
{
        tk_buf_printf(line, "{\"time\":\"%s\",\"level\":\"%s\"", time, level);
        put_member(line, "service", state.service);
        put_member(line, "thread", thread_name);
        put_member(line, "event", event);
        if (msg)
                put_member(line, "msg", msg);
        for (size_t i = 0; i < n; i++) {
                tk_buf_putc(line, ',');
                put_str(line, fields[i].key);
                tk_buf_putc(line, ':');
                put_value(line, &fields[i]);
        }
        tk_buf_puts(line, "}\n");
}

/* Bare when it reads as one word, quoted otherwise. */
static void put_text_value(struct tk_buf *line, const struct tk_log_field *field)
{
        bool bare = field->kind == TK_LOG_F_STR && field->s && *field->s && strlen(field->s) < VALUE_MAX;

        for (const char *at = field->s; bare && *at; at++)
                bare = *at > ' ' && *at < 0x7f && *at != '"' && *at != '\\';
        if (bare)
                tk_buf_puts(line, field->s);
        else
                put_value(line, field);
}

static void compose_text(struct tk_buf *line, const char *time, enum tk_log_level level, const char *event,
                         const char *msg, const struct tk_log_field *fields, size_t n)
{
        static const char *const colours[] = {"\033[31m", "\033[33m", "\033[32m", "\033[2m"};
        const char *on = state.colour ? colours[level] : "", *off = state.colour ? "\033[0m" : "";

        tk_buf_printf(line, "%s %s%-5s%s %s %s", time, on, level_names[level], off, thread_name, event);
        if (msg) {
                tk_buf_puts(line, ": ");
                put_str(line, msg);
        }
        for (size_t i = 0; i < n; i++) {
                tk_buf_printf(line, " %s=", fields[i].key);
                put_text_value(line, &fields[i]);
        }
        tk_buf_putc(line, '\n');
}

static void compose(struct tk_buf *line, enum tk_log_level level, const char *event, const char *msg,
                    const struct tk_log_field *fields, size_t n)
{
        char time[TK_TIME_TEXT];

        tk_time_format(tk_time_wall_ns(), 6, time);
        if (state.format == TK_LOG_JSON)
                compose_json(line, time, level_names[level], event, msg, fields, n);
        else
                compose_text(line, time, level, event, msg, fields, n);
}

static void write_all(const char *data, size_t len)
{
        while (len) {
                ssize_t n = write(STDERR_FILENO, data, len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return; /* where would we log that? */
                data += n;
                len -= (size_t)n;
        }
}

void tk_log_emit(enum tk_log_level level, const char *event, const char *msg,
                 const struct tk_log_field *fields, size_t n)
{
        int saved_errno = errno; /* callers log before they look at errno */
        TK_AUTOBUF struct tk_buf line;

        tk_buf_init(&line, LINE_MAX_BYTES);
        compose(&line, level, event, msg, fields, n);
        if (tk_buf_failed(&line)) {
                const struct tk_log_field cut = TK_INT("fields_dropped", n);
                tk_buf_reset(&line);
                compose(&line, level, event, msg, &cut, 1);
        }
        write_all(tk_buf_str(&line), line.len);
        errno = saved_errno;
}
