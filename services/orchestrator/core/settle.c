/* SPDX-License-Identifier: MIT */
/* orchestrator/core/settle.c: see the header. */
#include "orchestrator/core/settle.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/probe.h"
#include "base/str.h"
#include "base/time.h"
#include "orchestrator/core/after.h"
#include "orchestrator/core/apart.h"
#include "orchestrator/core/db.h"
#include "orchestrator/core/outbox.h"
#include "orchestrator/core/rows.h"
#include "tk_sql.h"

enum { CREDIT_BASE = 16, CREDIT_PER_RESULT = 4 };

struct settle {
        struct orch_app *app;
        struct orch_result *results;
        size_t n;
        orch_stored_fn *stored; /* NULL: another part of the batch follows */
        void *user;
};

static void result_row(void *user, const struct orch_row *row)
{
        struct settle *settle = user;
        if (row->idx < 1 || (size_t)row->idx > settle->n)
                return;
        struct orch_result *result = &settle->results[row->idx - 1];
        if (tk_streq(row->kind, "stale"))
                result->settled = ORCH_SETTLED_STALE;
        else if (tk_streq(row->kind, "already"))
                result->settled = ORCH_SETTLED_ALREADY;
        else
                result->settled = result->refused ? ORCH_SETTLED_REFUSED : ORCH_SETTLED_STORED;
        if (result->events_n && result->settled == ORCH_SETTLED_STORED)
                tk_metric_add(settle->app->metrics, ORCH_M_events_stored_total, result->events_n);
        if (tk_streq(row->kind, "retry") && row->due_ns)
                settle->app->after->timer(settle->app, row->due_ns);
        orch_count_l(settle->app, steps_settled_total, row->kind);
}

/* The distinct namespaces of a batch. */
static size_t namespaces(const struct orch_result *results, size_t n, const char **ret)
{
        size_t count = 0;
        for (size_t i = 0; i < n; i++) {
                size_t at = 0;
                while (at < count && !tk_streq(ret[at], results[i].ns))
                        at++;
                if (at == count)
                        ret[count++] = results[i].ns;
        }
        return count;
}

static void batch_args(struct tk_pg_args *args, struct tk_arena *arena, const struct orch_result *results, size_t n)
{
        struct tk_uuid *steps = TK_ARENA_ARRAY(arena, struct tk_uuid, n), *tasks = TK_ARENA_ARRAY(arena, struct tk_uuid, n);
        int32_t *attempts = TK_ARENA_ARRAY(arena, int32_t, n), *delays = TK_ARENA_ARRAY(arena, int32_t, n),
                *exec = TK_ARENA_ARRAY(arena, int32_t, n);
        int64_t *tokens = TK_ARENA_ARRAY(arena, int64_t, n);
        int64_t *stages = TK_ARENA_ARRAY(arena, int64_t, n * ORCH_STAGES);
        bool *success = TK_ARENA_ARRAY(arena, bool, n), *retryable = TK_ARENA_ARRAY(arena, bool, n);
        struct tk_pg_bytes *json = TK_ARENA_ARRAY(arena, struct tk_pg_bytes, n);
        const char **workers = TK_ARENA_ARRAY(arena, const char *, n);
        for (size_t i = 0; i < n; i++) {
                const struct orch_result *r = &results[i];
                steps[i] = r->step;
                tasks[i] = r->task;
                attempts[i] = (int32_t)r->attempt;
                tokens[i] = r->token;
                success[i] = r->success;
                retryable[i] = r->retryable;
                delays[i] = r->delay_ms;
                exec[i] = r->exec_ms;
                memcpy(&stages[i * ORCH_STAGES], r->stages, sizeof r->stages);
                json[i] = (struct tk_pg_bytes){r->json, r->json_len};
                workers[i] = r->worker;
        }
        tk_pg_args_init(args, arena);
        tk_pg_arg_uuid_array(args, steps, n);
        tk_pg_arg_uuid_array(args, tasks, n);
        tk_pg_arg_i32_array(args, attempts, n);
        tk_pg_arg_i64_array(args, tokens, n);
        tk_pg_arg_bool_array(args, success, n);
        tk_pg_arg_bool_array(args, retryable, n);
        tk_pg_arg_i32_array(args, delays, n);
        tk_pg_arg_text_n_array(args, json, n);
        tk_pg_arg_text_array(args, workers, n);
        tk_pg_arg_i32_array(args, exec, n);
        tk_pg_arg_i64_array(args, stages, n * ORCH_STAGES);
}

static void single_args(struct tk_pg_args *args, struct tk_arena *arena, const struct orch_result *r)
{
        tk_pg_args_init(args, arena);
        tk_pg_arg_uuid(args, &r->step);
        tk_pg_arg_uuid(args, &r->task);
        tk_pg_arg_i32(args, (int32_t)r->attempt);
        tk_pg_arg_i64(args, r->token);
        tk_pg_arg_text_n(args, r->json, r->json_len);
        tk_pg_arg_text(args, r->worker);
        tk_pg_arg_i32(args, r->exec_ms);
        tk_pg_arg_i64_array(args, r->stages, ORCH_STAGES);
}

int orch_settle_query(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, const struct orch_result *results,
                      size_t n, struct orch_settling *ret, struct tk_err *err)
{
        const char **ns = TK_ARENA_ARRAY(arena, const char *, n);
        size_t ns_n = namespaces(results, n, ns);
        struct tk_pg_args args;
        bool publishes = orch_outbox_wanted(results, n), single = n == 1 && results->success && !publishes;
        if (single)
                single_args(&args, arena, results);
        else
                batch_args(&args, arena, results, n);
        unsigned want = results->alone ? 0 : (unsigned)(CREDIT_BASE + CREDIT_PER_RESULT * n);
        ret->credit = orch_credit_reserve(app->sessions, ns, ns_n, want, ORCH_CREDIT_EAGER);
        ret->res = NULL;
        orch_rows_credit_args(&args, ret->credit, ns, ns_n);
        tk_pg_arg_i32(&args, (int32_t)(app->conf.lease / TK_NS_PER_MS));
        tk_pg_arg_uuid(&args, &app->processor);
        if (publishes)
                orch_outbox_args(&args, arena, results, n);
        const struct tk_sql *batch = publishes ? &tk_sql_engine_settle_publishing : &tk_sql_engine_settle_steps;
        int r = tk_pg_query(pg, single ? &tk_sql_engine_settle_step : batch, &args, &ret->res, err);
        if (r)
                orch_settle_drop(ret);
        return r;
}

void orch_settle_drop(struct orch_settling *settling)
{
        settling->res = tk_pg_result_free(settling->res);
        orch_reservation_free(settling->credit);
        settling->credit = NULL;
}

static void tell(struct settle *settle, struct orch_settling *settling)
{
        orch_rows_apply(settle->app, settling->res, settling->credit, "eager", result_row, settle);
        if (settle->stored)
                settle->stored(settle->user);
        orch_settle_drop(settling);
}

void orch_settle_tell(struct orch_app *app, struct orch_settling *settling, struct orch_result *results, size_t n)
{
        tell(&(struct settle){.app = app, .results = results, .n = n}, settling);
}

static int settle_once(struct settle *settle, struct tk_pg *pg, struct tk_arena *arena, struct tk_err *err)
{
        struct orch_app *app = settle->app;
        struct orch_settling settling;
        int64_t start = tk_time_mono_ns();
        int r = orch_settle_query(app, pg, arena, settle->results, settle->n, &settling, err);
        if (r)
                return r;
        tk_metric_observe(app->metrics, ORCH_M_settle_transaction_seconds, tk_time_mono_ns() - start);
        orch_count_l(app, transactions_total, "settle");
        TK_PROBE(results_settled, settle->n);
        tell(settle, &settling);
        return 0;
}

void orch_settle_refuse(struct orch_result *result, struct tk_arena *arena, const char *type, const struct tk_err *cause)
{
        TK_AUTOBUF struct tk_buf buf;
        char step[TK_UUID_TEXT];
        tk_uuid_format(&result->step, step);
        tk_buf_init(&buf, 8192);
        tk_buf_printf(&buf, "{\"step_uuid\":\"%s\",\"success\":false,\"result\":{},\"status\":\"error\",\"metadata\":{"
                      "\"execution_time_ms\":%d,\"retryable\":false,\"error_type\":\"%s\"},\"error\":{\"message\":",
                      step, result->exec_ms, type);
        tk_buf_put_json_str(&buf, tk_err_text(cause), strlen(tk_err_text(cause)));
        tk_buf_printf(&buf, ",\"error_type\":\"%s\",\"retryable\":false,\"backtrace\":[]},\"orchestration_metadata\":null}", type);
        result->json = tk_arena_strndup(arena, buf.data, buf.len);
        result->json_len = buf.len;
        result->success = result->retryable = false;
        result->events_n = 0;
        result->refused = true;
}

bool orch_settle_yield(struct orch_app *app, struct orch_result *result, struct tk_arena *arena, const struct tk_err *why)
{
        if (!result->alone)
                return result->alone = true;
        if (orch_outbox_drop(app, result, why))
                return true;
        if (result->refused)
                return false;
        tk_log_warn("result.invalid", tk_err_text(why), TK_STR("worker", result->worker));
        orch_settle_refuse(result, arena, "invalid_result", why);
        return true;
}

int orch_settle_set_aside(struct orch_app *app, struct tk_pg *pg, struct orch_result *result, struct tk_err *err)
{
        int r = orch_apart_set_aside(app, pg, &result->task, &result->step, "settle_steps", err);
        if (!r)
                result->settled = ORCH_SETTLED_REFUSED;
        return r;
}

static int settle_part(struct settle *settle, struct tk_pg *pg, struct tk_arena *arena, struct tk_err *err)
{
        unsigned tries = 0;
        int r;
        do
                r = settle_once(settle, pg, arena, err);
        while (orch_db_again(settle->app, "settle_steps", r, &tries, err));
        if (!tk_pg_one_row(r))
                return r;
        if (settle->n == 1 && orch_settle_yield(settle->app, settle->results, arena, err))
                return settle_part(settle, pg, arena, err);
        if (settle->n == 1) {
                r = orch_settle_set_aside(settle->app, pg, settle->results, err);
                if (!r && settle->stored)
                        settle->stored(settle->user);
                return r;
        }
        for (size_t i = 0; i < settle->n; i++) { /* find the one at fault; the others go through */
                r = settle_part(&(struct settle){.app = settle->app, .results = &settle->results[i], .n = 1}, pg, arena, err);
                if (r)
                        return r;
        }
        if (settle->stored)
                settle->stored(settle->user);
        return 0;
}

int orch_settle(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct orch_result *results, size_t n,
                orch_stored_fn *stored, void *user, struct tk_err *err)
{
        return settle_part(&(struct settle){app, results, n, stored, user}, pg, arena, err);
}
