/* SPDX-License-Identifier: MIT */
/* examples/handlers/accounts.c: user registration: account → {billing, preferences} → welcome → status. */
#include "tables.h"
#include <string.h>

enum { CUSTOM_MAX = 32, CUSTOM_BYTES_MAX = 64 };

static const struct plan {
        const char *name;
        double monthly;
        bool sms;
} plans[] = {{"free", 0, false}, {"pro", 29.99, false}, {"enterprise", 299.99, true}};

static const struct preference {
        const char *name;
        bool by_plan[sizeof plans / sizeof plans[0]]; /* in the order of plans */
} preferences[] = {
        {"email_notifications", {true, true, true}}, {"marketing_emails", {false, true, true}},
        {"product_updates", {true, true, true}},     {"weekly_digest", {false, true, true}},
        {"priority_support", {false, false, true}},
};

/* The account that is there before anybody registers. */
static const char existing_email[] = "existing@example.com", existing_name[] = "Existing User", existing_plan[] = "free";

static const struct plan *find_plan(const char *name)
{
        for (size_t i = 0; name && i < sizeof plans / sizeof plans[0]; i++)
                if (!strcmp(plans[i].name, name))
                        return &plans[i];
        return NULL;
}

static const char *plan_name(struct tkw_context *ctx)
{
        return example_text(ctx, "user_info/plan", "free");
}

static int create_user_account(struct tkw_context *ctx, struct tkw_result *result)
{
        const char *email = example_text(ctx, "user_info/email", NULL),
                   *name = example_text(ctx, "user_info/name", NULL), *plan = plan_name(ctx);
        if (!email || !name)
                return tkw_permanent(result, "ValidationError", "user_info.%s is missing", email ? "name" : "email");
        if (!example_email(email))
                return tkw_permanent(result, "ValidationError", "user_info.email is not an address: %s", email);
        if (!find_plan(plan))
                return tkw_permanent(result, "ValidationError",
                                     "user_info.plan must be free, pro or enterprise, got '%s'", plan);
        bool exists = !strcmp(email, existing_email);
        if (exists && (strcmp(name, existing_name) != 0 || strcmp(plan, existing_plan) != 0)) {
                tkw_set_code(result, "USER_CONFLICT");
                return tkw_permanent(result, "USER_CONFLICT", "%s is registered with other data", email);
        }
        tkw_put_str(result, "user_id", exists ? "user_existing_001" : example_id(ctx, "user_"));
        tkw_put_str(result, "email", email);
        tkw_put_str(result, "name", name);
        tkw_put_str(result, "plan", plan);
        tkw_put_str(result, "status", exists ? "already_exists" : "created");
        tkw_put_str(result, "created_at", example_time(ctx, 0));
        return tkw_success(result);
}

static int setup_billing_profile(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *account = tkw_dependency(ctx, "create_user_account", NULL);
        const struct plan *plan = find_plan(tkw_str(tkw_get(account, "plan")));
        if (!plan)
                return example_missing(result, "create_user_account");
        tkw_put_value(result, "user_id", tkw_get(account, "user_id"));
        tkw_put_str(result, "plan", plan->name);
        if (plan->monthly <= 0) {
                tkw_put_bool(result, "billing_required", false);
                tkw_put_str(result, "status", "skipped_free_plan");
                return tkw_success(result);
        }
        tkw_put_bool(result, "billing_required", true);
        tkw_put_str(result, "billing_id", example_id(ctx, "billing_"));
        tkw_put_f64(result, "price", plan->monthly);
        tkw_put_str(result, "currency", "USD");
        tkw_put_str(result, "billing_cycle", "monthly");
        tkw_put_str(result, "next_billing_date", example_time(ctx, 30));
        tkw_put_str(result, "status", "active");
        return tkw_success(result);
}

/* A name that can stand between quotes as it is, and a value that is short. */
static bool custom_ok(const char *name, const char *value)
{
        size_t len = strlen(name);
        for (const char *c = name; *c; c++)
                if ((unsigned char)*c < ' ' || *c == '"' || *c == '\\')
                        return false;
        return len && len <= CUSTOM_BYTES_MAX && strlen(value) <= CUSTOM_BYTES_MAX;
}

/* The defaults of the plan, where the user says nothing else; false: what the user says cannot be taken. */
static bool merge(struct tkw_context *ctx, const struct plan *plan, const struct tkw_value *custom,
                  struct example_json *json)
{
        const struct tkw_value *value;
        const char *comma = "";
        if (tkw_count(custom) > CUSTOM_MAX)
                return false;
        example_json_add(json, "{");
        for (size_t i = 0; i < sizeof preferences / sizeof preferences[0]; i++) {
                if (tkw_get(custom, preferences[i].name))
                        continue;
                example_json_add(json, "%s\"%s\":%s", comma, preferences[i].name,
                                 preferences[i].by_plan[plan - plans] ? "true" : "false");
                comma = ",";
        }
        for (const char *key = NULL; (value = tkw_next(custom, &key)); comma = ",") {
                if (!custom_ok(key, tkw_json(ctx, value)))
                        return false;
                example_json_add(json, "%s\"%s\":%s", comma, key, tkw_json(ctx, value));
        }
        example_json_add(json, "}");
        return true;
}

static int initialize_preferences(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *account = tkw_dependency(ctx, "create_user_account", NULL);
        const struct plan *plan = find_plan(tkw_str(tkw_get(account, "plan")));
        const struct tkw_value *custom = tkw_input(ctx, "user_info/preferences");
        struct example_json json = {0};
        if (!plan)
                return example_missing(result, "create_user_account");
        if (tkw_type(custom) != TKW_OBJECT)
                custom = NULL;
        if (!merge(ctx, plan, custom, &json))
                return tkw_permanent(result, "ValidationError",
                                     "user_info.preferences: at most %d, with plain names and values of at most %d bytes",
                                     CUSTOM_MAX, CUSTOM_BYTES_MAX);
        tkw_put_str(result, "preferences_id", example_id(ctx, "prefs_"));
        tkw_put_value(result, "user_id", tkw_get(account, "user_id"));
        tkw_put_json(result, "preferences", json.text);
        tkw_put_i64(result, "custom_count", (int64_t)tkw_count(custom));
        tkw_put_str(result, "status", "active");
        return tkw_success(result);
}

static int send_welcome_sequence(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *account = tkw_dependency(ctx, "create_user_account", NULL),
                               *billing = tkw_dependency(ctx, "setup_billing_profile", NULL),
                               *chosen = tkw_dependency(ctx, "initialize_preferences", "preferences");
        const struct plan *plan = find_plan(tkw_str(tkw_get(account, "plan")));
        bool email = true;
        if (!plan || !billing || !chosen)
                return example_missing(result, !plan      ? "create_user_account"
                                               : !billing ? "setup_billing_profile"
                                                          : "initialize_preferences");
        (void)tkw_bool(tkw_get(chosen, "email_notifications"), &email);
        tkw_put_json(result, "channels_used",
                     tkw_format(ctx, "[%s\"in_app\"%s]", email ? "\"email\"," : "", plan->sms ? ",\"sms\"" : ""));
        tkw_put_i64(result, "messages_sent", 1 + email + plan->sms);
        tkw_put_str(result, "welcome_sequence_id", example_id(ctx, "welcome_"));
        tkw_put_str(result, "status", "sent");
        return tkw_success(result);
}

static int update_user_status(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *account = tkw_dependency(ctx, "create_user_account", NULL);
        if (!account || !tkw_dependency(ctx, "send_welcome_sequence", NULL))
                return example_missing(result, account ? "send_welcome_sequence" : "create_user_account");
        tkw_put_value(result, "user_id", tkw_get(account, "user_id"));
        tkw_put_str(result, "status", "active");
        tkw_put_value(result, "plan", tkw_get(account, "plan"));
        tkw_put_value(result, "email", tkw_get(account, "email"));
        tkw_put_value(result, "billing_status", tkw_dependency(ctx, "setup_billing_profile", "status"));
        tkw_put_value(result, "channels", tkw_dependency(ctx, "send_welcome_sequence", "channels_used"));
        tkw_put_str(result, "activated_at", example_time(ctx, 0));
        return tkw_success(result);
}

static const struct tkw_handler example_accounts_rows[] = {
        {.name = "microservices_create_user_account", .fn = create_user_account},
        {.name = "microservices_setup_billing_profile", .fn = setup_billing_profile},
        {.name = "microservices_initialize_preferences", .fn = initialize_preferences},
        {.name = "microservices_send_welcome_sequence", .fn = send_welcome_sequence},
        {.name = "microservices_update_user_status", .fn = update_user_status},
};
EXAMPLE_TABLE(example_accounts);
