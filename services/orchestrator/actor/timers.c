/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/timers.c: see the header. */
#include "orchestrator/actor/timers.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "orchestrator/core/db.h"
#include "orchestrator/core/rows.h"
#include "orchestrator/core/sessions.h"
#include "tk_sql.h"
#include <errno.h>

enum { ARENA_BLOCK = 1 << 16, FIRE_MAX = 256 };
#define ARENA_MAX ((size_t)256 << 20)

struct due_msg {
        struct tk_msg msg;
        int64_t due_wall_ns;
};

struct timers_state {
        struct orch_app *app;
        struct tk_pg *pg;
        struct tk_arena *arena;
        int64_t next_wall_ns; /* the earliest timer known; TK_TIME_NEVER: none */
        int64_t poll_ns;      /* monotonic */
        unsigned fired;       /* rows of the last look */
};

void orch_timers_due(struct orch_app *app, int64_t due_wall_ns)
{
        struct due_msg *due = TK_NEW(struct due_msg);
        due->due_wall_ns = due_wall_ns;
        if (tk_actor_post(app->timers, &due->msg))
                tk_free(due); /* the slow look finds it */
}

static int start(void *self, void *app)
{
        struct timers_state *state = self;
        state->app = app;
        state->next_wall_ns = TK_TIME_NEVER;
        state->arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        return orch_db_open(app, "tasker-timers", &state->pg);
}

static void stop(void *self)
{
        struct timers_state *state = self;
        tk_pg_close(state->pg);
        tk_arena_free(state->arena);
}

static int handle(void *self, struct tk_list *msgs, unsigned n)
{
        struct timers_state *state = self;
        (void)n;
        for (struct tk_list *node; (node = tk_list_pop(msgs));) {
                struct due_msg *due = (struct due_msg *)tk_list_entry(node, struct tk_msg, link);
                if (due->due_wall_ns < state->next_wall_ns)
                        state->next_wall_ns = due->due_wall_ns;
                tk_msg_done(&due->msg, 0);
        }
        return 0;
}

static void fired_row(void *user, const struct orch_row *row)
{
        struct timers_state *state = user;
        if (tk_streq(row->kind, "next"))
                state->next_wall_ns = row->due_ns ? row->due_ns : TK_TIME_NEVER;
        else if (tk_streq(row->kind, "timed_out"))
                orch_count_l(state->app, timeouts_total, row->text);
}

static int fire(struct timers_state *state)
{
        struct orch_app *app = state->app;
        char names[ORCH_SESSION_NAMESPACES_MAX][ORCH_NAMESPACE_MAX];
        size_t n = orch_sessions_namespaces(app->sessions, names, ORCH_SESSION_NAMESPACES_MAX);
        const char **ns = TK_ARENA_ARRAY(state->arena, const char *, n + 1);
        for (size_t i = 0; i < n; i++)
                ns[i] = names[i];
        struct orch_reservation *credit = orch_credit_reserve(app->sessions, ns, n, FIRE_MAX, true);
        struct tk_pg_args args;
        struct tk_err err = {0};
        tk_pg_args_init(&args, state->arena);
        tk_pg_arg_i32(&args, FIRE_MAX);
        orch_rows_credit_args(&args, credit, ns, n);
        tk_pg_arg_i32(&args, (int32_t)(app->conf.lease / TK_NS_PER_MS));
        tk_pg_arg_uuid(&args, &app->processor);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = tk_pg_query(state->pg, &tk_sql_engine_fire_timers, &args, &res, &err);
        if (r) {
                orch_db_failed(app, "fire_timers", r, &err);
        } else {
                state->fired = tk_pg_rows(res) > 1 ? (unsigned)tk_pg_rows(res) - 1 : 0; /* without the row 'next' */
                if (state->fired) {
                        tk_metric_add(app->metrics, ORCH_M_timers_fired_total, state->fired);
                        orch_count_l(app, transactions_total, "timers");
                }
                orch_rows_apply(app, res, credit, "timer", fired_row, state);
        }
        orch_reservation_free(credit);
        tk_arena_reset(state->arena);
        return r;
}

/* Wall-clock due time on the monotonic clock. */
static int64_t monotonic(int64_t wall_ns, int64_t now_ns)
{
        return wall_ns == TK_TIME_NEVER ? TK_TIME_NEVER : now_ns + (wall_ns - tk_time_wall_ns());
}

static int64_t tick(void *self, int64_t now_ns)
{
        struct timers_state *state = self;
        if (now_ns >= state->poll_ns || tk_time_wall_ns() >= state->next_wall_ns) {
                int r = fire(state);
                if (r)
                        return tk_pg_alive(state->pg) ? now_ns + TK_NS_PER_S : -EIO;
                state->poll_ns = now_ns + tk_rand_jitter(state->app->conf.timer_poll, 0.2);
        }
        int64_t next = monotonic(state->next_wall_ns, now_ns);
        return next < state->poll_ns ? next : state->poll_ns;
}

const struct tk_actor_type orch_timers_actor = {
        .name = "timers", .state_size = sizeof(struct timers_state), .mailbox_max = 4096, .threads = 1, .batch_max = 1024,
        TK_ACTOR_MESSAGES("due"),
        .start = start, .handle = handle, .tick = tick, .stop = stop,
};
