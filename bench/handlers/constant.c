/* SPDX-License-Identifier: MIT */
/* bench/handlers/constant.c: a handler that answers 1 at once, so that coordination is all that is measured, and one that takes its time
 * before (`ms` of its initialization), so that something waits. */
#include <tasker/worker.h>
#include <time.h>

static int constant(struct tkw_context *ctx, struct tkw_result *result)
{
        (void)ctx;
        return tkw_success_json(result, "1");
}

static int unhurried(struct tkw_context *ctx, struct tkw_result *result)
{
        int64_t ms = 1;
        (void)tkw_i64(tkw_config(ctx, "ms"), &ms);
        nanosleep(&(struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000L}, NULL);
        return tkw_success_json(result, "1");
}

const struct tkw_module *tasker_handlers_v1(void)
{
        static const struct tkw_handler handlers[] = {{.name = "bench_constant", .fn = constant}, {.name = "bench_pause", .fn = unhurried}};
        static const struct tkw_module module = {
                .abi = TKW_ABI, .name = "bench", .version = "1.0.0", .handlers = handlers, .handlers_n = sizeof handlers / sizeof *handlers};
        return &module;
}
