/* SPDX-License-Identifier: MIT */
/* orchestrator/core/outbox.c: see the header. */
#include "orchestrator/core/outbox.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "json/json.h"
#include "orchestrator/core/db.h"
#include "schema/schema.h"
#include "tk_sql.h"

enum { TRIM_MAX = 10000 }; /* messages of one queue and kind at a time; the next look takes more */
enum { CHECK_MAX = 100 };  /* events in one transaction */

bool orch_outbox_wanted(const struct orch_result *results, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (results[i].events_n || results[i].refused)
                        return true;
        return false;
}

void orch_outbox_args(struct tk_pg_args *args, struct tk_arena *arena, const struct orch_result *results, size_t n)
{
        size_t total = 0, at = 0, refused_n = 0;
        for (size_t i = 0; i < n; i++)
                total += results[i].events_n;
        int32_t *of = TK_ARENA_ARRAY(arena, int32_t, total + 1), *refused = TK_ARENA_ARRAY(arena, int32_t, n);
        const char **when = TK_ARENA_ARRAY(arena, const char *, total + 1);
        struct tk_pg_bytes *json = TK_ARENA_ARRAY(arena, struct tk_pg_bytes, total + 1);
        for (size_t i = 0; i < n; i++) {
                for (unsigned k = 0; k < results[i].events_n; k++, at++) {
                        of[at] = (int32_t)i + 1;
                        when[at] = results[i].events[k].when;
                        json[at] = (struct tk_pg_bytes){results[i].events[k].json, results[i].events[k].json_len};
                }
                if (results[i].refused)
                        refused[refused_n++] = (int32_t)i + 1;
        }
        tk_pg_arg_i32_array(args, of, total);
        tk_pg_arg_text_array(args, when, total);
        tk_pg_arg_text_n_array(args, json, total);
        tk_pg_arg_i32_array(args, refused, refused_n);
}

bool orch_outbox_drop(struct orch_app *app, struct orch_result *result, const struct tk_err *why)
{
        char step[TK_UUID_TEXT];
        if (!result->events_n)
                return false;
        tk_uuid_format(&result->step, step);
        tk_log_warn("events.invalid", tk_err_text(why), TK_STR("step_uuid", step), TK_STR("worker", result->worker),
                    TK_INT("events", result->events_n));
        tk_metric_add_l(app->metrics, ORCH_M_events_dropped_total, "invalid", result->events_n);
        result->events_n = 0;
        return true;
}

static bool fits(const char *schema, const char *payload, struct tk_err *why)
{
        static const struct tk_json_limits limits = {.bytes_max = 16u << 20, .depth_max = 256, .entries_max = 1000000, .string_max = 16u << 20};
        TK_AUTOJSON json_t *document = NULL, *value = NULL;
        TK_CLEANUP(tk_schema_free) struct tk_schema *compiled = NULL;
        return !tk_json_read(schema, strlen(schema), &limits, &document, why) && !tk_json_read(payload, strlen(payload), &limits, &value, why) &&
               !tk_schema_compile(document, &compiled, NULL, why) && tk_schema_check(compiled, value, why);
}

/* Within the transaction. */
static int check_and_publish(struct tk_pg *pg, struct tk_arena *arena, int most, struct tk_pg_result **ret_res, bool **ret_fits, struct tk_err *whys,
                             struct tk_err *err)
{
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_i32(&args, most);
        int r = tk_pg_query(pg, &tk_sql_events_take, &args, ret_res, err);
        if (r || !tk_pg_rows(*ret_res))
                return r;
        size_t n = (size_t)tk_pg_rows(*ret_res);
        int64_t *numbers = TK_ARENA_ARRAY(arena, int64_t, n);
        int no = tk_pg_column(*ret_res, "event_no"), schema = tk_pg_column(*ret_res, "schema"), payload = tk_pg_column(*ret_res, "payload");
        *ret_fits = TK_ARENA_ARRAY(arena, bool, n);
        for (size_t i = 0; i < n; i++) {
                numbers[i] = tk_pg_i64(*ret_res, (int)i, no);
                (*ret_fits)[i] = fits(tk_pg_str(*ret_res, (int)i, schema), tk_pg_str(*ret_res, (int)i, payload), &whys[i]);
        }
        tk_pg_args_init(&args, arena);
        tk_pg_arg_i64_array(&args, numbers, n);
        tk_pg_arg_bool_array(&args, *ret_fits, n);
        return tk_pg_query(pg, &tk_sql_events_checked, &args, NULL, err);
}

/* In a transaction of its own. *ret_res: what was looked at, also where that failed later. */
static int check_some(struct tk_pg *pg, struct tk_arena *arena, int most, struct tk_pg_result **ret_res, bool **ret_fits, struct tk_err *whys,
                      struct tk_err *err)
{
        int r = tk_pg_begin(pg, err);
        if (r)
                return r;
        r = check_and_publish(pg, arena, most, ret_res, ret_fits, whys, err);
        if (!r)
                r = tk_pg_commit(pg, err);
        if (r)
                tk_pg_rollback(pg);
        return r;
}

static void failed(struct orch_app *app, const struct tk_pg_result *res, int row, const char *reason, const struct tk_err *why)
{
        orch_count_l(app, events_failed_total, reason);
        tk_log_warn("event.failed", tk_err_text(why), TK_STR("event", tk_pg_str(res, row, tk_pg_column(res, "name"))), TK_STR("reason", reason),
                    TK_STR("namespace", tk_pg_str(res, row, tk_pg_column(res, "namespace"))),
                    TK_STR("task_uuid", tk_pg_str(res, row, tk_pg_column(res, "task_uuid"))),
                    TK_STR("step_uuid", tk_pg_str(res, row, tk_pg_column(res, "step_uuid"))));
}

static void tell(struct orch_app *app, const struct tk_pg_result *res, const bool *fit, const struct tk_err *whys)
{
        for (int row = 0; row < tk_pg_rows(res); row++)
                if (fit[row])
                        tk_metric_add(app->metrics, ORCH_M_events_own_total, 1);
                else
                        failed(app, res, row, "schema", &whys[row]);
}

/* One event that cannot be published must not hold up the others: one by one, until that one is found; it is forgotten. */
static int check_apart(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct tk_err *err)
{
        for (unsigned i = 0; i < CHECK_MAX; i++) {
                TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
                struct tk_err why = {0};
                bool *fit = NULL;
                int r = check_some(pg, arena, 1, &res, &fit, &why, err);
                if (!r && !tk_pg_rows(res))
                        return 0;
                if (!r) {
                        tell(app, res, fit, &why);
                        continue;
                }
                if (!tk_pg_one_row(r) || !res || !tk_pg_rows(res))
                        return r;
                int64_t number = tk_pg_i64(res, 0, tk_pg_column(res, "event_no"));
                struct tk_pg_args args;
                why = *err;
                tk_pg_args_init(&args, arena);
                tk_pg_arg_i64_array(&args, &number, 1);
                tk_pg_arg_bool_array(&args, &(bool){false}, 1);
                r = tk_pg_query(pg, &tk_sql_events_checked, &args, NULL, err);
                if (!r)
                        failed(app, res, 0, "invalid", &why);
                return r;
        }
        return 0;
}

static int any_waits(struct tk_pg *pg, bool *ret, struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = tk_pg_query(pg, &tk_sql_events_waiting, NULL, &res, err);
        *ret = !r && tk_pg_bool(res, 0, 0);
        return r;
}

int orch_outbox_check(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, bool *ret_more, struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        bool *fit = NULL, waits;
        *ret_more = false;
        int r = any_waits(pg, &waits, err);
        if (r || !waits)
                return r;
        struct tk_err *whys = TK_ARENA_ARRAY(arena, struct tk_err, CHECK_MAX);
        r = check_some(pg, arena, CHECK_MAX, &res, &fit, whys, err);
        if (tk_pg_one_row(r)) {
                orch_count_l(app, batches_apart_total, "checked_events");
                orch_db_failed(app, "checked_events", r, err);
                *ret_more = true;
                return check_apart(app, pg, arena, err);
        }
        if (r)
                return r;
        *ret_more = tk_pg_rows(res) == CHECK_MAX;
        tell(app, res, fit, whys);
        return 0;
}

static void dropped(struct orch_app *app, const char *ns, const char *reason, int64_t n)
{
        if (!n)
                return;
        tk_metric_add_l(app->metrics, ORCH_M_events_dropped_total, reason, n);
        tk_log_warn("events.dropped", "Domain events that nobody read were removed.", TK_STR("namespace", ns), TK_STR("reason", reason),
                    TK_INT("events", n));
}

int orch_outbox_trim(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct tk_err *err)
{
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_i32(&args, (int32_t)(app->conf.events_retention / TK_NS_PER_S));
        tk_pg_arg_i64(&args, app->conf.events_keep);
        tk_pg_arg_i32(&args, TRIM_MAX);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = tk_pg_query(pg, &tk_sql_events_trim, &args, &res, err);
        if (r)
                return r;
        int ns = tk_pg_column(res, "namespace"), depth = tk_pg_column(res, "depth"), oldest = tk_pg_column(res, "oldest_s"),
            expired = tk_pg_column(res, "expired"), overflowed = tk_pg_column(res, "overflowed");
        for (int row = 0; row < tk_pg_rows(res); row++) {
                const char *name = tk_pg_str(res, row, ns);
                tk_metric_set_l(app->metrics, ORCH_M_events_waiting, name, tk_pg_i64(res, row, depth));
                tk_metric_set_l(app->metrics, ORCH_M_events_oldest_age_seconds, name, (int64_t)tk_pg_f64(res, row, oldest));
                dropped(app, name, "expired", tk_pg_i64(res, row, expired));
                dropped(app, name, "overflow", tk_pg_i64(res, row, overflowed));
        }
        return 0;
}
