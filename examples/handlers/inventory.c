/* SPDX-License-Identifier: MIT */
/* examples/handlers/inventory.c: a CSV file of products in batches of rows: analyze counts rows, each worker opens the file and adds up its
 * rows, aggregate puts it all together. Rows are counted from 1, ends are exclusive. The worker must be able to open the file. */
#include "csv.h"
#include "tables.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_SIZE = 200, WORKERS_MAX = 5, CATEGORIES_MAX = 64, NAME_MAX_BYTES = 128 };
enum { TITLE = 1, CATEGORY = 3, PRICE = 4, RATING = 6, STOCK = 7, COLUMNS = 11 };

struct totals {
        int64_t rows;
        double value, rating, max_price; /* rating: the sum */
        char max_title[NAME_MAX_BYTES];
        struct {
                char name[NAME_MAX_BYTES];
                int64_t n;
        } categories[CATEGORIES_MAX];
        size_t categories_n;
};

static bool count_category(struct totals *t, const char *name, int64_t n)
{
        size_t i = 0;
        while (i < t->categories_n && strcmp(t->categories[i].name, name))
                i++;
        if (i == CATEGORIES_MAX || strlen(name) >= NAME_MAX_BYTES)
                return false;
        if (i == t->categories_n)
                snprintf(t->categories[t->categories_n++].name, NAME_MAX_BYTES, "%s", name);
        t->categories[i].n += n;
        return true;
}

static void take_price(struct totals *t, double price, const char *title)
{
        if (price <= t->max_price)
                return;
        t->max_price = price;
        snprintf(t->max_title, sizeof t->max_title, "%s", title);
}

static bool number(const char *text, double *ret)
{
        char *end;
        *ret = strtod(text, &end);
        return end != text && !*end && *ret >= 0 && *ret < 1e12;
}

/* False: the row is not one of products. */
static bool take_row(struct totals *t, const struct csv *csv)
{
        double price, stock, rating;
        if (csv->fields_n != COLUMNS || !number(csv->fields[PRICE], &price) || !number(csv->fields[STOCK], &stock) ||
            !number(csv->fields[RATING], &rating) || !count_category(t, csv->fields[CATEGORY], 1))
                return false;
        t->rows++;
        t->value += price * stock;
        t->rating += rating;
        take_price(t, price, csv->fields[TITLE]);
        return true;
}

/* Opens the file of the task and reads its head. 0: open; else what the handler returns. */
static bool open_file(struct tkw_context *ctx, struct tkw_result *result, struct csv *csv, int *ret)
{
        const char *path = tkw_str(tkw_input(ctx, "csv_file_path"));
        *ret = 0;
        if (!path || !csv_open(csv, path))
                *ret = tkw_permanent(result, "FileError", "csv_file_path '%s' cannot be opened: %s", path ? path : "",
                                     path ? strerror(errno) : "not given");
        else if (csv_next(csv) == 1 && csv->fields_n == COLUMNS)
                return true;
        else {
                csv_close(csv);
                *ret = tkw_permanent(result, "FileError", "'%s' does not begin with a row of %d column names", path, COLUMNS);
        }
        return false;
}

static int analyze(struct tkw_context *ctx, struct tkw_result *result)
{
        const char *worker = tkw_str(tkw_config(ctx, "worker_template_name")), *mode = tkw_str(tkw_input(ctx, "analysis_mode"));
        int64_t rows = 0, size = BATCH_SIZE, most = WORKERS_MAX;
        struct csv csv = {0};
        int r, got;
        (void)tkw_i64(tkw_config(ctx, "batch_size"), &size);
        (void)tkw_i64(tkw_config(ctx, "max_workers"), &most);
        if (!open_file(ctx, result, &csv, &r))
                return r;
        while ((got = csv_next(&csv)) == 1)
                rows++;
        csv_close(&csv);
        if (got)
                return tkw_permanent(result, "FileError", "row %lld cannot be read", (long long)rows + 1);
        tkw_put_i64(result, "total_rows", rows);
        tkw_put_str(result, "analysis_mode", mode ? mode : "inventory");
        if (rows < size)
                return tkw_no_batches(result, worker);
        int64_t want = (rows + size - 1) / size;
        tkw_put_i64(result, "worker_count", tkw_add_batches(result, 1, rows, (unsigned)(want < most ? want : most)));
        return tkw_create_batches(result, worker, rows);
}

static void put_totals(struct tkw_context *ctx, struct tkw_result *result, const struct totals *t)
{
        struct example_json json = {0};
        example_json_add(&json, "{");
        for (size_t i = 0; i < t->categories_n; i++)
                example_json_add(&json, "%s%s:%lld", i ? "," : "", example_quoted(ctx, t->categories[i].name), (long long)t->categories[i].n);
        example_json_add(&json, "}");
        tkw_put_json(result, "category_counts", json.text);
        tkw_put_f64(result, "max_price", t->max_price);
        tkw_put_str(result, "max_price_product", t->rows ? t->max_title : NULL);
}

static int process(struct tkw_context *ctx, struct tkw_result *result)
{
        int64_t from = 0, to = 0, row = 1;
        struct totals totals = {0};
        struct csv csv = {0};
        int r, got = 1;
        tkw_put_value(result, "batch_id", tkw_step_input(ctx, "cursor/batch_id"));
        tkw_put_bool(result, "no_op", tkw_is_no_op(ctx));
        if (tkw_is_no_op(ctx))
                return tkw_success(result);
        if (!tkw_i64(tkw_step_input(ctx, "cursor/start_cursor"), &from) || !tkw_i64(tkw_step_input(ctx, "cursor/end_cursor"), &to))
                return tkw_permanent(result, "ValidationError", "the cursor must have integers start_cursor and end_cursor");
        if (!open_file(ctx, result, &csv, &r))
                return r;
        for (; row < to && (got = csv_next(&csv)) == 1; row++)
                if (row >= from && !take_row(&totals, &csv))
                        break;
        csv_close(&csv);
        if (row < to)
                return tkw_permanent(result, "FileError", "row %lld is missing or not one of a product", (long long)row);
        tkw_put_i64(result, "processed_count", totals.rows);
        tkw_put_f64(result, "total_inventory_value", example_cents(totals.value));
        tkw_put_f64(result, "average_rating", totals.rows ? totals.rating / (double)totals.rows : 0);
        put_totals(ctx, result, &totals);
        return tkw_success(result);
}

static void add_batch(struct totals *t, const struct tkw_value *batch)
{
        int64_t n = 0, count;
        const char *category = NULL, *title = tkw_str(tkw_get(batch, "max_price_product"));
        const struct tkw_value *counts = tkw_get(batch, "category_counts"), *value;
        (void)tkw_i64(tkw_get(batch, "processed_count"), &n);
        t->rows += n;
        t->value += example_number(batch, "total_inventory_value", 0);
        t->rating += example_number(batch, "average_rating", 0) * (double)n;
        take_price(t, example_number(batch, "max_price", 0), title ? title : "");
        while ((value = tkw_next(counts, &category)))
                if (tkw_i64(value, &count))
                        (void)count_category(t, category, count);
}

static int aggregate(struct tkw_context *ctx, struct tkw_result *result)
{
        const char *name, *type = tkw_str(tkw_dependency(ctx, "analyze_csv", "batch_processing_outcome/type"));
        struct totals totals = {0};
        int64_t workers = 0, failed = 0;
        if (!type)
                return example_missing(result, "analyze_csv");
        bool none = !strcmp(type, "no_batches");
        for (size_t at = 0; !none && (name = tkw_dependency_name(ctx, "process_csv_batch_", at)); at++, workers++)
                add_batch(&totals, tkw_dependency(ctx, name, NULL));
        while (tkw_failed_dependency_name(ctx, "process_csv_batch_", (size_t)failed))
                failed++;
        tkw_put_i64(result, "total_processed", totals.rows);
        tkw_put_i64(result, "worker_count", workers);
        tkw_put_i64(result, "failed_batches", failed);
        tkw_put_f64(result, "total_inventory_value", example_cents(totals.value));
        tkw_put_f64(result, "overall_average_rating", totals.rows ? totals.rating / (double)totals.rows : 0);
        tkw_put_str(result, "scenario", none ? "no_batches" : "with_batches");
        put_totals(ctx, result, &totals);
        return tkw_success(result);
}

static const struct tkw_handler example_inventory_rows[] = {
        {.name = "analyze_csv", .fn = analyze}, {.name = "process_csv_batch", .fn = process}, {.name = "aggregate_csv_results", .fn = aggregate},
};
EXAMPLE_TABLE(example_inventory);
