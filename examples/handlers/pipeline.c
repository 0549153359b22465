/* SPDX-License-Identifier: MIT */
/* examples/handlers/pipeline.c: data pipeline: three extracts, three transforms, one aggregate, one set of insights. */
#include "tables.h"
#include <string.h>

static const char sales_records[] =
        "[{\"order_id\":\"S-1\",\"date\":\"2026-01-05\",\"product_id\":\"P-100\",\"quantity\":5,\"amount\":499.95},"
        "{\"order_id\":\"S-2\",\"date\":\"2026-01-06\",\"product_id\":\"P-200\",\"quantity\":10,\"amount\":899.90},"
        "{\"order_id\":\"S-3\",\"date\":\"2026-01-07\",\"product_id\":\"P-100\",\"quantity\":7,\"amount\":349.93},"
        "{\"order_id\":\"S-4\",\"date\":\"2026-01-08\",\"product_id\":\"P-300\",\"quantity\":3,\"amount\":1049.97},"
        "{\"order_id\":\"S-5\",\"date\":\"2026-01-09\",\"product_id\":\"P-200\",\"quantity\":2,\"amount\":399.98}]";
static const char inventory_records[] =
        "[{\"product_id\":\"P-100\",\"warehouse\":\"north\",\"quantity_on_hand\":150,\"reorder_point\":50},"
        "{\"product_id\":\"P-200\",\"warehouse\":\"north\",\"quantity_on_hand\":75,\"reorder_point\":25},"
        "{\"product_id\":\"P-300\",\"warehouse\":\"south\",\"quantity_on_hand\":200,\"reorder_point\":60},"
        "{\"product_id\":\"P-100\",\"warehouse\":\"south\",\"quantity_on_hand\":50,\"reorder_point\":20},"
        "{\"product_id\":\"P-200\",\"warehouse\":\"east\",\"quantity_on_hand\":100,\"reorder_point\":40}]";
static const char customer_records[] =
        "[{\"customer_id\":\"C-1\",\"tier\":\"gold\",\"lifetime_value\":5000.0},"
        "{\"customer_id\":\"C-2\",\"tier\":\"premium\",\"lifetime_value\":8500.0},"
        "{\"customer_id\":\"C-3\",\"tier\":\"standard\",\"lifetime_value\":3000.0},"
        "{\"customer_id\":\"C-4\",\"tier\":\"premium\",\"lifetime_value\":12000.0},"
        "{\"customer_id\":\"C-5\",\"tier\":\"standard\",\"lifetime_value\":2000.0}]";

static int extract(struct tkw_context *ctx, struct tkw_result *result, const char *source, const char *records)
{
        tkw_put_str(result, "source", source);
        tkw_put_json(result, "records", records);
        tkw_put_i64(result, "record_count", 5);
        tkw_put_str(result, "extracted_at", example_time(ctx, 0));
        return tkw_success(result);
}

static int extract_sales(struct tkw_context *ctx, struct tkw_result *result)
{
        return extract(ctx, result, "sales_database", sales_records);
}

static int extract_inventory(struct tkw_context *ctx, struct tkw_result *result)
{
        return extract(ctx, result, "warehouse_system", inventory_records);
}

static int extract_customers(struct tkw_context *ctx, struct tkw_result *result)
{
        return extract(ctx, result, "customer_relations", customer_records);
}

enum { GROUPS_MAX = 16 };
struct groups {
        size_t n;
        struct {
                const char *name;
                double sum;
        } list[GROUPS_MAX];
};

static void group_add(struct groups *groups, const char *name, double value)
{
        size_t i = 0;
        while (i < groups->n && strcmp(groups->list[i].name, name) != 0)
                i++;
        if (i == GROUPS_MAX)
                return;
        if (i == groups->n)
                groups->list[groups->n++].name = name;
        groups->list[i].sum += value;
}

static double group_records(const struct tkw_value *records, const char *by, const char *what, struct groups *groups)
{
        double total = 0;
        for (size_t i = 0; i < tkw_count(records); i++) {
                const struct tkw_value *record = tkw_at(records, i);
                const char *name = tkw_str(tkw_get(record, by));
                double value = example_number(record, what, 0);
                total += value;
                group_add(groups, name ? name : "unknown", value);
        }
        return total;
}

static void put_groups(struct tkw_result *result, const char *name, const struct groups *groups)
{
        struct example_json json = {0};
        example_json_add(&json, "{");
        for (size_t i = 0; i < groups->n; i++)
                example_json_add(&json, "%s\"%s\":%.2f", i ? "," : "", groups->list[i].name, groups->list[i].sum);
        example_json_add(&json, "}");
        tkw_put_json(result, name, json.text);
}

static int transform_sales(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *records = tkw_dependency(ctx, "extract_sales_data", "records");
        struct groups by_day = {0}, by_product = {0};
        if (!records)
                return example_missing(result, "extract_sales_data");
        double revenue = group_records(records, "date", "amount", &by_day);
        (void)group_records(records, "product_id", "amount", &by_product);
        put_groups(result, "daily_sales", &by_day);
        put_groups(result, "product_sales", &by_product);
        tkw_put_f64(result, "total_revenue", example_cents(revenue));
        tkw_put_i64(result, "record_count", (int64_t)tkw_count(records));
        return tkw_success(result);
}

static int transform_inventory(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *records = tkw_dependency(ctx, "extract_inventory_data", "records");
        struct groups by_warehouse = {0};
        int64_t alerts = 0;
        if (!records)
                return example_missing(result, "extract_inventory_data");
        double total = group_records(records, "warehouse", "quantity_on_hand", &by_warehouse);
        for (size_t i = 0; i < tkw_count(records); i++)
                alerts += example_number(tkw_at(records, i), "quantity_on_hand", 0) <=
                          example_number(tkw_at(records, i), "reorder_point", 0);
        put_groups(result, "warehouse_summary", &by_warehouse);
        tkw_put_i64(result, "total_quantity_on_hand", (int64_t)total);
        tkw_put_i64(result, "reorder_alerts", alerts);
        return tkw_success(result);
}

static int transform_customers(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *records = tkw_dependency(ctx, "extract_customer_data", "records");
        struct groups by_tier = {0};
        if (!records)
                return example_missing(result, "extract_customer_data");
        double total = group_records(records, "tier", "lifetime_value", &by_tier);
        put_groups(result, "tier_value", &by_tier);
        tkw_put_i64(result, "total_customers", (int64_t)tkw_count(records));
        tkw_put_f64(result, "total_lifetime_value", total);
        tkw_put_f64(result, "avg_customer_value", tkw_count(records) ? total / (double)tkw_count(records) : 0);
        return tkw_success(result);
}

static int aggregate_metrics(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *sales = tkw_dependency(ctx, "transform_sales", NULL),
                               *stock = tkw_dependency(ctx, "transform_inventory", NULL),
                               *customers = tkw_dependency(ctx, "transform_customers", NULL);
        if (!sales || !stock || !customers)
                return example_missing(result, !sales   ? "transform_sales"
                                               : !stock ? "transform_inventory"
                                                        : "transform_customers");
        double revenue = example_number(sales, "total_revenue", 0),
               quantity = example_number(stock, "total_quantity_on_hand", 0),
               count = example_number(customers, "total_customers", 0);
        tkw_put_f64(result, "total_revenue", revenue);
        tkw_put_i64(result, "total_inventory_quantity", (int64_t)quantity);
        tkw_put_i64(result, "total_customers", (int64_t)count);
        tkw_put_f64(result, "total_customer_lifetime_value", example_number(customers, "total_lifetime_value", 0));
        tkw_put_f64(result, "avg_customer_value", example_number(customers, "avg_customer_value", 0));
        tkw_put_f64(result, "revenue_per_customer", count > 0 ? example_cents(revenue / count) : 0);
        tkw_put_f64(result, "inventory_turnover_indicator",
                    quantity > 0 ? (double)(int64_t)(revenue / quantity * 10000 + 0.5) / 10000 : 0);
        tkw_put_i64(result, "inventory_reorder_alerts", (int64_t)example_number(stock, "reorder_alerts", 0));
        return tkw_success(result);
}

static int generate_insights(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *metrics = tkw_dependency(ctx, "aggregate_metrics", NULL);
        struct example_json json = {0};
        if (!metrics)
                return example_missing(result, "aggregate_metrics");
        double per_customer = example_number(metrics, "revenue_per_customer", 0),
               alerts = example_number(metrics, "inventory_reorder_alerts", 0),
               value = example_number(metrics, "avg_customer_value", 0);
        int score = (per_customer > 500 ? 40 : 0) + (alerts <= 0 ? 30 : 0) + (value > 3000 ? 30 : 0);
        example_json_add(&json,
                         "[{\"category\":\"Revenue\",\"finding\":\"%.2f per "
                         "customer\"},{\"category\":\"Inventory\",\"finding\":\"%.0f products to reorder\"},"
                         "{\"category\":\"Customers\",\"finding\":\"%.2f average lifetime value\"}]",
                         per_customer, alerts, value);
        tkw_put_json(result, "insights", json.text);
        tkw_put_i64(result, "total_insights", 3);
        tkw_put_json(result, "health_score",
                     tkw_format(ctx, "{\"score\":%d,\"max_score\":100,\"rating\":\"%s\"}", score,
                                score >= 80   ? "Excellent"
                                : score >= 60 ? "Good"
                                : score >= 40 ? "Fair"
                                              : "Needs Improvement"));
        tkw_put_str(result, "generated_at", example_time(ctx, 0));
        return tkw_success(result);
}

static const struct tkw_handler example_pipeline_rows[] = {
        {.name = "data_pipeline_extract_sales", .fn = extract_sales},
        {.name = "data_pipeline_extract_inventory", .fn = extract_inventory},
        {.name = "data_pipeline_extract_customers", .fn = extract_customers},
        {.name = "data_pipeline_transform_sales", .fn = transform_sales},
        {.name = "data_pipeline_transform_inventory", .fn = transform_inventory},
        {.name = "data_pipeline_transform_customers", .fn = transform_customers},
        {.name = "data_pipeline_aggregate_metrics", .fn = aggregate_metrics},
        {.name = "data_pipeline_generate_insights", .fn = generate_insights},
};
EXAMPLE_TABLE(example_pipeline);
