/* SPDX-License-Identifier: MIT */
/* examples/handlers/approval.c: an amount decides who must approve: validate → decide → one or two approvals → finalize, which takes
 * the approvals that came into being. */
#include "tables.h"
#include <string.h>

#define MANAGER_FROM 1000.0
#define FINANCE_FROM 5000.0
enum { APPROVALS = 3 };

static int refuse(struct tkw_result *result, const char *code, const char *message)
{
        tkw_set_code(result, code);
        return tkw_permanent(result, "ValidationError", "%s", message);
}

static int required(struct tkw_context *ctx, struct tkw_result *result, const char *name, const char *missing, const char *empty,
                    bool *ret_failed)
{
        const char *text = tkw_str(tkw_input(ctx, name));
        *ret_failed = !text || !*text;
        if (!text)
                return refuse(result, missing, tkw_format(ctx, "%s is required", name));
        return *text ? 0 : refuse(result, empty, tkw_format(ctx, "%s must not be empty", name));
}

static int validate(struct tkw_context *ctx, struct tkw_result *result)
{
        double amount;
        bool failed;
        if (!tkw_f64(tkw_input(ctx, "amount"), &amount))
                return refuse(result, "MISSING_AMOUNT", "amount must be a number");
        if (!(amount > 0))
                return refuse(result, "INVALID_AMOUNT", "amount must be above 0");
        int r = required(ctx, result, "requester", "MISSING_REQUESTER", "EMPTY_REQUESTER", &failed);
        if (failed)
                return r;
        r = required(ctx, result, "purpose", "MISSING_PURPOSE", "EMPTY_PURPOSE", &failed);
        if (failed)
                return r;
        tkw_put_f64(result, "amount", amount);
        tkw_put_str(result, "requester", tkw_str(tkw_input(ctx, "requester")));
        tkw_put_str(result, "purpose", tkw_str(tkw_input(ctx, "purpose")));
        tkw_put_bool(result, "validated", true);
        tkw_put_str(result, "validated_at", example_time(ctx, 0));
        return tkw_success(result);
}

static int decide(struct tkw_context *ctx, struct tkw_result *result)
{
        static const char *const both[] = {"manager_approval", "finance_review"}, *const automatic[] = {"auto_approve"};
        double amount;
        if (!tkw_f64(tkw_dependency(ctx, "validate_request", "amount"), &amount))
                return example_missing(result, "validate_request");
        tkw_put_f64(result, "amount", amount);
        if (amount < MANAGER_FROM) {
                tkw_put_str(result, "route_type", "auto_approval");
                tkw_put_str(result, "reasoning", "below 1000: nobody needs to look at it");
                return tkw_create_steps(result, automatic, 1);
        }
        bool finance = amount >= FINANCE_FROM;
        tkw_put_str(result, "route_type", finance ? "dual_approval" : "manager_only");
        tkw_put_str(result, "reasoning", finance ? "5000 or more: manager and finance" : "from 1000, below 5000: the manager");
        return tkw_create_steps(result, both, finance ? 2 : 1);
}

static int approve(struct tkw_context *ctx, struct tkw_result *result)
{
        const char *step = tkw_info(ctx)->step_name;
        double amount;
        bool automatic = !strcmp(step, "auto_approve"), denied = false;
        if (!tkw_f64(tkw_dependency(ctx, "validate_request", "amount"), &amount))
                return example_missing(result, "validate_request");
        (void)tkw_bool(tkw_input(ctx, tkw_format(ctx, "deny/%s", step)), &denied); /* {"deny": {"manager_approval": true}} */
        tkw_put_bool(result, "approved", !denied);
        tkw_put_str(result, "approval_type", automatic ? "automatic" : !strcmp(step, "manager_approval") ? "manager" : "finance");
        tkw_put_str(result, "approved_by", automatic ? "system" : !strcmp(step, "manager_approval") ? "manager" : "finance");
        tkw_put_f64(result, "amount", amount);
        tkw_put_str(result, "approved_at", example_time(ctx, 0));
        return tkw_success(result);
}

/* A denial is a fact of the business, not a failure. */
static int finalize(struct tkw_context *ctx, struct tkw_result *result)
{
        static const char *const steps[APPROVALS] = {"auto_approve", "manager_approval", "finance_review"};
        struct example_json chain = {0};
        bool there[APPROVALS], approved = true;
        const char *by = "";
        unsigned n = 0;
        example_json_add(&chain, "[");
        for (unsigned i = 0; i < APPROVALS; i++) {
                const struct tkw_value *approval = tkw_dependency(ctx, steps[i], NULL);
                bool yes = false;
                there[i] = approval != NULL;
                if (!approval)
                        continue;
                (void)tkw_bool(tkw_get(approval, "approved"), &yes);
                approved &= yes;
                by = tkw_format(ctx, "%s%s%s", by, n ? ", " : "", tkw_str(tkw_get(approval, "approved_by")));
                example_json_add(&chain, "%s{\"step\":\"%s\",\"approved\":%s}", n++ ? "," : "", steps[i], yes ? "true" : "false");
        }
        example_json_add(&chain, "]");
        if (!n)
                return tkw_permanent(result, "ValidationError", "no approval came into being");
        tkw_put_bool(result, "approved", approved);
        tkw_put_json(result, "approval_chain", chain.text);
        tkw_put_str(result, "approved_by", by);
        tkw_put_str(result, "approval_path", there[0] && n == 1      ? "auto"
                                             : there[1] && there[2] ? "dual_approval"
                                             : there[1]             ? "manager_only"
                                                                    : "unknown");
        tkw_put_i64(result, "approvals", n);
        tkw_put_str(result, "finalized_at", example_time(ctx, 0));
        return tkw_success(result);
}

static const struct tkw_handler example_approval_rows[] = {
        {.name = "validate_request", .fn = validate}, {.name = "routing_decision", .fn = decide},
        {.name = "auto_approve", .fn = approve}, {.name = "manager_approval", .fn = approve}, {.name = "finance_review", .fn = approve},
        {.name = "finalize_approval", .fn = finalize},
};
EXAMPLE_TABLE(example_approval);
