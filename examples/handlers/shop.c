/* SPDX-License-Identifier: MIT */
/* examples/handlers/shop.c: e-commerce: cart → payment → inventory → order → confirmation. */
#include "tables.h"
#include <math.h>
#include <string.h>

enum { CART_MAX = 100, DELIVERY_DAYS = 7 };
#define TAX_RATE 0.08
#define SHIPPING 5.99
#define AMOUNT_TOLERANCE 0.01

static const struct product {
        int64_t id;
        const char *name;
        double price;
        int64_t stock;
} catalogue[] = {{1, "Widget A", 29.99, 100},
                 {2, "Widget B", 49.99, 50},
                 {3, "Widget C", 99.99, 25},
                 {4, "Widget D", 79.99, 0}};

static const struct product *find_product(int64_t id)
{
        for (size_t i = 0; i < sizeof catalogue / sizeof catalogue[0]; i++)
                if (catalogue[i].id == id)
                        return &catalogue[i];
        return NULL;
}

static bool check_item(struct tkw_result *result, const struct tkw_value *item, size_t at,
                       struct example_json *json, double *subtotal, int *ret_r)
{
        int64_t id = 0, quantity = 0;
        if (!tkw_i64(tkw_get(item, "product_id"), &id) || !tkw_i64(tkw_get(item, "quantity"), &quantity) || quantity <= 0) {
                *ret_r = tkw_permanent(result, "ValidationError", "cart_items[%zu] needs a product_id and a positive quantity", at);
                return false;
        }
        const struct product *product = find_product(id);
        if (!product) {
                tkw_set_code(result, "PRODUCT_NOT_FOUND");
                *ret_r = tkw_permanent(result, "ProductNotFound", "cart_items[%zu]: no product has the id %lld", at, (long long)id);
                return false;
        }
        if (quantity > product->stock) {
                tkw_set_code(result, "INSUFFICIENT_STOCK");
                *ret_r = tkw_permanent(result, "InsufficientStock", "%s: %lld wanted, %lld in stock", product->name, (long long)quantity,
                                       (long long)product->stock);
                return false;
        }
        double line = example_cents(product->price * (double)quantity);
        example_json_add(
                json,
                "%s{\"product_id\":%lld,\"name\":\"%s\",\"price\":%.2f,\"quantity\":%lld,\"line_total\":%.2f}",
                at ? "," : "", (long long)id, product->name, product->price, (long long)quantity, line);
        *subtotal += line;
        return true;
}

static int validate_cart(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *cart = tkw_input(ctx, "cart_items");
        struct example_json json = {0};
        double subtotal = 0;
        int r = 0;
        if (!tkw_count(cart))
                return tkw_permanent(result, "ValidationError", "cart_items is missing or empty");
        if (tkw_count(cart) > CART_MAX)
                return tkw_permanent(result, "ValidationError", "cart_items: at most %d, got %zu", CART_MAX,
                                     tkw_count(cart));
        example_json_add(&json, "[");
        for (size_t i = 0; i < tkw_count(cart); i++)
                if (!check_item(result, tkw_at(cart, i), i, &json, &subtotal, &r))
                        return r;
        example_json_add(&json, "]");
        double tax = example_cents(subtotal * TAX_RATE);
        tkw_put_json(result, "validated_items", json.text);
        tkw_put_i64(result, "item_count", (int64_t)tkw_count(cart));
        tkw_put_f64(result, "subtotal", example_cents(subtotal));
        tkw_put_f64(result, "tax", tax);
        tkw_put_f64(result, "shipping", SHIPPING);
        tkw_put_f64(result, "total", example_cents(subtotal + tax + SHIPPING));
        return tkw_success(result);
}

static int process_payment(struct tkw_context *ctx, struct tkw_result *result)
{
        double total = 0, amount = 0;
        const char *token = example_text(ctx, "payment_info/token", NULL),
                   *method = example_text(ctx, "payment_info/method", NULL);
        if (!tkw_f64(tkw_dependency(ctx, "validate_cart", "total"), &total))
                return example_missing(result, "validate_cart");
        if (!token || !method || !tkw_f64(tkw_input(ctx, "payment_info/amount"), &amount))
                return tkw_permanent(result, "ValidationError", "payment_info needs method, token and amount");
        if (fabs(amount - total) > AMOUNT_TOLERANCE) {
                tkw_set_code(result, "PAYMENT_AMOUNT_MISMATCH");
                return tkw_permanent(result, "AmountMismatch", "payment_info.amount is %.2f, the cart's total %.2f",
                                     amount, total);
        }
        if (!strcmp(token, "tok_test_declined"))
                return tkw_permanent(result, "PaymentDeclined", "the card was declined");
        if (!strcmp(token, "tok_test_insufficient_funds"))
                return tkw_permanent(result, "InsufficientFunds", "the card has not enough funds");
        if (!strcmp(token, "tok_test_network_error")) {
                tkw_set_retry_after(result, 15000);
                return tkw_retryable(result, "NetworkError", "the gateway cannot be reached");
        }
        tkw_put_str(result, "payment_id", example_id(ctx, "pay_"));
        tkw_put_str(result, "transaction_id", example_id(ctx, "txn_"));
        tkw_put_f64(result, "amount_charged", amount);
        tkw_put_str(result, "currency", "USD");
        tkw_put_str(result, "payment_method_type", method);
        tkw_put_str(result, "status", "completed");
        return tkw_success(result);
}

static int update_inventory(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *items = tkw_dependency(ctx, "validate_cart", "validated_items");
        struct example_json json = {0};
        int64_t reserved = 0;
        if (!items)
                return example_missing(result, "validate_cart");
        example_json_add(&json, "[");
        for (size_t i = 0; i < tkw_count(items); i++) {
                int64_t id = 0, quantity = 0;
                (void)tkw_i64(tkw_get(tkw_at(items, i), "product_id"), &id);
                (void)tkw_i64(tkw_get(tkw_at(items, i), "quantity"), &quantity);
                const struct product *product = find_product(id);
                example_json_add(&json,
                                 "%s{\"product_id\":%lld,\"reservation_id\":\"%s_%zu\",\"previous_stock\":%lld,"
                                 "\"new_stock\":%lld}",
                                 i ? "," : "", (long long)id, example_id(ctx, "rsv_"), i,
                                 product ? (long long)product->stock : 0LL,
                                 product ? (long long)(product->stock - quantity) : 0LL);
                reserved += quantity;
        }
        example_json_add(&json, "]");
        tkw_put_json(result, "updated_products", json.text);
        tkw_put_i64(result, "total_items_reserved", reserved);
        tkw_put_str(result, "inventory_log_id", example_id(ctx, "log_"));
        return tkw_success(result);
}

static int create_order(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *payment = tkw_dependency(ctx, "process_payment", NULL),
                               *items = tkw_dependency(ctx, "validate_cart", "validated_items");
        const char *email = example_text(ctx, "customer_info/email", NULL);
        if (!payment)
                return example_missing(result, "process_payment");
        if (!items)
                return example_missing(result, "validate_cart");
        if (!email)
                return tkw_permanent(result, "ValidationError", "customer_info.email is missing");
        const char *today = example_time(ctx, 0);
        tkw_put_str(result, "order_id", example_id(ctx, "order_"));
        tkw_put_str(result, "order_number",
                    tkw_format(ctx, "ORD-%.4s%.2s%.2s-%.8s", today, today + 5, today + 8, example_id(ctx, "")));
        tkw_put_str(result, "status", "confirmed");
        tkw_put_str(result, "customer_email", email);
        tkw_put_value(result, "items", items);
        tkw_put_f64(result, "total_amount", example_number(payment, "amount_charged", 0));
        tkw_put_value(result, "payment_id", tkw_get(payment, "payment_id"));
        tkw_put_str(result, "created_at", today);
        tkw_put_str(result, "estimated_delivery", example_time(ctx, DELIVERY_DAYS));
        return tkw_success(result);
}

static int send_confirmation(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *order = tkw_dependency(ctx, "create_order", NULL);
        const char *email = example_text(ctx, "customer_info/email", NULL);
        if (!order)
                return example_missing(result, "create_order");
        if (!example_email(email))
                return tkw_permanent(result, "InvalidEmail", "customer_info.email is not an address");
        tkw_put_bool(result, "email_sent", true);
        tkw_put_str(result, "recipient", email);
        tkw_put_value(result, "order_number", tkw_get(order, "order_number"));
        tkw_put_str(result, "message_id", example_id(ctx, "msg_"));
        tkw_put_str(result, "sent_at", example_time(ctx, 0));
        return tkw_success(result);
}

static const struct tkw_handler example_shop_rows[] = {
        {.name = "ecommerce_validate_cart", .fn = validate_cart},
        {.name = "ecommerce_process_payment", .fn = process_payment},
        {.name = "ecommerce_update_inventory", .fn = update_inventory},
        {.name = "ecommerce_create_order", .fn = create_order},
        {.name = "ecommerce_send_confirmation", .fn = send_confirmation},
};
EXAMPLE_TABLE(example_shop);
