/* SPDX-License-Identifier: MIT */
/* examples/handlers/events.c: an order whose steps publish domain events, two publishers that make their payloads richer, and a
 * subscriber (docs/events.md). */
#include "tables.h"
#include <string.h>

static const char *order_of(struct tkw_context *ctx)
{
        return tkw_str(tkw_input(ctx, "order_id"));
}

/* The result is the payload of order.validated. */
static int validate_order(struct tkw_context *ctx, struct tkw_result *result)
{
        double amount = example_number(tkw_input(ctx, NULL), "amount", 0);
        const char *mode = tkw_str(tkw_config(ctx, "validation_mode")), *customer = tkw_str(tkw_input(ctx, "customer_id"));
        bool strict = mode && !strcmp(mode, "strict");
        if (!order_of(ctx))
                return tkw_permanent(result, "VALIDATION_ERROR", "order_id is required");
        if (!customer)
                return tkw_permanent(result, "VALIDATION_ERROR", "customer_id is required");
        if (strict && amount <= 0)
                return tkw_permanent(result, "VALIDATION_ERROR", "amount must be above 0, found %g", amount);
        tkw_put_str(result, "order_id", order_of(ctx));
        tkw_put_str(result, "customer_id", customer);
        tkw_put_f64(result, "amount", amount);
        tkw_put_bool(result, "validated", true);
        tkw_put_str(result, "validation_timestamp", example_time(ctx, 0));
        tkw_put_json(result, "validation_checks", strict ? "[\"order_id\",\"customer_id\",\"amount\"]" : "[\"order_id\",\"customer_id\"]");
        return tkw_success(result);
}

/* Declined when the context says so: every attempt then publishes payment.failed. */
static int process_payment(struct tkw_context *ctx, struct tkw_result *result)
{
        bool declined = false;
        (void)tkw_bool(tkw_input(ctx, "simulate_failure"), &declined);
        if (declined) {
                tkw_set_code(result, "PAYMENT_DECLINED");
                tkw_set_detail(result, "order_id", example_quoted(ctx, order_of(ctx)));
                return tkw_retryable(result, "PaymentError", "the payment of order %s was declined", order_of(ctx));
        }
        tkw_put_str(result, "transaction_id", example_id(ctx, "TXN-"));
        tkw_put_f64(result, "amount", example_number(tkw_dependency(ctx, "domain_events_validate_order", NULL), "amount", 0));
        tkw_put_str(result, "payment_method", "credit_card");
        tkw_put_str(result, "payment_provider", tkw_str(tkw_config(ctx, "payment_provider")));
        tkw_put_str(result, "processed_at", example_time(ctx, 0));
        tkw_put_str(result, "status", "success");
        return tkw_success(result);
}

static int update_inventory(struct tkw_context *ctx, struct tkw_result *result)
{
        tkw_put_str(result, "order_id", order_of(ctx));
        tkw_put_json(result, "items", "[{\"sku\":\"ITEM-001\",\"quantity\":1},{\"sku\":\"ITEM-002\",\"quantity\":2}]");
        tkw_put_bool(result, "success", true);
        tkw_put_str(result, "inventory_source", tkw_str(tkw_config(ctx, "inventory_source")));
        tkw_put_str(result, "updated_at", example_time(ctx, 0));
        return tkw_success(result);
}

static int send_notification(struct tkw_context *ctx, struct tkw_result *result)
{
        const char *channel = tkw_str(tkw_config(ctx, "notification_type"));
        tkw_put_str(result, "notification_id", example_id(ctx, "NOTIF-"));
        tkw_put_str(result, "channel", channel ? channel : "email");
        tkw_put_str(result, "recipient", tkw_str(tkw_input(ctx, "customer_id")));
        tkw_put_str(result, "sent_at", example_time(ctx, 0));
        tkw_put_str(result, "status", "delivered");
        return tkw_success(result);
}

/* ---- Publishers: what subscribers and consumers want to know beside the result ---- */

static void copy(struct tkw_result *payload, const struct tkw_value *from, const char *const *names)
{
        for (; *names; names++)
                if (tkw_get(from, *names))
                        tkw_put_value(payload, *names, tkw_get(from, *names));
}

static int publish_payment(struct tkw_context *ctx, const struct tkw_occasion *occasion, struct tkw_result *payload)
{
        static const char *const kept[] = {"transaction_id", "amount", "payment_method", "processed_at", NULL};
        copy(payload, occasion->payload, kept);
        tkw_put_str(payload, "order_id", order_of(ctx));
        tkw_put_str(payload, "customer_tier", example_number(occasion->payload, "amount", 0) >= 1000 ? "premium" : "standard");
        tkw_put_i64(payload, "attempt_number", tkw_info(ctx)->attempt);
        return tkw_success(payload);
}

static int publish_notification(struct tkw_context *ctx, const struct tkw_occasion *occasion, struct tkw_result *payload)
{
        static const char *const kept[] = {"notification_id", "channel", "recipient", "sent_at", NULL};
        copy(payload, occasion->payload, kept);
        tkw_put_str(payload, "order_id", order_of(ctx));
        tkw_put_str(payload, "delivery_status", tkw_str(tkw_get(occasion->payload, "status")));
        return tkw_success(payload);
}

/* ---- A subscriber: here it could fill a cache, warm a page, count a sale ---- */

static int watch_orders(struct tkw_event *event, void *user)
{
        (void)user;
        return tkw_str(tkw_event_data(event, "order_id")) ? 0 : 1; /* each of these says which order it is about */
}

const struct tkw_events *tasker_events_v1(void)
{
        static const struct tkw_publisher publishers[] = {
                {.name = "PaymentEventPublisher", .fn = publish_payment},
                {.name = "NotificationEventPublisher", .fn = publish_notification},
        };
        static const struct tkw_subscriber subscribers[] = {
                {.name = "order_watch", .pattern = "order.* inventory.* notification.sent", .fn = watch_orders},
        };
        static const struct tkw_events events = {
                .abi = TKW_ABI, .publishers = publishers, .publishers_n = 2, .subscribers = subscribers, .subscribers_n = 1};
        return &events;
}

static const struct tkw_handler example_events_rows[] = {
        {.name = "domain_events::validate_order::ValidateOrderHandler", .fn = validate_order},
        {.name = "domain_events::process_payment::ProcessPaymentHandler", .fn = process_payment},
        {.name = "domain_events::update_inventory::UpdateInventoryHandler", .fn = update_inventory},
        {.name = "domain_events::send_notification::SendNotificationHandler", .fn = send_notification},
};
EXAMPLE_TABLE(example_events);
