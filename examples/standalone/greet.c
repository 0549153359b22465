/* SPDX-License-Identifier: MIT */
/* A worker of one's own: two handlers and main. Built against an installed Tasker, see README.md. */
#include <tasker/worker.h>

static int compose(struct tkw_context *ctx, struct tkw_result *result)
{
        const char *name = tkw_str(tkw_input(ctx, "name")); /* of the task's context */
        const char *greeting = tkw_str(tkw_config(ctx, "greeting")); /* of the template */
        if (!name || !*name)
                return tkw_permanent(result, "ValidationError", "name is required");
        tkw_put_str(result, "text", tkw_format(ctx, "%s, %s!", greeting ? greeting : "Hello", name));
        return tkw_success(result);
}

static int deliver(struct tkw_context *ctx, struct tkw_result *result)
{
        const char *text = tkw_str(tkw_dependency(ctx, "compose", "text")); /* what the step before found */
        if (!text)
                return tkw_permanent(result, "ValidationError", "the result of compose has no text");
        if (tkw_info(ctx)->attempt == 1)
                return tkw_retryable(result, "MailboxBusy", "try again"); /* with the template's backoff */
        tkw_log(ctx, TKW_INFO, "delivered: %s", text);
        tkw_put_str(result, "delivered", text);
        return tkw_success(result);
}

int main(int argc, char **argv)
{
        static const struct tkw_handler handlers[] = {{.name = "compose", .fn = compose},
                                                      {.name = "deliver", .fn = deliver}};
        static const struct tkw_module module = {
                .abi = TKW_ABI, .name = "greet", .version = "1.0.0", .handlers = handlers, .handlers_n = 2};
        return tkw_worker_run(argc, argv, &module);
}
