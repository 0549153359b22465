/* SPDX-License-Identifier: MIT */
/* examples/handlers/checkpoints.c: a batch that stores how far it has come every few items, and goes on from there after a failure.
 * Item i is worth i + 1, so that what it adds up to shows whether anything was lost or done twice. */
#include "tables.h"
#include <string.h>

enum { TOTAL_DEFAULT = 100, TOTAL_MAX = 100000, INTERVAL_DEFAULT = 25, IDS_MAX = 1000 };

/* Of the task, else of the template. */
static int64_t setting(struct tkw_context *ctx, const char *name, int64_t otherwise)
{
        if (!tkw_i64(tkw_input(ctx, name), &otherwise))
                (void)tkw_i64(tkw_config(ctx, name), &otherwise);
        return otherwise;
}

static int analyze(struct tkw_context *ctx, struct tkw_result *result)
{
        const char *worker = tkw_str(tkw_config(ctx, "worker_template_name"));
        int64_t total = setting(ctx, "total_items", TOTAL_DEFAULT);
        if (total < 0 || total > TOTAL_MAX)
                return tkw_permanent(result, "ValidationError", "total_items must be 0 to %d, found %lld", TOTAL_MAX, (long long)total);
        tkw_put_i64(result, "total_items", total);
        if (!total)
                return tkw_no_batches(result, worker);
        tkw_add_batches(result, 0, total, 1);
        return tkw_create_batches(result, worker, total);
}

/* What was found so far; travels in the checkpoint. */
struct progress {
        int64_t at, sum, checkpoints, resumed_from; /* resumed_from: where the last attempt began; -1: at the beginning */
        int64_t attempt;
};

static struct progress progress_of(struct tkw_context *ctx, int64_t start)
{
        struct progress p = {.at = start, .resumed_from = -1, .attempt = tkw_info(ctx)->attempt};
        int64_t attempt = p.attempt;
        const struct tkw_value *found = tkw_checkpoint(ctx, "accumulated_results");
        if (!tkw_i64(tkw_checkpoint(ctx, "cursor"), &p.at))
                return p;
        (void)tkw_i64(tkw_get(found, "running_total"), &p.sum);
        (void)tkw_i64(tkw_get(found, "checkpoints"), &p.checkpoints);
        (void)tkw_i64(tkw_get(found, "resumed_from"), &p.resumed_from);
        (void)tkw_i64(tkw_get(found, "attempt"), &attempt);
        if (attempt != p.attempt)
                p.resumed_from = p.at;
        return p;
}

static int yield(struct tkw_context *ctx, struct tkw_result *result, const struct progress *p, int64_t start)
{
        return tkw_checkpoint_yield(result, tkw_format(ctx, "%lld", (long long)p->at), p->at - start,
                                    tkw_format(ctx, "{\"running_total\":%lld,\"checkpoints\":%lld,\"resumed_from\":%lld,\"attempt\":%lld}",
                                               (long long)p->sum, (long long)p->checkpoints + 1, (long long)p->resumed_from, (long long)p->attempt));
}

static const char *item_ids(struct tkw_context *ctx, int64_t start, int64_t end)
{
        struct example_json ids = {0};
        example_json_add(&ids, "[");
        for (int64_t i = start; i < end && i < start + IDS_MAX; i++)
                example_json_add(&ids, "%s\"item_%04lld\"", i > start ? "," : "", (long long)i);
        example_json_add(&ids, "]");
        return tkw_format(ctx, "%s", ids.text);
}

static int work(struct tkw_context *ctx, struct tkw_result *result)
{
        int64_t start = 0, end = 0, fail_after = setting(ctx, "fail_after_items", -1), every = setting(ctx, "items_per_checkpoint", INTERVAL_DEFAULT);
        bool permanent = false, may_fail = tkw_info(ctx)->retry_count + 1 == setting(ctx, "fail_on_attempt", 1);
        if (tkw_is_no_op(ctx)) {
                tkw_put_bool(result, "no_op", true);
                tkw_put_i64(result, "items_processed", 0);
                return tkw_success(result);
        }
        (void)tkw_bool(tkw_input(ctx, "permanent_failure"), &permanent);
        if (!tkw_i64(tkw_step_input(ctx, "cursor/start_cursor"), &start) || !tkw_i64(tkw_step_input(ctx, "cursor/end_cursor"), &end))
                return tkw_permanent(result, "ValidationError", "the cursor must have integers start_cursor and end_cursor");
        struct progress p = progress_of(ctx, start);
        for (int64_t done = 0; p.at < end; p.at++, done++) {
                if (done == every)
                        return yield(ctx, result, &p, start);
                if (may_fail && p.at - start == fail_after)
                        return permanent ? tkw_permanent(result, "InjectedFailure", "fails for good after %lld items", (long long)fail_after)
                                         : tkw_retryable(result, "InjectedFailure", "fails once after %lld items", (long long)fail_after);
                p.sum += p.at + 1;
        }
        tkw_put_i64(result, "items_processed", p.at - start);
        tkw_put_i64(result, "running_total", p.sum);
        tkw_put_i64(result, "checkpoints_used", p.checkpoints);
        tkw_put_i64(result, "resumed_from", p.resumed_from);
        tkw_put_i64(result, "total_processed", p.at - (p.resumed_from < 0 ? start : p.resumed_from)); /* by this attempt: nothing is done twice */
        tkw_put_i64(result, "end_position", end);
        tkw_put_i64(result, "final_cursor", p.at);
        tkw_put_json(result, "item_ids", item_ids(ctx, start, end));
        return tkw_success(result);
}

static int aggregate(struct tkw_context *ctx, struct tkw_result *result)
{
        int64_t total = 0, sum = 0, checkpoints = 0, ids = 0, n, expected = 0;
        const char *name;
        if (!tkw_i64(tkw_dependency(ctx, "analyze_items", "total_items"), &expected))
                return example_missing(result, "analyze_items");
        for (size_t at = 0; (name = tkw_dependency_name(ctx, "checkpoint_yield_batch_", at)); at++) {
                if (tkw_i64(tkw_dependency(ctx, name, "items_processed"), &n))
                        total += n;
                if (tkw_i64(tkw_dependency(ctx, name, "running_total"), &n))
                        sum += n;
                if (tkw_i64(tkw_dependency(ctx, name, "checkpoints_used"), &n))
                        checkpoints += n;
                ids += (int64_t)tkw_count(tkw_dependency(ctx, name, "item_ids"));
        }
        tkw_put_i64(result, "total_processed", total);
        tkw_put_i64(result, "running_total", sum);
        tkw_put_i64(result, "checkpoints_used", checkpoints);
        tkw_put_i64(result, "item_count", ids);
        tkw_put_bool(result, "test_passed", total == expected && sum == expected * (expected + 1) / 2);
        return tkw_success(result);
}

static const struct tkw_handler example_checkpoints_rows[] = {
        {.name = "CheckpointYieldAnalyzerHandler", .fn = analyze}, {.name = "CheckpointYieldWorkerHandler", .fn = work},
        {.name = "CheckpointYieldAggregatorHandler", .fn = aggregate}, {.name = "CheckpointAndFailHandler", .fn = work},
};
EXAMPLE_TABLE(example_checkpoints);
