/* SPDX-License-Identifier: MIT */
/* tests/lib/handlers/model.c: the handler of the model's random tasks (tests/model/generate.py). It acts out what the task's context
 * says for its step and attempt, and tells what it saw of the steps before it, or starts a task. */
#include "handlers.h"
#include <string.h>

/* The entry of this attempt: the last one counts for all later. */
static const struct tkw_value *entry_of(struct tkw_context *ctx)
{
        const struct tkw_info *info = tkw_info(ctx);
        int64_t at = 0;
        (void)tkw_i64(tkw_input(ctx, "at"), &at);
        const struct tkw_value *entries = tkw_get(tkw_at(tkw_input(ctx, "scripts"), (size_t)at), info->step_name);
        size_t n = tkw_count(entries);
        return n ? tkw_at(entries, (info->attempt < n ? info->attempt : n) - 1) : NULL;
}

/* How many results of earlier steps there are, and the sum of their values. */
static void look_around(struct tkw_context *ctx, struct tkw_result *result)
{
        int64_t n = 0, sum = 0, value;
        const char *name;
        for (size_t at = 0; (name = tkw_dependency_name(ctx, NULL, at)); at++, n++)
                if (tkw_i64(tkw_dependency(ctx, name, "value"), &value))
                        sum += value;
        tkw_put_i64(result, "seen", n);
        tkw_put_i64(result, "sum", sum);
}

int test_model(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_info *info = tkw_info(ctx);
        const struct tkw_value *entry = entry_of(ctx), *says = tkw_get(entry, "says");
        const char *how = tkw_str(tkw_get(entry, "how"));
        int64_t ms = 0, delay_ms, checkpoints = 0, at = 0;
        (void)tkw_i64(tkw_get(entry, "checkpoints"), &checkpoints);
        (void)tkw_i64(tkw_checkpoint(ctx, "cursor"), &at);
        if (at < checkpoints)
                return tkw_checkpoint_yield(result, tkw_format(ctx, "%lld", (long long)at + 1), at + 1, "null");
        (void)tkw_i64(tkw_get(entry, "ms"), &ms);
        if (how && !strcmp(how, "hang"))
                ms = 60000;
        if (ms && !test_pause_ms(ctx, ms, true))
                return tkw_retryable(result, "Cancelled", "told to stop");
        if (how && !strcmp(how, "nonsense")) {
                tkw_put_json(result, "broken", "{\"a\":");
                return tkw_success(result);
        }
        if (how && !strcmp(how, "permanent"))
                return tkw_permanent(result, "Scripted", "for good, at attempt %u", info->attempt);
        if (how && !strcmp(how, "retryable")) {
                if (tkw_i64(tkw_get(entry, "delay_ms"), &delay_ms))
                        tkw_set_retry_after(result, delay_ms);
                return tkw_retryable(result, "Scripted", "at attempt %u", info->attempt);
        }
        const struct tkw_value *sub = tkw_get(entry, "sub");
        if (sub) {
                struct tkw_task task = {.name = tkw_str(tkw_get(sub, "name"))};
                (void)tkw_i64(tkw_get(sub, "script"), &at);
                (void)tkw_bool(tkw_get(sub, "wait_blocked"), &task.wait_blocked);
                task.context_json = tkw_format(ctx, "{\"at\":%lld,\"scripts\":%s}", (long long)at, tkw_json(ctx, tkw_input(ctx, "scripts")));
                return tkw_start_task(result, &task);
        }
        look_around(ctx, result);
        tkw_put_i64(result, "value", 100 * (int64_t)info->attempt + (int64_t)strlen(info->step_name));
        const char *type = tkw_str(tkw_get(says, "type"));
        if (type)
                tkw_put_value(result, strstr(type, "batches") ? "batch_processing_outcome" : "decision_point_outcome", says);
        return tkw_success(result);
}
