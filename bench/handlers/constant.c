/* SPDX-License-Identifier: MIT */
/* bench/handlers/constant.c: a handler that answers 1 at once, so that coordination is all that is measured. */
#include <tasker/worker.h>

static int constant(struct tkw_context *ctx, struct tkw_result *result)
{
        (void)ctx;
        return tkw_success_json(result, "1");
}

const struct tkw_module *tasker_handlers_v1(void)
{
        static const struct tkw_handler handlers[] = {{.name = "bench_constant", .fn = constant}};
        static const struct tkw_module module = {
                .abi = TKW_ABI, .name = "bench", .version = "1.0.0", .handlers = handlers, .handlers_n = 1};
        return &module;
}
