/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/sweeper.c: see the header. */
#include "orchestrator/actor/sweeper.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "orchestrator/core/apart.h"
#include "orchestrator/core/db.h"
#include "orchestrator/core/outbox.h"
#include "orchestrator/core/retention.h"
#include "orchestrator/core/rows.h"
#include "orchestrator/core/sessions.h"
#include "orchestrator/core/staleness.h"
#include "pg/migrate.h"
#include "tk_sql.h"
#include <errno.h>

enum { SWEEP_MAX = 200, STRETCHES_MAX = 12 };
#define ARENA_MAX ((size_t)16 << 20)
#define MONTHS_PAUSE_NS (3600 * TK_NS_PER_S)
#define ROLL_UP_PAUSE_NS (60 * TK_NS_PER_S)
#define PAGE_PAUSE_NS (100 * TK_NS_PER_MS) /* a long list of tasks at rest is looked through in small bites */

struct sweeper_state {
        struct orch_app *app;
        struct tk_pg *pg;
        struct tk_arena *arena;
        int64_t next_ns, months_ns, roll_up_ns;
        bool more;              /* the last look ended at its limit: the next one begins after this task */
        struct tk_uuid after;
        struct orch_staleness staleness;
        struct orch_retention retention;
};

static int start(void *self, void *app)
{
        struct sweeper_state *state = self;
        state->app = app;
        state->arena = tk_arena_new(4096, ARENA_MAX);
        state->next_ns = tk_time_mono_ns() + tk_rand_jitter(state->app->conf.sweep_interval, 0.5);
        state->months_ns = state->roll_up_ns = state->next_ns;
        state->staleness.next_ns = tk_time_mono_ns() + tk_rand_jitter(state->app->conf.staleness_interval, 0.5);
        state->retention.next_ns = tk_time_mono_ns() + tk_rand_jitter(TK_NS_PER_S, 0.5);
        return orch_db_open(app, "tasker-sweeper", &state->pg);
}

static void stop(void *self)
{
        struct sweeper_state *state = self;
        orch_retention_end(&state->retention);
        tk_pg_close(state->pg);
        tk_arena_free(state->arena);
}

static int handle(void *self, struct tk_list *msgs, unsigned n)
{
        (void)self;
        (void)n;
        for (struct tk_list *node; (node = tk_list_pop(msgs));)
                tk_msg_done(tk_list_entry(node, struct tk_msg, link), 0);
        return 0;
}

static void report(struct sweeper_state *state, const struct tk_pg_result *res)
{
        int kind = tk_pg_column(res, "kind"), task = tk_pg_column(res, "task_uuid"),
            step = tk_pg_column(res, "step_uuid"), what = tk_pg_column(res, "what");
        state->more = false;
        for (int row = 0; row < tk_pg_rows(res); row++) {
                if (tk_streq(tk_pg_str(res, row, kind), "next")) {
                        state->more = true;
                        state->after = tk_pg_uuid(res, row, task);
                        continue;
                }
                if (tk_streq(tk_pg_str(res, row, kind), "set_aside")) {
                        orch_apart_tell(state->app, tk_pg_str(res, row, task), "", "task", tk_pg_str(res, row, what));
                        continue;
                }
                orch_count(state->app, sweeper_repairs_total);
                tk_log_warn("sweeper.repaired", "Work was stranded and has been set going again.",
                            TK_STR("task_uuid", tk_pg_str(res, row, task)), TK_STR("step_uuid", tk_pg_str(res, row, step)),
                            TK_STR("what", tk_pg_str(res, row, what)));
        }
}

/* A lock it does not get soon is nobody's fault: there are two months to try again. */
static void make_months(struct sweeper_state *state, int64_t now_ns)
{
        struct tk_pg_args args;
        struct tk_err err = {0};
        tk_pg_args_init(&args, state->arena);
        tk_pg_arg_i32(&args, TK_MIGRATE_MONTHS_AHEAD);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = tk_pg_query(state->pg, &tk_sql_history_make_months, &args, &res, &err);
        if (r && r != TK_PG_E_RETRY)
                orch_db_failed(state->app, "make_history_months", r, &err);
        else if (!r && tk_pg_i64(res, 0, 0))
                tk_log_info("history.months", "Partitions for months of history were made.", TK_INT("made", tk_pg_i64(res, 0, 0)));
        if (!r)
                state->months_ns = now_ns + tk_rand_jitter(MONTHS_PAUSE_NS, 0.2);
}

/* What analytics adds up once. Behind: again with the next tick. */
static void roll_up(struct sweeper_state *state, int64_t now_ns)
{
        struct tk_pg_args args;
        struct tk_err err = {0};
        tk_pg_args_init(&args, state->arena);
        tk_pg_arg_i32(&args, STRETCHES_MAX);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = tk_pg_query(state->pg, &tk_sql_analytics_roll_up, &args, &res, &err);
        if (r)
                orch_db_failed(state->app, "roll_up", r, &err);
        else
                tk_metric_add(state->app->metrics, ORCH_M_rollups_total, (uint64_t)tk_pg_i64(res, 0, tk_pg_column(res, "done")));
        if (r || !tk_pg_bool(res, 0, tk_pg_column(res, "more")))
                state->roll_up_ns = now_ns + tk_rand_jitter(ROLL_UP_PAUSE_NS, 0.2);
}

static void sweep(struct sweeper_state *state, int64_t now_ns)
{
        struct tk_pg_args args;
        struct tk_err err = {0};
        tk_pg_args_init(&args, state->arena);
        tk_pg_arg_i32(&args, (int32_t)(state->app->conf.sweep_idle / TK_NS_PER_S));
        tk_pg_arg_i32(&args, SWEEP_MAX);
        tk_pg_arg_uuid(&args, state->more ? &state->after : NULL);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = orch_apart_query(state->app, state->pg, &tk_sql_engine_sweep, &tk_sql_engine_sweep_apart, &args, &res, NULL, &err);
        if (r)
                orch_db_failed(state->app, "sweep", r, &err);
        else
                report(state, res);
        if (!r && now_ns >= state->months_ns)
                make_months(state, now_ns);
        if (!r && now_ns >= state->roll_up_ns)
                roll_up(state, now_ns);
        if (!r && !state->more && (r = orch_outbox_trim(state->app, state->pg, state->arena, &err)))
                orch_db_failed(state->app, "trim_events", r, &err);
        state->next_ns = now_ns + (state->more ? PAGE_PAUSE_NS : tk_rand_jitter(state->app->conf.sweep_interval, 0.2));
}

static int64_t tick(void *self, int64_t now_ns)
{
        struct sweeper_state *state = self;
        if (now_ns >= state->next_ns)
                sweep(state, now_ns);
        orch_staleness_look(&state->staleness, state->app, state->pg, state->arena, now_ns);
        orch_retention_look(&state->retention, state->app, state->pg, state->arena, now_ns);
        tk_arena_reset(state->arena);
        if (!tk_pg_alive(state->pg))
                return -EIO;
        int64_t next_ns = state->next_ns < state->staleness.next_ns ? state->next_ns : state->staleness.next_ns;
        return next_ns < state->retention.next_ns ? next_ns : state->retention.next_ns;
}

const struct tk_actor_type orch_sweeper_actor = {
        .name = "sweeper", .state_size = sizeof(struct sweeper_state), .mailbox_max = 16, .threads = 1, .batch_max = 1,
        TK_ACTOR_MESSAGES("sweep"),
        .start = start, .handle = handle, .tick = tick, .stop = stop,
};
