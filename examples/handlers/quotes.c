/* SPDX-License-Identifier: MIT */
/* examples/handlers/quotes.c: quotes of suppliers that may be slow, and a booking that must not hang: what templates do about time.
 * The task's context plays the suppliers: {"slow": "north"} lets the first call of north never answer, {"slow": "booking"} the booking. */
#include "tables.h"
#include <string.h>
#include <time.h>

enum { SLICE_MS = 10 };

/* A call that does not answer: what a handler does then is look whether it still may wait. */
static int wait_in_vain(struct tkw_context *ctx, struct tkw_result *result, const char *whom)
{
        struct timespec slice = {.tv_nsec = SLICE_MS * 1000000L};
        while (!tkw_cancelled(ctx))
                nanosleep(&slice, NULL);
        return tkw_retryable(result, "NoAnswer", "%s has not answered", whom); /* too late to count: the engine knows already */
}

static int ask(struct tkw_context *ctx, struct tkw_result *result)
{
        const char *supplier = tkw_str(tkw_config(ctx, "supplier")), *slow = example_text(ctx, "slow", "");
        if (!supplier)
                return tkw_permanent(result, "ValidationError", "the template names no supplier");
        if (!strcmp(slow, supplier) && tkw_info(ctx)->attempt == 1)
                return wait_in_vain(ctx, result, supplier);
        tkw_put_str(result, "supplier", supplier);
        tkw_put_f64(result, "price", example_number(tkw_config(ctx, NULL), "price", 0));
        tkw_put_i64(result, "attempt", tkw_info(ctx)->attempt);
        return tkw_success(result);
}

static int compare(struct tkw_context *ctx, struct tkw_result *result)
{
        const char *best = NULL, *step;
        double least = 0;
        for (size_t at = 0; (step = tkw_dependency_name(ctx, "ask_", at)); at++) {
                double price = example_number(tkw_dependency(ctx, step, NULL), "price", 0);
                if (best && price >= least)
                        continue;
                least = price;
                best = tkw_str(tkw_dependency(ctx, step, "supplier"));
        }
        if (!best)
                return example_missing(result, "ask_…");
        tkw_put_str(result, "supplier", best);
        tkw_put_f64(result, "price", least);
        return tkw_success(result);
}

static int book(struct tkw_context *ctx, struct tkw_result *result)
{
        if (!strcmp(example_text(ctx, "slow", ""), "booking"))
                return wait_in_vain(ctx, result, "the booking");
        tkw_put_str(result, "booking_id", example_id(ctx, "BOOK-"));
        tkw_put_str(result, "supplier", tkw_str(tkw_dependency(ctx, "compare", "supplier")));
        return tkw_success(result);
}

static const struct tkw_handler example_quotes_rows[] = {
        {.name = "Quotes::Ask", .fn = ask},
        {.name = "Quotes::Compare", .fn = compare},
        {.name = "Quotes::Book", .fn = book},
};
EXAMPLE_TABLE(example_quotes);
