/* SPDX-License-Identifier: MIT */
/* examples/handlers/parity.c: diamond, decision and batches in one: numbers are parted into even and odd ones, the larger party is
 * summed up in batches. Handlers of both parties are the same; the step's name says which one it is. */
#include "tables.h"
#include <string.h>

enum { BATCH_SIZE = 3, WORKERS_MAX = 10, NUMBERS_MAX = 400 };

static const char *party(struct tkw_context *ctx)
{
        return strstr(tkw_info(ctx)->step_name, "even") ? "even" : "odd";
}

static bool belongs(int64_t number, bool even)
{
        return (number % 2 == 0) == even;
}

static int start(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *numbers = tkw_input(ctx, "numbers");
        size_t n = tkw_count(numbers);
        int64_t number;
        if (tkw_type(numbers) != TKW_ARRAY || !n || n > NUMBERS_MAX)
                return tkw_permanent(result, "ValidationError", "numbers must be a list of 1 to %d integers", NUMBERS_MAX);
        for (size_t i = 0; i < n; i++)
                if (!tkw_i64(tkw_at(numbers, i), &number))
                        return tkw_permanent(result, "ValidationError", "numbers[%zu] is not an integer", i);
        tkw_put_value(result, "numbers", numbers);
        tkw_put_i64(result, "total_count", (int64_t)n);
        return tkw_success(result);
}

static int branch(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *numbers = tkw_dependency(ctx, "ddb_diamond_start", "numbers");
        bool even = !strcmp(party(ctx), "even");
        struct example_json list = {0};
        int64_t n = 0, number;
        if (!numbers)
                return example_missing(result, "ddb_diamond_start");
        example_json_add(&list, "[");
        for (size_t i = 0; i < tkw_count(numbers); i++)
                if (tkw_i64(tkw_at(numbers, i), &number) && belongs(number, even))
                        example_json_add(&list, "%s%lld", n++ ? "," : "", (long long)number);
        example_json_add(&list, "]");
        tkw_put_json(result, even ? "even_numbers" : "odd_numbers", list.text);
        tkw_put_i64(result, "count", n);
        return tkw_success(result);
}

static int decide(struct tkw_context *ctx, struct tkw_result *result)
{
        static const char *const even_path[] = {"even_batch_analyzer"}, *const odd_path[] = {"odd_batch_analyzer"};
        int64_t evens, odds;
        if (!tkw_i64(tkw_dependency(ctx, "branch_evens", "count"), &evens) || !tkw_i64(tkw_dependency(ctx, "branch_odds", "count"), &odds))
                return example_missing(result, "branch_evens or branch_odds");
        tkw_put_i64(result, "even_count", evens);
        tkw_put_i64(result, "odd_count", odds);
        tkw_put_str(result, "route", evens >= odds ? "even" : "odd");
        return tkw_create_steps(result, evens >= odds ? even_path : odd_path, 1);
}

static const struct tkw_value *numbers_of_party(struct tkw_context *ctx)
{
        return !strcmp(party(ctx), "even") ? tkw_dependency(ctx, "branch_evens", "even_numbers") : tkw_dependency(ctx, "branch_odds", "odd_numbers");
}

static int analyze(struct tkw_context *ctx, struct tkw_result *result)
{
        const char *worker = tkw_str(tkw_config(ctx, "worker_template_name"));
        int64_t size = BATCH_SIZE, most = WORKERS_MAX;
        const struct tkw_value *numbers = numbers_of_party(ctx);
        size_t n = tkw_count(numbers);
        (void)tkw_i64(tkw_config(ctx, "batch_size"), &size);
        (void)tkw_i64(tkw_config(ctx, "max_workers"), &most);
        if (!numbers)
                return example_missing(result, "the branch");
        if (!n)
                return tkw_no_batches(result, worker);
        int64_t want = ((int64_t)n + size - 1) / size;
        tkw_add_batches(result, 0, (int64_t)n, (unsigned)(want < most ? want : most));
        return tkw_create_batches(result, worker, (int64_t)n);
}

static int process(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *numbers = numbers_of_party(ctx);
        int64_t from = 0, to = 0, sum = 0, n = 0, number;
        tkw_put_value(result, "batch_id", tkw_step_input(ctx, "cursor/batch_id"));
        if (!tkw_is_no_op(ctx) && !numbers)
                return example_missing(result, "the branch");
        (void)tkw_i64(tkw_step_input(ctx, "cursor/start_cursor"), &from);
        (void)tkw_i64(tkw_step_input(ctx, "cursor/end_cursor"), &to);
        for (int64_t at = from; at < to; at++, n++)
                if (tkw_i64(tkw_at(numbers, (size_t)at), &number))
                        sum += number;
        tkw_put_bool(result, "no_op", tkw_is_no_op(ctx));
        tkw_put_i64(result, "processed_count", n);
        tkw_put_i64(result, "sum", sum);
        return tkw_success(result);
}

static int aggregate(struct tkw_context *ctx, struct tkw_result *result)
{
        int64_t total = 0, sum = 0, batches = 0, n, part;
        const char *name, *prefix = tkw_format(ctx, "process_%s_batch_", party(ctx));
        for (size_t at = 0; (name = tkw_dependency_name(ctx, prefix, at)); at++)
                if (tkw_i64(tkw_dependency(ctx, name, "processed_count"), &n) && tkw_i64(tkw_dependency(ctx, name, "sum"), &part)) {
                        total += n;
                        sum += part;
                        batches += n > 0;
                }
        tkw_put_i64(result, "total_processed", total);
        tkw_put_i64(result, "total_sum", sum);
        tkw_put_i64(result, "batch_count", batches);
        tkw_put_i64(result, "average", total ? sum / total : 0);
        return tkw_success(result);
}

static const struct tkw_handler example_parity_rows[] = {
        {.name = "ddb_diamond_start", .fn = start}, {.name = "branch_evens", .fn = branch}, {.name = "branch_odds", .fn = branch},
        {.name = "ddb_routing_decision", .fn = decide},
        {.name = "even_batch_analyzer", .fn = analyze}, {.name = "odd_batch_analyzer", .fn = analyze},
        {.name = "process_even_batch", .fn = process}, {.name = "process_odd_batch", .fn = process},
        {.name = "aggregate_even_results", .fn = aggregate}, {.name = "aggregate_odd_results", .fn = aggregate},
};
EXAMPLE_TABLE(example_parity);
