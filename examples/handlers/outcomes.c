/* SPDX-License-Identifier: MIT */
/* examples/handlers/outcomes.c: steps that succeed or fail on purpose, and one handler with several entry points. */
#include "tables.h"
#include <string.h>

static int fail_n_times(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_info *info = tkw_info(ctx);
        int64_t fail_count = 2;
        (void)tkw_i64(tkw_config(ctx, "fail_count"), &fail_count);
        if (info->retry_count < fail_count) /* the step's own count: nothing is kept here, so any worker may run it */
                return tkw_retryable(result, "TransientError",
                                     "attempt %u of at most %u fails on purpose (%lld failures wanted)",
                                     info->attempt, info->max_attempts, (long long)fail_count);
        tkw_put_i64(result, "attempts_before_success", (int64_t)info->retry_count + 1);
        tkw_put_i64(result, "fail_count", fail_count);
        tkw_put_str(result, "message", "succeeded");
        return tkw_success(result);
}

static int succeed(struct tkw_context *ctx, struct tkw_result *result)
{
        tkw_put_str(result, "status", "success");
        tkw_put_str(result, "message", example_text(ctx, "message", "done"));
        tkw_put_str(result, "handler", tkw_info(ctx)->callable);
        tkw_put_str(result, "timestamp", example_time(ctx, 0));
        return tkw_success(result);
}

static int fail_for_good(struct tkw_context *ctx, struct tkw_result *result)
{
        tkw_set_code(result, "PERMANENT_FAILURE");
        return tkw_permanent(result, "PermanentError", "%s", example_text(ctx, "error_message", "this can never work"));
}

static int fail_for_now(struct tkw_context *ctx, struct tkw_result *result)
{
        tkw_set_code(result, "TRANSIENT_FAILURE");
        return tkw_retryable(result, "RetryableError", "%s",
                             example_text(ctx, "error_message", "this may work another time"));
}

static int no_op(struct tkw_context *ctx, struct tkw_result *result)
{
        tkw_put_str(result, "step", tkw_info(ctx)->step_name);
        return tkw_success(result);
}

/* What its template's "operation" says: return_input gives back what the task was asked with. */
static int test_step(struct tkw_context *ctx, struct tkw_result *result)
{
        const char *operation = tkw_str(tkw_config(ctx, "operation"));
        if (!operation || strcmp(operation, "return_input") != 0)
                return tkw_permanent(result, "ValidationError", "operation must be return_input, found '%s'", operation ? operation : "");
        tkw_put_value(result, "test_input", tkw_input(ctx, "test_input"));
        return no_op(ctx, result);
}

/* ---- One handler, four entry points ---- */

static bool amount_of(struct tkw_context *ctx, double *ret)
{
        return tkw_f64(tkw_input(ctx, "data/amount"), ret) || tkw_f64(tkw_input(ctx, "amount"), ret);
}

static int no_amount(struct tkw_result *result)
{
        return tkw_permanent(result, "validation_error", "data.amount must be a number");
}

static int dispatched_validate(struct tkw_context *ctx, struct tkw_result *result)
{
        double amount;
        if (!amount_of(ctx, &amount))
                return no_amount(result);
        tkw_put_str(result, "invoked_method", "validate");
        tkw_put_bool(result, "validated", true);
        tkw_put_f64(result, "amount", amount);
        return tkw_success(result);
}

static int dispatched_process(struct tkw_context *ctx, struct tkw_result *result)
{
        double amount;
        if (!amount_of(ctx, &amount))
                return no_amount(result);
        tkw_put_str(result, "invoked_method", "process");
        tkw_put_f64(result, "processed_amount", example_cents(amount * 1.1)); /* with a fee of 10 % */
        return tkw_success(result);
}

static int dispatched_refund(struct tkw_context *ctx, struct tkw_result *result)
{
        double amount;
        if (!amount_of(ctx, &amount))
                return no_amount(result);
        tkw_put_str(result, "invoked_method", "refund");
        tkw_put_f64(result, "refund_amount", amount);
        tkw_put_str(result, "reason", example_text(ctx, "data/reason", "not given"));
        tkw_put_str(result, "refund_id", example_id(ctx, "refund_"));
        return tkw_success(result);
}

static int dispatched_call(struct tkw_context *ctx, struct tkw_result *result)
{
        (void)ctx;
        tkw_put_str(result, "invoked_method", "call");
        return tkw_success(result);
}

static const struct tkw_method entry_points[] = {
        {"validate", dispatched_validate}, {"process", dispatched_process}, {"refund", dispatched_refund}, {NULL, NULL},
};

static const struct tkw_handler example_outcomes_rows[] = {
        {.name = "FailNTimesHandler", .fn = fail_n_times},
        {.name = "ErrorScenarios::SuccessHandler", .fn = succeed},
        {.name = "ErrorScenarios::PermanentErrorHandler", .fn = fail_for_good},
        {.name = "ErrorScenarios::RetryableErrorHandler", .fn = fail_for_now},
        {.name = "TestHandlers::NoOpHandler", .fn = no_op},
        {.name = "TestStepHandler", .fn = test_step},
        {.name = "resolver_tests_multi_method", .fn = dispatched_call, .methods = entry_points},
};
EXAMPLE_TABLE(example_outcomes);
