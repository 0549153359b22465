/* SPDX-License-Identifier: MIT */
/* examples/handlers/orders.c: order fulfilment: validate → reserve → pay → ship. */
#include "tables.h"
#include <string.h>

enum { TOTAL_MAX = 50000, RESERVATION_MINUTES = 15 };
#define GATEWAY_FEE 0.029

static const struct product {
        const char *sku;
        int64_t stock;
} products[] = {{"WIDGET-001", 100}, {"WIDGET-002", 50}, {"GADGET-002", 200}};

static const struct carrier {
        const char *method, *name;
        double cost;
        int days;
} carriers[] = {{"standard", "UPS", 8.99, 5}, {"express", "FedEx", 15.00, 2}, {"overnight", "FedEx", 25.00, 1}};

static const struct product *find_product(const char *sku)
{
        for (size_t i = 0; sku && i < sizeof products / sizeof products[0]; i++)
                if (!strcmp(products[i].sku, sku))
                        return &products[i];
        return NULL;
}

/* Adds a checked item to json. 0, or the answer of the handler in *ret_r. */
static bool check_item(struct tkw_result *result, const struct tkw_value *item, size_t at,
                       struct example_json *json, double *total, int *ret_r)
{
        const char *sku = tkw_str(tkw_get(item, "sku"));
        int64_t quantity = 0;
        double price = -1;
        if (!sku || !*sku)
                *ret_r = tkw_permanent(result, "ValidationError", "items[%zu].sku is missing", at);
        else if (!tkw_i64(tkw_get(item, "quantity"), &quantity) || quantity <= 0)
                *ret_r = tkw_permanent(result, "ValidationError", "items[%zu].quantity must be a positive integer", at);
        else if (!tkw_f64(tkw_get(item, "price"), &price) || price < 0)
                *ret_r = tkw_permanent(result, "ValidationError", "items[%zu].price must be a number, 0 or more", at);
        else if (!find_product(sku)) {
                *ret_r = tkw_permanent(result, "ValidationError", "items[%zu].sku: no product is called %s", at, sku);
                tkw_set_code(result, "UNKNOWN_SKU");
        } else {
                double line = example_cents(price * (double)quantity);
                example_json_add(json,
                                 "%s{\"sku\":\"%s\",\"quantity\":%lld,\"unit_price\":%.2f,\"line_total\":%.2f}",
                                 at ? "," : "", sku, (long long)quantity, price, line);
                *total += line;
                return true;
        }
        return false;
}

static int validate_order(struct tkw_context *ctx, struct tkw_result *result)
{
        int64_t customer = 0;
        double total = 0, total_max = example_number(tkw_config(ctx, NULL), "total_max", TOTAL_MAX);
        int r = 0;
        struct example_json json = {0};
        const struct tkw_value *items = tkw_input(ctx, "items");
        const char *email = tkw_str(tkw_input(ctx, "customer/email"));
        if (!tkw_i64(tkw_input(ctx, "customer/id"), &customer) || customer <= 0)
                return tkw_permanent(result, "ValidationError", "customer.id must be a positive integer");
        if (!example_email(email))
                return tkw_permanent(result, "ValidationError", "customer.email is not an address");
        if (!tkw_count(items))
                return tkw_permanent(result, "ValidationError", "items is empty");
        if (tkw_count(items) > 100)
                return tkw_permanent(result, "ValidationError", "items: at most 100, got %zu", tkw_count(items));
        example_json_add(&json, "[");
        for (size_t i = 0; i < tkw_count(items); i++)
                if (!check_item(result, tkw_at(items, i), i, &json, &total, &r))
                        return r;
        example_json_add(&json, "]");
        if (total > total_max) {
                tkw_set_code(result, "ORDER_TOTAL_TOO_HIGH");
                return tkw_permanent(result, "ORDER_TOTAL_TOO_HIGH", "the order's total of %.2f is over %.2f",
                                     total, total_max);
        }
        tkw_put_i64(result, "customer_id", customer);
        tkw_put_str(result, "customer_email", email);
        tkw_put_json(result, "validated_items", json.text);
        tkw_put_f64(result, "order_total", example_cents(total));
        tkw_put_str(result, "validation_status", "complete");
        tkw_put_str(result, "validated_at", example_time(ctx, 0));
        return tkw_success(result);
}

static int reserve_inventory(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *items = tkw_dependency(ctx, "validate_order", "validated_items");
        struct example_json json = {0};
        int64_t minutes = RESERVATION_MINUTES;
        if (!items)
                return example_missing(result, "validate_order");
        (void)tkw_i64(tkw_config(ctx, "reservation_minutes"), &minutes);
        example_json_add(&json, "[");
        for (size_t i = 0; i < tkw_count(items); i++) {
                const char *sku = tkw_str(tkw_get(tkw_at(items, i), "sku"));
                const struct product *product = find_product(sku);
                int64_t quantity = 0;
                (void)tkw_i64(tkw_get(tkw_at(items, i), "quantity"), &quantity);
                if (!product || quantity > product->stock) {
                        tkw_set_code(result, "INSUFFICIENT_STOCK");
                        return tkw_retryable(result, "INSUFFICIENT_STOCK", "%s: %lld wanted, %lld in stock",
                                             sku ? sku : "?", (long long)quantity,
                                             product ? (long long)product->stock : 0LL);
                }
                example_json_add(&json, "%s{\"sku\":\"%s\",\"quantity_reserved\":%lld,\"remaining_stock\":%lld}",
                                 i ? "," : "", sku, (long long)quantity, (long long)(product->stock - quantity));
        }
        example_json_add(&json, "]");
        tkw_put_str(result, "reservation_id", example_id(ctx, "RES-"));
        tkw_put_json(result, "reservations", json.text);
        tkw_put_i64(result, "expires_in_minutes", minutes);
        tkw_put_str(result, "reservation_status", "confirmed");
        return tkw_success(result);
}

static int process_payment(struct tkw_context *ctx, struct tkw_result *result)
{
        double total = 0;
        const char *method = tkw_str(tkw_input(ctx, "payment/method")), *token = tkw_str(tkw_input(ctx, "payment/token"));
        if (!tkw_f64(tkw_dependency(ctx, "validate_order", "order_total"), &total))
                return example_missing(result, "validate_order");
        if (!tkw_dependency(ctx, "reserve_inventory", "reservation_id"))
                return example_missing(result, "reserve_inventory");
        if (!method || !*method)
                return tkw_permanent(result, "ValidationError", "payment.method is missing");
        if (!token || !*token)
                return tkw_permanent(result, "ValidationError", "payment.token is missing");
        tkw_put_str(result, "payment_id", example_id(ctx, "PAY-"));
        tkw_put_str(result, "transaction_id", example_id(ctx, "TXN-"));
        tkw_put_f64(result, "amount_charged", total);
        tkw_put_f64(result, "gateway_fee", example_cents(total * GATEWAY_FEE));
        tkw_put_str(result, "payment_method", method);
        tkw_put_str(result, "payment_status", "completed");
        return tkw_success(result);
}

static int ship_order(struct tkw_context *ctx, struct tkw_result *result)
{
        const char *method = example_text(ctx, "shipping/method", "standard");
        const struct tkw_value *address = tkw_input(ctx, "shipping/address");
        if (tkw_type(address) != TKW_OBJECT && tkw_type(address) != TKW_STRING)
                return tkw_permanent(result, "ValidationError", "shipping.address is missing");
        if (!tkw_dependency(ctx, "process_payment", "payment_id"))
                return example_missing(result, "process_payment");
        for (size_t i = 0; i < sizeof carriers / sizeof carriers[0]; i++) {
                if (strcmp(carriers[i].method, method) != 0)
                        continue;
                tkw_put_str(result, "shipment_id", example_id(ctx, "SHIP-"));
                tkw_put_str(result, "tracking_number", example_id(ctx, "TRK-"));
                tkw_put_str(result, "carrier", carriers[i].name);
                tkw_put_str(result, "shipping_method", method);
                tkw_put_f64(result, "shipping_cost", carriers[i].cost);
                tkw_put_i64(result, "delivery_days", carriers[i].days);
                tkw_put_str(result, "estimated_delivery", example_time(ctx, carriers[i].days));
                tkw_put_value(result, "address", address);
                tkw_put_str(result, "shipping_status", "label_created");
                return tkw_success(result);
        }
        return tkw_permanent(result, "ValidationError",
                             "shipping.method must be standard, express or overnight, got '%s'", method);
}

static const struct tkw_handler example_orders_rows[] = {
        {.name = "validate_order", .fn = validate_order},
        {.name = "reserve_inventory", .fn = reserve_inventory},
        {.name = "process_payment", .fn = process_payment},
        {.name = "ship_order", .fn = ship_order},
};
EXAMPLE_TABLE(example_orders);
