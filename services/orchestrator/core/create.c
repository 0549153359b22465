/* SPDX-License-Identifier: MIT */
/* orchestrator/core/create.c: see the header. */
#include "orchestrator/core/create.h"
#include "base/probe.h"
#include "base/str.h"
#include "base/time.h"
#include "orchestrator/core/db.h"
#include "orchestrator/core/rows.h"
#include "orchestrator/core/waiters.h"
#include "tk_sql.h"

enum { CREDIT_BASE = 16, CREDIT_PER_TASK = 4 };

struct create {
        struct orch_app *app;
        struct orch_create *const *items;
        size_t n;
};

static void request_row(void *user, const struct orch_row *row)
{
        struct create *create = user;
        if (row->idx < 1 || (size_t)row->idx > create->n)
                return;
        struct orch_create *item = create->items[row->idx - 1];
        if (tk_streq(row->kind, "created")) {
                item->outcome = ORCH_CREATED;
                item->created_at_ns = row->due_ns;
                item->held = tk_streq(row->text, "waiting_for_dependencies");
                item->in_progress_n = (uint32_t)row->in_progress;
                item->pending_n = (uint32_t)row->pending;
                orch_count(create->app, tasks_created_total);
                TK_PROBE(task_initialised, &item->task, item->steps_n);
        } else if (tk_streq(row->kind, "duplicate")) {
                item->outcome = ORCH_CREATED_DUPLICATE;
                item->task = row->task;
        } else {
                item->outcome = ORCH_CREATED_STALE_TEMPLATE; /* unknown digest or other step count: look the template up again */
        }
}

static size_t namespaces(struct orch_create *const *items, size_t n, const char **ret)
{
        size_t count = 0;
        for (size_t i = 0; i < n; i++) {
                size_t at = 0;
                while (at < count && !tk_streq(ret[at], items[i]->req.ns))
                        at++;
                if (at == count)
                        ret[count++] = items[i]->req.ns;
        }
        return count;
}

/* One array of texts out of one field of all requests. */
#define TEXTS(args, arena, items, n, field)                                                                  \
        do {                                                                                                 \
                const char **texts_ = TK_ARENA_ARRAY((arena), const char *, (n));                            \
                for (size_t i_ = 0; i_ < (n); i_++)                                                          \
                        texts_[i_] = (items)[i_]->field;                                                     \
                tk_pg_arg_text_array((args), texts_, (n));                                                   \
        } while (0)

static void batch_args(struct tk_pg_args *args, struct tk_arena *arena, struct orch_create *const *items, size_t n)
{
        size_t steps_n = 0;
        for (size_t i = 0; i < n; i++)
                steps_n += items[i]->steps_n;
        struct tk_uuid *tasks = TK_ARENA_ARRAY(arena, struct tk_uuid, n),
                       *steps = TK_ARENA_ARRAY(arena, struct tk_uuid, steps_n + 1),
                       *correlation = TK_ARENA_ARRAY(arena, struct tk_uuid, n),
                       *parent = TK_ARENA_ARRAY(arena, struct tk_uuid, n);
        struct tk_pg_bytes *identity = TK_ARENA_ARRAY(arena, struct tk_pg_bytes, n);
        int32_t *priority = TK_ARENA_ARRAY(arena, int32_t, n), *first = TK_ARENA_ARRAY(arena, int32_t, n);
        int64_t *requested = TK_ARENA_ARRAY(arena, int64_t, n);
        size_t at = 0;
        for (size_t i = 0; i < n; i++) {
                const struct orch_create *item = items[i];
                tasks[i] = item->task;
                correlation[i] = item->req.correlation_id;
                parent[i] = item->req.parent_correlation_id;
                identity[i] = (struct tk_pg_bytes){item->identity, sizeof item->identity};
                priority[i] = item->req.priority;
                requested[i] = item->req.requested_at_ns;
                first[i] = (int32_t)at + 1;
                for (uint32_t k = 0; k < item->steps_n; k++)
                        tk_uuid_v7(&steps[at++]);
        }
        tk_pg_args_init(args, arena);
        tk_pg_arg_uuid_array(args, tasks, n);
        TEXTS(args, arena, items, n, digest);
        tk_pg_arg_bytea_array(args, identity, n);
        TEXTS(args, arena, items, n, req.context);
        tk_pg_arg_i32_array(args, priority, n);
        tk_pg_arg_uuid_array(args, correlation, n);
        tk_pg_arg_uuid_opt_array(args, parent, n);
        TEXTS(args, arena, items, n, req.initiator);
        TEXTS(args, arena, items, n, req.source_system);
        TEXTS(args, arena, items, n, req.reason);
        TEXTS(args, arena, items, n, req.tags);
        tk_pg_arg_time_array(args, requested, n);
        tk_pg_arg_uuid_array(args, steps, steps_n);
        tk_pg_arg_i32_array(args, first, n);
}

/* When they start and end, if any of them says. */
static void times_args(struct tk_pg_args *args, struct tk_arena *arena, struct orch_create *const *items, size_t n)
{
        int64_t *run_at = TK_ARENA_ARRAY(arena, int64_t, n), *deadline = TK_ARENA_ARRAY(arena, int64_t, n);
        int32_t *timeout = TK_ARENA_ARRAY(arena, int32_t, n);
        const char **then = TK_ARENA_ARRAY(arena, const char *, n);
        bool any = false;
        for (size_t i = 0; i < n; i++) {
                const struct tk_task_times *times = &items[i]->req.times;
                run_at[i] = times->run_at_ns;
                deadline[i] = times->deadline_ns;
                timeout[i] = times->timeout_s;
                then[i] = times->on_timeout;
                any |= tk_task_times_any(times);
        }
        if (!any) {
                for (unsigned i = 0; i < 4; i++)
                        tk_pg_arg_null(args);
                return;
        }
        tk_pg_arg_time_opt_array(args, run_at, n);
        tk_pg_arg_time_opt_array(args, deadline, n);
        tk_pg_arg_i32_array(args, timeout, n);
        tk_pg_arg_text_array(args, then, n);
}

static void single_times_args(struct tk_pg_args *args, const struct tk_task_times *times)
{
        if (times->run_at_ns)
                tk_pg_arg_time(args, times->run_at_ns);
        else
                tk_pg_arg_null(args);
        if (times->deadline_ns)
                tk_pg_arg_time(args, times->deadline_ns);
        else
                tk_pg_arg_null(args);
        if (times->timeout_s)
                tk_pg_arg_i32(args, times->timeout_s);
        else
                tk_pg_arg_null(args);
        tk_pg_arg_text(args, times->on_timeout);
}

static void single_args(struct tk_pg_args *args, struct tk_arena *arena, const struct orch_create *item)
{
        struct tk_uuid *steps = TK_ARENA_ARRAY(arena, struct tk_uuid, item->steps_n + 1);
        bool parent = !tk_uuid_is_nil(&item->req.parent_correlation_id);
        for (uint32_t k = 0; k < item->steps_n; k++)
                tk_uuid_v7(&steps[k]);
        tk_pg_args_init(args, arena);
        tk_pg_arg_uuid(args, &item->task);
        tk_pg_arg_text(args, item->digest);
        tk_pg_arg_bytea(args, item->identity, sizeof item->identity);
        tk_pg_arg_text(args, item->req.context);
        tk_pg_arg_i32(args, item->req.priority);
        tk_pg_arg_uuid(args, &item->req.correlation_id);
        tk_pg_arg_uuid(args, parent ? &item->req.parent_correlation_id : NULL);
        tk_pg_arg_text(args, item->req.initiator);
        tk_pg_arg_text(args, item->req.source_system);
        tk_pg_arg_text(args, item->req.reason);
        tk_pg_arg_text(args, item->req.tags);
        tk_pg_arg_time(args, item->req.requested_at_ns);
        tk_pg_arg_uuid_array(args, steps, item->steps_n);
}

static int create_once(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena,
                       struct orch_create *const *items, size_t n, struct tk_err *err)
{
        const char **ns = TK_ARENA_ARRAY(arena, const char *, n);
        size_t ns_n = namespaces(items, n, ns);
        struct tk_pg_args args;
        if (n == 1)
                single_args(&args, arena, items[0]);
        else
                batch_args(&args, arena, items, n);
        struct orch_reservation *credit =
                orch_credit_reserve(app->sessions, ns, ns_n, (unsigned)(CREDIT_BASE + CREDIT_PER_TASK * n), ORCH_CREDIT_NEW);
        orch_rows_credit_args(&args, credit, ns, ns_n);
        tk_pg_arg_i32(&args, (int32_t)(app->conf.lease / TK_NS_PER_MS));
        tk_pg_arg_uuid(&args, &app->processor);
        if (n == 1)
                single_times_args(&args, &items[0]->req.times);
        else
                times_args(&args, arena, items, n);

        for (size_t i = 0; i < n; i++)
                orch_waiters_moving(app->waiters, &items[i]->task); /* first: it may come to rest before this returns */
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int64_t start = tk_time_mono_ns();
        int r = tk_pg_query(pg, n == 1 ? &tk_sql_engine_create_task : &tk_sql_engine_create_tasks, &args, &res, err);
        if (!r) {
                tk_metric_observe(app->metrics, ORCH_M_create_transaction_seconds, tk_time_mono_ns() - start);
                orch_count_l(app, transactions_total, "create");
                orch_rows_apply(app, res, credit, "eager", request_row, &(struct create){app, items, n});
        }
        orch_reservation_free(credit);
        return r;
}

int orch_create(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct orch_create *const *items, size_t n,
                struct tk_err *err)
{
        unsigned tries = 0;
        int r;
        do
                r = create_once(app, pg, arena, items, n, err);
        while (orch_db_again(app, "create_tasks", r, &tries, err));
        if (!tk_pg_one_row(r))
                return r;
        if (n == 1) {
                items[0]->outcome = r == TK_PG_E_DATA ? ORCH_CREATED_REFUSED : ORCH_CREATED_FAILED;
                items[0]->refusal = *err;
                return 0;
        }
        for (size_t i = 0; i < n; i++) { /* one of them is at fault; the others go through */
                r = orch_create(app, pg, arena, &items[i], 1, err);
                if (r)
                        return r;
        }
        return 0;
}
