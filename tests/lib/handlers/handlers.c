/* SPDX-License-Identifier: MIT */
/* tests/lib/handlers/handlers.c: handlers that take time, crash, hang or answer much, for tests of the whole system. Each
 * run is written down (one line in the file the context names as `journal`), so that a test can count executions. */
#include "handlers.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SLICE_MS = 5, LINE_MAX_BYTES = 512, STALL_MS = 600000 };

static int64_t number(struct tkw_context *ctx, const char *name, int64_t otherwise)
{
        int64_t value = otherwise;
        if (!tkw_i64(tkw_input(ctx, name), &value))
                (void)tkw_i64(tkw_config(ctx, name), &value);
        return value;
}

/* One write() of one short line: whole or not at all, whoever else writes. */
static void journal(struct tkw_context *ctx, const char *what)
{
        const struct tkw_info *info = tkw_info(ctx);
        const char *path = tkw_str(tkw_input(ctx, "journal"));
        char line[LINE_MAX_BYTES];
        int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644) : -1;
        if (fd < 0)
                return;
        int len = snprintf(line, sizeof line, "%s %s %s %u\n", what, info->task_uuid, info->step_name, info->attempt);
        if (write(fd, line, (size_t)len) != len)
                tkw_log(ctx, TKW_ERROR, "journal: %s", strerror(errno));
        close(fd);
}

bool test_pause_ms(struct tkw_context *ctx, int64_t ms, bool until_cancelled)
{
        struct timespec slice = {.tv_nsec = SLICE_MS * 1000000L};
        for (int64_t left = ms; left > 0; left -= SLICE_MS) {
                if (until_cancelled && tkw_cancelled(ctx))
                        return false;
                if (left < SLICE_MS)
                        slice.tv_nsec = (long)left * 1000000L;
                nanosleep(&slice, NULL);
        }
        return true;
}

/* Waits while the file that this member of the context names is there (tests/lib/gate.py). False: it was cancelled meanwhile, and asked to look. */
static bool wait_at(struct tkw_context *ctx, const char *name, bool until_cancelled)
{
        const char *gate = tkw_str(tkw_input(ctx, name));
        while (gate && !access(gate, F_OK))
                if (!test_pause_ms(ctx, SLICE_MS, until_cancelled))
                        return false;
        return true;
}

/* Decides as the task's context says: {"decide": {step name: [names] or any JSON as the whole outcome}}; without: no branches. */
static int decide(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *said = tkw_input(ctx, tkw_format(ctx, "decide/%s", tkw_info(ctx)->step_name));
        journal(ctx, "decide");
        test_pause_ms(ctx, number(ctx, "decide_ms", 0), false);
        if (!said)
                return tkw_no_branches(result);
        if (tkw_type(said) == TKW_ARRAY)
                tkw_put_json(result, "decision_point_outcome", tkw_format(ctx, "{\"type\":\"create_steps\",\"step_names\":%s}", tkw_json(ctx, said)));
        else if (tkw_type(said) != TKW_NULL)
                tkw_put_value(result, "decision_point_outcome", said);
        return tkw_success(result);
}

/* Takes sleep_ms (of the context, or of the handler's configuration) once it is through the gate, and stops early when cancelled. */
static int work(struct tkw_context *ctx, struct tkw_result *result)
{
        journal(ctx, "begin");
        if (!wait_at(ctx, "gate", true) || !test_pause_ms(ctx, number(ctx, "sleep_ms", 0), true)) {
                journal(ctx, "cancelled");
                return tkw_retryable(result, "Cancelled", "told to stop");
        }
        journal(ctx, "end");
        tkw_put_str(result, "step", tkw_info(ctx)->step_name);
        tkw_put_i64(result, "attempt", tkw_info(ctx)->attempt);
        return tkw_success(result);
}

/* Ends the worker process on the first `crashes` attempts. */
static int crash(struct tkw_context *ctx, struct tkw_result *result)
{
        journal(ctx, "begin");
        if (tkw_info(ctx)->attempt <= number(ctx, "crashes", 1))
                abort();
        tkw_put_i64(result, "attempt", tkw_info(ctx)->attempt);
        return tkw_success(result);
}

/* Does not look at anything until it is through the gate that the context's `hang` names. */
static int hang(struct tkw_context *ctx, struct tkw_result *result)
{
        journal(ctx, "begin");
        wait_at(ctx, "hang", false);
        journal(ctx, "end");
        return tkw_success(result);
}

/* Answers `bytes` bytes of text. */
static int much(struct tkw_context *ctx, struct tkw_result *result)
{
        size_t n = (size_t)number(ctx, "bytes", 1000);
        char *text = malloc(n + 1);
        if (!text)
                return tkw_permanent(result, "NoMemory", "%zu bytes are not to be had", n);
        memset(text, 'x', n);
        text[n] = '\0';
        tkw_put_str(result, "text", text);
        free(text);
        return tkw_success(result);
}

/* How long the `text` of every ancestor is. */
static int measure(struct tkw_context *ctx, struct tkw_result *result)
{
        int64_t total = 0;
        const char *name;
        for (size_t at = 0; (name = tkw_dependency_name(ctx, NULL, at)); at++) {
                const char *text = tkw_str(tkw_dependency(ctx, name, "text"));
                total += text ? (int64_t)strlen(text) : 0;
        }
        tkw_put_i64(result, "total", total);
        return tkw_success(result);
}

/* Asks for as many batches as the context's `batches` says, or says its `outcome` as it is. */
static int analyze(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *said = tkw_input(ctx, "outcome");
        int64_t n = number(ctx, "batches", 0);
        journal(ctx, "analyze");
        if (said) {
                tkw_put_value(result, "batch_processing_outcome", said);
                return tkw_success(result);
        }
        return tkw_add_batches(result, 0, n, (unsigned)n) ? tkw_create_batches(result, NULL, n) : tkw_no_batches(result, NULL);
}

/* One batch: takes sleep_ms; fails for good when the context's `broken` is its batch_id, or at its first attempt when it is one of the first
 * `broken_once`. */
static int batch(struct tkw_context *ctx, struct tkw_result *result)
{
        const char *id = tkw_str(tkw_step_input(ctx, "cursor/batch_id")), *broken = tkw_str(tkw_input(ctx, "broken"));
        journal(ctx, "begin");
        wait_at(ctx, "gate", false);
        test_pause_ms(ctx, number(ctx, "sleep_ms", 0), false);
        journal(ctx, "end");
        if (id && broken && !strcmp(id, broken))
                return tkw_permanent(result, "Broken", "batch %s is broken", id);
        if (id && tkw_info(ctx)->attempt == 1 && strtol(id, NULL, 10) <= number(ctx, "broken_once", -1))
                return tkw_permanent(result, "Broken", "batch %s is broken once", id);
        tkw_put_value(result, "inputs", tkw_step_input(ctx, NULL));
        tkw_put_bool(result, "no_op", tkw_is_no_op(ctx));
        return tkw_success(result);
}

/* Counts to `count`, a checkpoint after each; ends the worker on its first attempt once it is at `crash_at`. */
static int counter(struct tkw_context *ctx, struct tkw_result *result)
{
        int64_t at = 0, sum = 0, history;
        journal(ctx, "begin");
        (void)tkw_i64(tkw_checkpoint(ctx, "cursor/at"), &at);
        (void)tkw_i64(tkw_checkpoint(ctx, "accumulated_results"), &sum);
        history = (int64_t)tkw_count(tkw_checkpoint(ctx, "history"));
        if (at == number(ctx, "crash_at", -1) && tkw_info(ctx)->attempt == 1)
                abort();
        if (at == number(ctx, "too_large_at", -1)) {
                char *text = calloc(1, 2 << 20);
                if (!text)
                        return tkw_retryable(result, "NoMemory", "2 MiB are not to be had");
                memset(text, 'x', (2 << 20) - 1);
                text[0] = text[(2 << 20) - 2] = '"';
                tkw_checkpoint_yield(result, "1", at, text);
                free(text);
                return 0;
        }
        if (at < number(ctx, "count", 10)) {
                test_pause_ms(ctx, number(ctx, "sleep_ms", 0), false);
                return tkw_checkpoint_yield(result, tkw_format(ctx, "{\"at\":%lld}", (long long)at + 1), at + 1,
                                            tkw_format(ctx, "%lld", (long long)(sum + at + 1)));
        }
        tkw_put_i64(result, "sum", sum);
        tkw_put_i64(result, "history", history);
        tkw_put_i64(result, "attempt", tkw_info(ctx)->attempt);
        return tkw_success(result);
}

/* The names of the ancestors with a result, and of those that failed in a batch that went on. */
static int names(struct tkw_context *ctx, struct tkw_result *result)
{
        char text[LINE_MAX_BYTES * 16];
        const char *name, *comma = "";
        size_t n = (size_t)snprintf(text, sizeof text, "["), all = 0, failed = 0;
        journal(ctx, "begin");
        for (; (name = tkw_dependency_name(ctx, NULL, all)); all++, comma = ",")
                if (n < sizeof text - LINE_MAX_BYTES)
                        n += (size_t)snprintf(text + n, sizeof text - n, "%s\"%s\"", comma, name);
        snprintf(text + n, sizeof text - n, "]");
        tkw_put_json(result, "names", text);
        tkw_put_i64(result, "count", (int64_t)all);
        for (; (name = tkw_failed_dependency_name(ctx, NULL, failed)); failed++)
                tkw_put_str(result, name, tkw_str(tkw_dependency_error(ctx, name, "error_type")));
        tkw_put_i64(result, "failed", (int64_t)failed);
        return tkw_success(result);
}

/* Returns something that is no result. */
static int nonsense(struct tkw_context *ctx, struct tkw_result *result)
{
        (void)ctx;
        tkw_put_json(result, "broken", "{\"a\":");
        return tkw_success(result);
}

/* Asks to be tried again after delay_ms, and fails for good when `gives_up` is reached. */
static int later(struct tkw_context *ctx, struct tkw_result *result)
{
        unsigned attempt = tkw_info(ctx)->attempt;
        journal(ctx, "begin");
        if (attempt == number(ctx, "gives_up", 0))
                return tkw_permanent(result, "GaveUp", "gave up at attempt %u", attempt);
        if (attempt > number(ctx, "failures", 1))
                return tkw_success(result);
        tkw_set_retry_after(result, number(ctx, "delay_ms", 0));
        return tkw_retryable(result, "Busy", "busy at attempt %u", attempt);
}

/* Starts the task that the context's `sub` asks for (of a list: the entry of this attempt) and waits for it; without one it only succeeds. */
static int sub_task(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *sub = tkw_input(ctx, "sub"), *context;
        int64_t priority;
        journal(ctx, "begin");
        if (tkw_type(sub) == TKW_ARRAY)
                sub = tkw_at(sub, tkw_info(ctx)->attempt - 1);
        if (tkw_config(ctx, "endless"))
                return tkw_start_task(result, &(struct tkw_task){.name = tkw_info(ctx)->template_name});
        if (tkw_type(sub) != TKW_OBJECT)
                return tkw_success(result);
        wait_at(ctx, "hang", false);
        context = tkw_get(sub, "context");
        struct tkw_task task = {
                .namespace_name = tkw_str(tkw_get(sub, "namespace")), .name = tkw_str(tkw_get(sub, "name")),
                .version = tkw_str(tkw_get(sub, "version")), .reason = tkw_str(tkw_get(sub, "reason")),
                .context_json = context ? tkw_json(ctx, context) : NULL,
                .tags_json = tkw_get(sub, "tags") ? tkw_json(ctx, tkw_get(sub, "tags")) : NULL,
        };
        int32_t asked = 0;
        if (tkw_i64(tkw_get(sub, "priority"), &priority)) {
                asked = (int32_t)priority;
                task.priority = &asked;
        }
        (void)tkw_bool(tkw_get(sub, "wait_blocked"), &task.wait_blocked);
        return tkw_start_task(result, &task);
}

/* Does nothing at its first attempt until it is told to stop. */
static int stall(struct tkw_context *ctx, struct tkw_result *result)
{
        journal(ctx, "begin");
        if (tkw_info(ctx)->attempt == 1)
                test_pause_ms(ctx, STALL_MS, true);
        journal(ctx, "end");
        return tkw_success(result);
}

int publish(struct tkw_context *ctx, struct tkw_result *result); /* events.c */

const struct tkw_module *tasker_handlers_v1(void)
{
        static const struct tkw_handler handlers[] = {
                {.name = "test.work", .fn = work},       {.name = "test.crash", .fn = crash},
                {.name = "test.hang", .fn = hang},       {.name = "test.much", .fn = much},
                {.name = "test.measure", .fn = measure}, {.name = "test.nonsense", .fn = nonsense},
                {.name = "test.later", .fn = later},     {.name = "test.decide", .fn = decide},
                {.name = "test.names", .fn = names},     {.name = "test.analyze", .fn = analyze},
                {.name = "test.batch", .fn = batch},     {.name = "test.counter", .fn = counter},
                {.name = "test.publish", .fn = publish},
                {.name = "test.sub_task", .fn = sub_task},
                {.name = "test.stall", .fn = stall},
                {.name = "test.model", .fn = test_model},
        };
        static const struct tkw_module module = {.abi = TKW_ABI, .name = "tests", .version = "1", .handlers = handlers,
                                                 .handlers_n = sizeof handlers / sizeof handlers[0]};
        return &module;
}
