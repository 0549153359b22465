/* SPDX-License-Identifier: MIT */
/* examples/handlers/dataset.c: a data set in batches: analyze → one worker per range → aggregate. Nothing is read: an item counts 1. */
#include "tables.h"
#include <string.h>

enum { CHUNK = 100, BATCH_SIZE = 1000, WORKERS_MAX = 10, SIZE_DEFAULT = 100 };

static int64_t setting(struct tkw_context *ctx, const char *name, int64_t otherwise)
{
        (void)tkw_i64(tkw_config(ctx, name), &otherwise);
        return otherwise;
}

static int analyze(struct tkw_context *ctx, struct tkw_result *result)
{
        const char *worker = tkw_str(tkw_config(ctx, "worker_template_name"));
        int64_t size = SIZE_DEFAULT, batch = setting(ctx, "batch_size", BATCH_SIZE), most = setting(ctx, "max_workers", WORKERS_MAX);
        (void)tkw_i64(tkw_input(ctx, "dataset_size"), &size);
        if (size < 0 || batch < 1 || most < 1)
                return tkw_permanent(result, "ValidationError", "dataset_size must not be negative, batch_size and max_workers must be above 0");
        tkw_put_i64(result, "dataset_size", size);
        tkw_put_i64(result, "batch_size", batch);
        if (size < batch) {
                tkw_put_str(result, "reason", "smaller than one batch");
                return tkw_no_batches(result, worker);
        }
        int64_t want = (size + batch - 1) / batch;
        tkw_put_i64(result, "worker_count", tkw_add_batches(result, 0, size, (unsigned)(want < most ? want : most)));
        return tkw_create_batches(result, worker, size);
}

static int process(struct tkw_context *ctx, struct tkw_result *result)
{
        int64_t from = 0, to = 0, done = 0, chunks = 0;
        tkw_put_value(result, "batch_id", tkw_step_input(ctx, "cursor/batch_id"));
        if (tkw_is_no_op(ctx)) {
                tkw_put_bool(result, "no_op", true);
                tkw_put_str(result, "reason", "no batches");
                return tkw_success(result);
        }
        if (!tkw_i64(tkw_step_input(ctx, "cursor/start_cursor"), &from) || !tkw_i64(tkw_step_input(ctx, "cursor/end_cursor"), &to) || to < from)
                return tkw_permanent(result, "ValidationError", "the cursor must have integers start_cursor and end_cursor, in this order");
        for (int64_t at = from; at < to; at += CHUNK, chunks++) {
                if (tkw_cancelled(ctx))
                        return tkw_retryable(result, "Cancelled", "told to stop");
                done += to - at < CHUNK ? to - at : CHUNK;
        }
        tkw_put_i64(result, "start_cursor", from);
        tkw_put_i64(result, "end_cursor", to);
        tkw_put_i64(result, "processed_count", done);
        tkw_put_i64(result, "checkpoints", chunks);
        tkw_put_value(result, "operation", tkw_config(ctx, "operation"));
        return tkw_success(result);
}

static int aggregate(struct tkw_context *ctx, struct tkw_result *result)
{
        int64_t size = 0, total = 0, count;
        size_t workers = 0;
        const char *name, *type = tkw_str(tkw_dependency(ctx, "analyze_dataset", "batch_processing_outcome/type"));
        if (!tkw_i64(tkw_dependency(ctx, "analyze_dataset", "dataset_size"), &size) || !type)
                return example_missing(result, "analyze_dataset");
        bool none = !strcmp(type, "no_batches");
        if (none)
                total = size; /* it was small enough to be looked at as a whole */
        for (size_t at = 0; !none && (name = tkw_dependency_name(ctx, "process_batch_", at)); at++)
                if (tkw_i64(tkw_dependency(ctx, name, "processed_count"), &count)) {
                        total += count;
                        workers++;
                }
        if (total != size) {
                tkw_set_code(result, "AGGREGATION_MISMATCH");
                return tkw_permanent(result, "AggregationError", "the batches processed %lld of %lld items", (long long)total, (long long)size);
        }
        tkw_put_i64(result, "total_processed", total);
        tkw_put_i64(result, "worker_count", (int64_t)workers);
        tkw_put_str(result, "scenario", none ? "no_batches" : "with_batches");
        return tkw_success(result);
}

/* The class names keep these apart from steps of the same name in other templates. */
static const struct tkw_handler example_dataset_rows[] = {
        {.name = "DatasetAnalyzerHandler", .fn = analyze}, {.name = "BatchWorkerHandler", .fn = process},
        {.name = "ResultsAggregatorHandler", .fn = aggregate},
};
EXAMPLE_TABLE(example_dataset);
