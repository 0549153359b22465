/* SPDX-License-Identifier: MIT */
/* examples/handlers/refunds.c: two teams, two namespaces: a customer's ticket, and the payment it is about. Certain ids make
 * certain things go wrong, so that every path can be tried. */
#include "tables.h"
#include <string.h>

struct trigger {
        const char *prefix;  /* of the id */
        bool retryable;
        const char *type, *message;
};

/* The failure that this id stands for, as the handler's answer; false: none. */
static bool triggered(struct tkw_result *result, const struct trigger *list, size_t n, const char *id, int *ret_r)
{
        for (size_t i = 0; i < n; i++) {
                if (strncmp(id, list[i].prefix, strlen(list[i].prefix)) != 0)
                        continue;
                *ret_r = list[i].retryable ? tkw_retryable(result, list[i].type, "%s: %s", id, list[i].message)
                                           : tkw_permanent(result, list[i].type, "%s: %s", id, list[i].message);
                return true;
        }
        return false;
}
#define TRIGGERED(list, id) triggered(result, list, sizeof(list) / sizeof((list)[0]), id, &r)

static bool amount_of(struct tkw_context *ctx, double *ret)
{
        return tkw_f64(tkw_input(ctx, "refund_amount"), ret) && *ret > 0;
}

static int bad_amount(struct tkw_result *result)
{
        return tkw_permanent(result, "ValidationError", "refund_amount must be a positive number of cents");
}

/* ---- Customer success ---- */

static const struct policy {
        const char *tier;
        int window_days;
        bool approval;
        double amount_max; /* cents */
} policies[] = {{"standard", 30, true, 10000}, {"gold", 60, false, 50000}, {"premium", 90, false, 100000}};

static const struct policy *policy_of(const char *customer)
{
        if (strstr(customer, "vip") || strstr(customer, "premium"))
                return &policies[2];
        return strstr(customer, "gold") ? &policies[1] : &policies[0];
}

static int validate_refund_request(struct tkw_context *ctx, struct tkw_result *result)
{
        static const struct trigger triggers[] = {
                {"ticket_closed", false, "TicketClosed", "the ticket is closed"},
                {"ticket_cancelled", false, "TicketCancelled", "the ticket was cancelled"},
                {"ticket_pending", true, "TicketPending", "the ticket is not assigned yet"},
        };
        static const char *const wanted[] = {"ticket_id", "customer_id", "customer_email"};
        double amount;
        int r;
        for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
                if (!example_text(ctx, wanted[i], NULL))
                        return tkw_permanent(result, "ValidationError", "%s is missing", wanted[i]);
        if (!amount_of(ctx, &amount))
                return bad_amount(result);
        const char *ticket = example_text(ctx, "ticket_id", ""), *customer = example_text(ctx, "customer_id", "");
        if (TRIGGERED(triggers, ticket))
                return r;
        tkw_put_bool(result, "request_validated", true);
        tkw_put_str(result, "ticket_id", ticket);
        tkw_put_str(result, "customer_id", customer);
        tkw_put_str(result, "customer_tier", policy_of(customer)->tier);
        tkw_put_f64(result, "refund_amount", amount);
        tkw_put_str(result, "payment_id", example_text(ctx, "payment_id", example_id(ctx, "pay_")));
        return tkw_success(result);
}

static int check_refund_policy(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *request = tkw_dependency(ctx, "validate_refund_request", NULL);
        const char *customer = tkw_str(tkw_get(request, "customer_id"));
        if (!customer)
                return example_missing(result, "validate_refund_request");
        const struct policy *policy = policy_of(customer);
        double amount = example_number(request, "refund_amount", 0);
        if (amount > policy->amount_max) {
                tkw_set_code(result, "AMOUNT_OVER_LIMIT");
                return tkw_permanent(result, "PolicyViolation",
                                     "%.0f cents is over the limit of %.0f for %s customers", amount,
                                     policy->amount_max, policy->tier);
        }
        tkw_put_bool(result, "policy_checked", true);
        tkw_put_bool(result, "policy_compliant", true);
        tkw_put_str(result, "customer_tier", policy->tier);
        tkw_put_i64(result, "refund_window_days", policy->window_days);
        tkw_put_f64(result, "max_allowed_amount", policy->amount_max);
        tkw_put_bool(result, "requires_approval", policy->approval);
        return tkw_success(result);
}

static int get_manager_approval(struct tkw_context *ctx, struct tkw_result *result)
{
        static const struct trigger triggers[] = {{"ticket_denied", false, "ApprovalDenied", "the manager says no"}};
        const struct tkw_value *policy = tkw_dependency(ctx, "check_refund_policy", NULL);
        bool needed = true;
        int r;
        if (!policy)
                return example_missing(result, "check_refund_policy");
        (void)tkw_bool(tkw_get(policy, "requires_approval"), &needed);
        if (needed && TRIGGERED(triggers, example_text(ctx, "ticket_id", "")))
                return r;
        tkw_put_bool(result, "approval_obtained", true);
        tkw_put_bool(result, "approval_required", needed);
        tkw_put_bool(result, "auto_approved", !needed);
        tkw_put_str(result, "approval_id", needed ? example_id(ctx, "appr_") : NULL);
        tkw_put_str(result, "manager_id", needed ? "mgr_on_duty" : NULL);
        return tkw_success(result);
}

static int execute_refund_workflow(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *approval = tkw_dependency(ctx, "get_manager_approval", NULL),
                               *request = tkw_dependency(ctx, "validate_refund_request", NULL);
        if (!approval || !request)
                return example_missing(result, approval ? "validate_refund_request" : "get_manager_approval");
        tkw_put_bool(result, "task_delegated", true); /* as if to the payments team: this example starts no second task */
        tkw_put_str(result, "target_namespace", "payments_rs");
        tkw_put_str(result, "target_workflow", "payments_process_refund_rs");
        tkw_put_str(result, "delegated_task_id", example_id(ctx, "task_"));
        tkw_put_str(result, "delegation_status", "created");
        tkw_put_value(result, "payment_id", tkw_get(request, "payment_id"));
        return tkw_success(result);
}

static int update_ticket_status(struct tkw_context *ctx, struct tkw_result *result)
{
        static const struct trigger triggers[] = {
                {"ticket_locked", true, "TicketLocked", "somebody else edits the ticket"}};
        const struct tkw_value *delegation = tkw_dependency(ctx, "execute_refund_workflow", NULL);
        int r;
        if (!delegation)
                return example_missing(result, "execute_refund_workflow");
        if (TRIGGERED(triggers, example_text(ctx, "ticket_id", "")))
                return r;
        tkw_put_bool(result, "ticket_updated", true);
        tkw_put_str(result, "ticket_id", example_text(ctx, "ticket_id", ""));
        tkw_put_str(result, "previous_status", "in_progress");
        tkw_put_str(result, "new_status", "resolved");
        tkw_put_value(result, "delegated_task_id", tkw_get(delegation, "delegated_task_id"));
        return tkw_success(result);
}

/* ---- Payments ---- */

static int validate_payment_eligibility(struct tkw_context *ctx, struct tkw_result *result)
{
        static const struct trigger triggers[] = {
                {"pay_test_insufficient", false, "InsufficientFunds", "less was paid than shall go back"},
                {"pay_test_ineligible", false, "IneligiblePayment", "this payment cannot go back"},
                {"pay_test_processing", true, "PaymentProcessing", "the payment is not settled yet"},
        };
        const char *payment = example_text(ctx, "payment_id", NULL);
        double amount;
        int r;
        if (!payment || strncmp(payment, "pay_", 4) != 0)
                return tkw_permanent(result, "ValidationError", "payment_id must begin with 'pay_'");
        if (!amount_of(ctx, &amount))
                return bad_amount(result);
        if (TRIGGERED(triggers, payment))
                return r;
        tkw_put_bool(result, "payment_validated", true);
        tkw_put_str(result, "payment_id", payment);
        tkw_put_f64(result, "refund_amount", amount);
        tkw_put_str(result, "eligibility_status", "eligible");
        tkw_put_str(result, "gateway_provider", "simulated");
        return tkw_success(result);
}

static int process_gateway_refund(struct tkw_context *ctx, struct tkw_result *result)
{
        static const struct trigger triggers[] = {
                {"pay_test_gateway_timeout", true, "GatewayTimeout", "the gateway did not answer"},
                {"pay_test_gateway_error", false, "GatewayError", "the gateway refuses"},
        };
        const struct tkw_value *eligible = tkw_dependency(ctx, "validate_payment_eligibility", NULL);
        const char *payment = tkw_str(tkw_get(eligible, "payment_id"));
        int r;
        if (!payment)
                return example_missing(result, "validate_payment_eligibility");
        if (TRIGGERED(triggers, payment))
                return r;
        tkw_put_bool(result, "refund_processed", true);
        tkw_put_str(result, "refund_id", example_id(ctx, "rfnd_"));
        tkw_put_str(result, "gateway_transaction_id", example_id(ctx, "gtx_"));
        tkw_put_f64(result, "refund_amount", example_number(eligible, "refund_amount", 0));
        tkw_put_str(result, "estimated_arrival", example_time(ctx, 5));
        return tkw_success(result);
}

static int update_payment_records(struct tkw_context *ctx, struct tkw_result *result)
{
        static const struct trigger triggers[] = {{"pay_test_record_lock", true, "RecordLocked", "the record is locked"}};
        const struct tkw_value *refund = tkw_dependency(ctx, "process_gateway_refund", NULL);
        const char *payment = example_text(ctx, "payment_id", "");
        int r;
        if (!refund)
                return example_missing(result, "process_gateway_refund");
        if (TRIGGERED(triggers, payment))
                return r;
        tkw_put_bool(result, "records_updated", true);
        tkw_put_str(result, "payment_id", payment);
        tkw_put_value(result, "refund_id", tkw_get(refund, "refund_id"));
        tkw_put_str(result, "record_id", example_id(ctx, "rec_"));
        tkw_put_str(result, "payment_status", "refunded");
        return tkw_success(result);
}

static int notify_customer(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *refund = tkw_dependency(ctx, "process_gateway_refund", NULL);
        const char *email = example_text(ctx, "customer_email", "customer@example.com");
        if (!refund)
                return example_missing(result, "process_gateway_refund");
        if (!example_email(email))
                return tkw_permanent(result, "InvalidEmail", "customer_email is not an address: %s", email);
        tkw_put_bool(result, "notification_sent", true);
        tkw_put_str(result, "customer_email", email);
        tkw_put_str(result, "message_id", example_id(ctx, "msg_"));
        tkw_put_value(result, "refund_id", tkw_get(refund, "refund_id"));
        return tkw_success(result);
}

static const struct tkw_handler example_refunds_rows[] = {
        {.name = "team_scaling_cs_validate_refund_request", .fn = validate_refund_request},
        {.name = "team_scaling_cs_check_refund_policy", .fn = check_refund_policy},
        {.name = "team_scaling_cs_get_manager_approval", .fn = get_manager_approval},
        {.name = "team_scaling_cs_execute_refund_workflow", .fn = execute_refund_workflow},
        {.name = "team_scaling_cs_update_ticket_status", .fn = update_ticket_status},
        {.name = "team_scaling_payments_validate_eligibility", .fn = validate_payment_eligibility},
        {.name = "team_scaling_payments_process_gateway_refund", .fn = process_gateway_refund},
        {.name = "team_scaling_payments_update_records", .fn = update_payment_records},
        {.name = "team_scaling_payments_notify_customer", .fn = notify_customer},
};
EXAMPLE_TABLE(example_refunds);
