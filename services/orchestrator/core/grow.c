/* SPDX-License-Identifier: MIT */
/* orchestrator/core/grow.c: see the header. */
#include "orchestrator/core/grow.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "json/json.h"
#include "model/growth.h"
#include "orchestrator/core/decide.h"
#include "orchestrator/core/db.h"
#include "orchestrator/core/outbox.h"
#include "tk_sql.h"
#include <errno.h>

/* Few enough that nobody waits long for their locks; a large outcome goes by itself. */
enum { CHUNK_MAX = 64, CHUNK_BYTES = 256 * 1024 };

struct plan {
        const struct tk_template *tpl; /* NULL: the execution does not hold, settling will say so */
        uint16_t source;
        uint8_t *status;
        struct tk_growth growth;
};

struct growing {
        struct orch_app *app;
        struct tk_pg *pg;
        struct orch_bodies *bodies;
        struct tk_arena *arena;
        struct orch_result *results;   /* of this try */
        struct plan *plans;
        size_t n;
};

static const char *source_name(const struct plan *plan)
{
        return plan->tpl->steps[plan->source].type == TK_STEP_DECISION ? "decision" : "batch";
}

/* The template of each execution that holds, and which of its steps exist. */
static int take_what_exists(struct growing *g, const struct tk_pg_result *res, struct tk_err *err)
{
        int idx = tk_pg_column(res, "idx"), digest = tk_pg_column(res, "template_digest"), source = tk_pg_column(res, "source"),
            step_no = tk_pg_column(res, "step_no"), open = tk_pg_column(res, "open");
        for (int row = 0; row < tk_pg_rows(res); row++) {
                struct plan *plan = &g->plans[tk_pg_i64(res, row, idx) - 1];
                if (!plan->tpl) {
                        int r = orch_bodies_get(g->bodies, g->pg, g->arena, tk_pg_str(res, row, digest), &plan->tpl, err);
                        if (r)
                                return r;
                        plan->source = (uint16_t)tk_pg_i64(res, row, source);
                        plan->status = TK_ARENA_ARRAY(g->arena, uint8_t, plan->tpl->steps_n);
                }
                if (tk_pg_i64(res, row, step_no) < plan->tpl->steps_n)
                        plan->status[tk_pg_i64(res, row, step_no)] = tk_pg_bool(res, row, open) ? TK_GROWTH_OPEN : TK_GROWTH_OVER;
        }
        return 0;
}

/* Locks the tasks and reads what exists in them. */
static int look(struct growing *g, struct tk_err *err)
{
        struct tk_uuid *steps = TK_ARENA_ARRAY(g->arena, struct tk_uuid, g->n), *tasks = TK_ARENA_ARRAY(g->arena, struct tk_uuid, g->n);
        int32_t *attempts = TK_ARENA_ARRAY(g->arena, int32_t, g->n);
        int64_t *tokens = TK_ARENA_ARRAY(g->arena, int64_t, g->n);
        for (size_t i = 0; i < g->n; i++) {
                steps[i] = g->results[i].step;
                tasks[i] = g->results[i].task;
                attempts[i] = (int32_t)g->results[i].attempt;
                tokens[i] = g->results[i].token;
        }
        struct tk_pg_args args;
        tk_pg_args_init(&args, g->arena);
        tk_pg_arg_uuid_array(&args, steps, g->n);
        tk_pg_arg_uuid_array(&args, tasks, g->n);
        tk_pg_arg_i32_array(&args, attempts, g->n);
        tk_pg_arg_i64_array(&args, tokens, g->n);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = tk_pg_query(g->pg, &tk_sql_engine_growth_begin, &args, &res, err);
        return r ? r : take_what_exists(g, res, err);
}

/* What follows from one result; negative: it cannot be, and why. */
static int plan_document(struct growing *g, struct plan *plan, const char *json, size_t len, struct tk_err *why)
{
        static const struct tk_json_limits json_limits = {
                .bytes_max = 64u << 20, .depth_max = 128, .entries_max = 1000000, .string_max = 64u << 20};
        const struct tk_growth_limits limits = {
                .decision_steps_max = g->app->conf.decision_steps_max, .decision_depth_max = g->app->conf.decision_depth_max,
                .instances_max = g->app->conf.batch_instances_max, .parallel_max = g->app->conf.batch_parallel_max,
        };
        TK_AUTOJSON json_t *document = NULL;
        plan->status[plan->source] = TK_GROWTH_OVER;
        if (tk_json_read(json, len, &json_limits, &document, why) ||
            tk_growth_plan(plan->tpl, plan->source, plan->status, document, &limits, g->arena, &plan->growth, why)) {
                orch_count_l(g->app, growth_refused_total, source_name(plan));
                plan->growth = (struct tk_growth){0};
                return -EINVAL;
        }
        return 0;
}

static void plan_one(struct growing *g, struct plan *plan, struct orch_result *result)
{
        struct tk_err why = {0};
        char task[TK_UUID_TEXT], step[TK_UUID_TEXT];
        if (!plan_document(g, plan, result->json, result->json_len, &why))
                return;
        tk_uuid_format(&result->task, task);
        tk_uuid_format(&result->step, step);
        tk_log_warn("outcome.invalid", tk_err_text(&why), TK_STR("task_uuid", task), TK_STR("step_uuid", step), TK_STR("worker", result->worker));
        orch_settle_refuse(result, g->arena, "invalid_outcome", &why);
}

struct columns { /* of all plans, one row per new step and per edge */
        struct tk_uuid *task, *step, *edge_task;
        int32_t *no, *instance, *from, *to;
        const char **name, **inputs;
        bool *held;
        size_t steps_n, edges_n;
};

static void put_plan(struct columns *c, const struct plan *plan, const struct tk_uuid *task)
{
        for (uint32_t i = 0; i < plan->growth.steps_n; i++) {
                const struct tk_grown_step *step = &plan->growth.steps[i];
                size_t at = c->steps_n++;
                c->task[at] = *task;
                tk_uuid_v7(&c->step[at]);
                c->no[at] = step->no;
                c->instance[at] = (int32_t)step->instance;
                c->name[at] = step->name;
                c->inputs[at] = step->inputs;
                c->held[at] = step->held;
        }
        for (uint32_t i = 0; i < plan->growth.edges_n; i++) {
                size_t at = c->edges_n++;
                c->edge_task[at] = *task;
                c->from[at] = plan->growth.edges[i].from;
                c->to[at] = plan->growth.edges[i].to;
        }
}

static int create(struct growing *g, struct tk_err *err)
{
        size_t steps = 0, edges = 0;
        for (size_t i = 0; i < g->n; i++) {
                steps += g->plans[i].growth.steps_n;
                edges += g->plans[i].growth.edges_n;
        }
        if (!steps && !edges)
                return 0;
        struct columns c = {
                .task = TK_ARENA_ARRAY(g->arena, struct tk_uuid, steps + 1), .step = TK_ARENA_ARRAY(g->arena, struct tk_uuid, steps + 1),
                .no = TK_ARENA_ARRAY(g->arena, int32_t, steps + 1), .instance = TK_ARENA_ARRAY(g->arena, int32_t, steps + 1),
                .name = TK_ARENA_ARRAY(g->arena, const char *, steps + 1), .inputs = TK_ARENA_ARRAY(g->arena, const char *, steps + 1),
                .held = TK_ARENA_ARRAY(g->arena, bool, steps + 1), .edge_task = TK_ARENA_ARRAY(g->arena, struct tk_uuid, edges + 1),
                .from = TK_ARENA_ARRAY(g->arena, int32_t, edges + 1), .to = TK_ARENA_ARRAY(g->arena, int32_t, edges + 1),
        };
        for (size_t i = 0; i < g->n; i++)
                put_plan(&c, &g->plans[i], &g->results[i].task);
        struct tk_pg_args args;
        tk_pg_args_init(&args, g->arena);
        tk_pg_arg_uuid_array(&args, c.task, steps);
        tk_pg_arg_uuid_array(&args, c.step, steps);
        tk_pg_arg_i32_array(&args, c.no, steps);
        tk_pg_arg_i32_array(&args, c.instance, steps);
        tk_pg_arg_text_array(&args, c.name, steps);
        tk_pg_arg_text_array(&args, c.inputs, steps);
        tk_pg_arg_bool_array(&args, c.held, steps);
        tk_pg_arg_uuid_array(&args, c.edge_task, edges);
        tk_pg_arg_i32_array(&args, c.from, edges);
        tk_pg_arg_i32_array(&args, c.to, edges);
        return tk_pg_query(g->pg, &tk_sql_engine_grow_tasks, &args, NULL, err);
}

/* All of it within the transaction. */
static int grow_and_settle(struct growing *g, struct orch_settling *ret, struct tk_err *err)
{
        int r = look(g, err);
        if (r)
                return r;
        for (size_t i = 0; i < g->n; i++)
                if (g->plans[i].tpl && g->results[i].success)
                        plan_one(g, &g->plans[i], &g->results[i]);
        r = create(g, err);
        return r ? r : orch_settle_query(g->app, g->pg, g->arena, g->results, g->n, ret, err);
}

/* A decision that has come near a limit. */
static void warn(const struct growing *g, const struct plan *plan, const struct orch_result *result)
{
        const struct tk_growth *growth = &plan->growth;
        bool many = growth->names_n >= g->app->conf.decision_steps_warn, deep = growth->depth >= g->app->conf.decision_depth_warn;
        char task[TK_UUID_TEXT], step[TK_UUID_TEXT];
        if (!many && !deep)
                return;
        if (many)
                orch_count_l(g->app, decision_warnings_total, "steps");
        if (deep)
                orch_count_l(g->app, decision_warnings_total, "depth");
        tk_uuid_format(&result->task, task);
        tk_uuid_format(&result->step, step);
        tk_log_warn("decision.large", NULL, TK_STR("task_uuid", task), TK_STR("step_uuid", step),
                    TK_STR("step_name", plan->tpl->steps[plan->source].name), TK_INT("steps", growth->names_n), TK_INT("depth", growth->depth));
}

/* After the commit. */
static void count(const struct growing *g)
{
        orch_count_l(g->app, transactions_total, "growth");
        for (size_t i = 0; i < g->n; i++) {
                const struct plan *plan = &g->plans[i];
                int64_t held = 0;
                for (uint32_t k = 0; k < plan->growth.steps_n; k++)
                        held += plan->growth.steps[k].held;
                if (plan->growth.steps_n)
                        tk_metric_add_l(g->app->metrics, ORCH_M_steps_grown_total, source_name(plan), plan->growth.steps_n);
                tk_metric_add(g->app->metrics, ORCH_M_batch_held_total, held);
                warn(g, plan, &g->results[i]);
        }
}

static int grow_once(struct orch_app *app, struct tk_pg *pg, struct orch_bodies *bodies, struct tk_arena *arena,
                     struct orch_result *results, size_t n, struct tk_err *err)
{
        struct growing g = {
                .app = app, .pg = pg, .bodies = bodies, .arena = arena, .n = n,
                .results = TK_ARENA_ARRAY(arena, struct orch_result, n), .plans = TK_ARENA_ARRAY(arena, struct plan, n),
        };
        struct orch_settling settling;
        int64_t start = tk_time_mono_ns();
        memcpy(g.results, results, n * sizeof *results);
        orch_bodies_trim(bodies);
        int r = tk_pg_begin(pg, err);
        if (r)
                return r;
        r = grow_and_settle(&g, &settling, err);
        if (r) {
                tk_pg_rollback(pg);
                return r;
        }
        r = tk_pg_commit(pg, err);
        if (r) {
                tk_pg_rollback(pg);
                orch_settle_drop(&settling);
                return r;
        }
        tk_metric_observe(app->metrics, ORCH_M_growth_transaction_seconds, tk_time_mono_ns() - start);
        count(&g);
        orch_settle_tell(app, &settling, g.results, n);
        for (size_t i = 0; i < n; i++)
                results[i].settled = g.results[i].settled;
        return 0;
}

/* One of them may be at fault: then they go one by one. */
static int grow_chunk(struct orch_app *app, struct tk_pg *pg, struct orch_bodies *bodies, struct tk_arena *arena,
                      struct orch_result *results, size_t n, struct tk_err *err)
{
        unsigned tries = 0;
        int r;
        do
                r = grow_once(app, pg, bodies, arena, results, n, err);
        while (orch_db_again(app, "grow_tasks", r, &tries, err));
        if (!tk_pg_one_row(r))
                return r;
        if (n == 1)
                return orch_settle_yield(app, results, arena, err) ? grow_chunk(app, pg, bodies, arena, results, n, err)
                                                                   : orch_settle_set_aside(app, pg, results, err);
        for (size_t i = 0; i < n; i++) {
                r = grow_chunk(app, pg, bodies, arena, &results[i], 1, err);
                if (r)
                        return r;
        }
        return 0;
}

static bool has_task(const struct orch_result *results, size_t n, const struct tk_uuid *task)
{
        for (size_t i = 0; i < n; i++)
                if (!memcmp(results[i].task.b, task->b, sizeof task->b))
                        return true;
        return false;
}

int orch_grow(struct orch_app *app, struct tk_pg *pg, struct orch_bodies *bodies, struct tk_arena *arena,
              struct orch_result *results, size_t n, struct tk_err *err)
{
        for (size_t from = 0, to; from < n; from = to) {
                size_t bytes = results[from].json_len;
                /* The second result of a task must see what the first one made. */
                for (to = from + 1; to < n && to - from < CHUNK_MAX; to++) {
                        bytes += results[to].json_len;
                        if (bytes > CHUNK_BYTES || has_task(&results[from], to - from, &results[to].task))
                                break;
                }
                int r = grow_chunk(app, pg, bodies, arena, &results[from], to - from, err);
                if (r)
                        return r;
        }
        return 0;
}

/* Within the transaction: what follows from the data, and the action. */
static int grow_and_act(struct growing *g, const struct orch_by_hand *hand, struct tk_pg_result **ret, struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_pg_args args;
        tk_pg_args_init(&args, g->arena);
        tk_pg_arg_uuid(&args, &g->results->task);
        tk_pg_arg_uuid(&args, &g->results->step);
        int r = tk_pg_query(g->pg, &tk_sql_engine_growth_look, &args, &res, err);
        if (!r)
                r = take_what_exists(g, res, err);
        if (!r && g->plans->tpl && plan_document(g, g->plans, hand->data, strlen(hand->data), err))
                return ORCH_GROW_E_OUTCOME;
        if (!r)
                r = create(g, err);
        return r ? r : tk_pg_query(g->pg, hand->sql, hand->args, ret, err);
}

int orch_grow_by_hand(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, const struct orch_by_hand *hand, struct tk_pg_result **ret,
                      struct tk_err *err)
{
        struct plan plan = {0};
        struct orch_result result = {.task = hand->task, .step = hand->step};
        TK_CLEANUP(orch_bodies_free) struct orch_bodies *bodies = orch_bodies_new();
        struct growing g = {.app = app, .pg = pg, .bodies = bodies, .arena = arena, .n = 1, .results = &result, .plans = &plan};
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = tk_pg_begin(pg, err);
        if (r)
                return r;
        r = grow_and_act(&g, hand, &res, err);
        /* An action that is refused, or was done before, brings nothing; neither does one that found another task, this one having ended. */
        enum orch_decided done = r ? ORCH_DECIDED_NOTHING : orch_decided(res, &hand->task);
        if (done == ORCH_DECIDED)
                r = tk_pg_commit(pg, err);
        if (r || done != ORCH_DECIDED)
                tk_pg_rollback(pg);
        if (r)
                return r;
        if (done == ORCH_DECIDED)
                count(&g);
        if (done != ORCH_DECIDED_ANOTHER) {
                *ret = res;
                res = NULL;
        }
        return 0;
}
