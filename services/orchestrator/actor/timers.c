/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/timers.c: see the header. */
#include "orchestrator/actor/timers.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "orchestrator/core/apart.h"
#include "orchestrator/core/db.h"
#include "orchestrator/core/outbox.h"
#include "orchestrator/core/rows.h"
#include "orchestrator/core/sessions.h"
#include "orchestrator/core/sub_task.h"
#include "tk_sql.h"
#include <errno.h>

enum { ARENA_BLOCK = 1 << 16, FIRE_MAX = 256 };
enum { LOOK_AT_RELATIVES = 0, LOOK_AT_EVENTS = -1 }; /* no moments */
#define ARENA_MAX ((size_t)256 << 20)

struct due_msg {
        struct tk_msg msg;
        int64_t due_wall_ns; /* or one of LOOK_… */
};

struct timers_state {
        struct orch_app *app;
        struct tk_pg *pg;
        struct tk_arena *arena;
        int64_t next_wall_ns; /* the earliest timer known; TK_TIME_NEVER: none */
        int64_t poll_ns;      /* monotonic */
        unsigned fired;       /* rows of the last look */
        bool relatives;       /* sub-tasks, or who waits for one, came to an end */
        bool unchecked;       /* domain events wait for a look at their schemas */
};

void orch_timers_due(struct orch_app *app, int64_t due_wall_ns)
{
        struct due_msg *due = TK_NEW(struct due_msg);
        due->due_wall_ns = due_wall_ns;
        if (tk_actor_post(app->timers, &due->msg))
                tk_free(due); /* the slow look finds it */
}

void orch_timers_relatives(struct orch_app *app)
{
        if (!atomic_load(&app->stopping)) /* then they are somebody else's, or the next start's */
                orch_timers_due(app, LOOK_AT_RELATIVES);
}

void orch_timers_unchecked(struct orch_app *app)
{
        if (!atomic_load(&app->stopping))
                orch_timers_due(app, LOOK_AT_EVENTS);
}

static int start(void *self, void *app)
{
        struct timers_state *state = self;
        state->app = app;
        state->next_wall_ns = TK_TIME_NEVER;
        state->relatives = state->unchecked = true;
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
                if (due->due_wall_ns == LOOK_AT_RELATIVES)
                        state->relatives = true;
                else if (due->due_wall_ns == LOOK_AT_EVENTS)
                        state->unchecked = true;
                else if (due->due_wall_ns < state->next_wall_ns)
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
        struct orch_reservation *credit = orch_credit_reserve(app->sessions, ns, n, FIRE_MAX, ORCH_CREDIT_EAGER);
        struct tk_pg_args args;
        struct tk_err err = {0};
        tk_pg_args_init(&args, state->arena);
        tk_pg_arg_i32(&args, FIRE_MAX);
        orch_rows_credit_args(&args, credit, ns, n);
        tk_pg_arg_i32(&args, (int32_t)(app->conf.lease / TK_NS_PER_MS));
        tk_pg_arg_uuid(&args, &app->processor);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = orch_apart_query(app, state->pg, &tk_sql_engine_fire_timers, &tk_sql_engine_fire_apart, &args, &res, NULL, &err);
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

/* What ended since the last look, and what that ends in turn. */
static int look_at_relatives(struct timers_state *state)
{
        struct tk_err err = {0};
        unsigned n;
        int r;
        do {
                r = orch_sub_tasks_settle(state->app, state->pg, state->arena, &n, &err);
                tk_arena_reset(state->arena);
        } while (!r && n);
        if (r)
                orch_db_failed(state->app, "settle_sub_tasks", r, &err);
        state->relatives = r != 0;
        return r;
}

static int look_at_events(struct timers_state *state)
{
        struct tk_err err = {0};
        bool more;
        int r;
        do {
                r = orch_outbox_check(state->app, state->pg, state->arena, &more, &err);
                tk_arena_reset(state->arena);
        } while (!r && more);
        if (r)
                orch_db_failed(state->app, "checked_events", r, &err);
        state->unchecked = r != 0;
        return r;
}

/* What cannot be done now does not keep from the rest of it. */
static int64_t tick(void *self, int64_t now_ns)
{
        struct timers_state *state = self;
        bool slow = now_ns >= state->poll_ns, failed = false;
        if (state->relatives || slow)
                failed = look_at_relatives(state);
        if ((state->unchecked || slow) && tk_pg_alive(state->pg))
                failed |= look_at_events(state) != 0;
        if ((slow || tk_time_wall_ns() >= state->next_wall_ns) && tk_pg_alive(state->pg)) {
                if (fire(state))
                        failed = true;
                else
                        state->poll_ns = now_ns + tk_rand_jitter(state->app->conf.timer_poll, 0.2);
        }
        if (!tk_pg_alive(state->pg))
                return -EIO;
        if (failed)
                return now_ns + TK_NS_PER_S;
        int64_t next = monotonic(state->next_wall_ns, now_ns);
        return next < state->poll_ns ? next : state->poll_ns;
}

const struct tk_actor_type orch_timers_actor = {
        .name = "timers", .state_size = sizeof(struct timers_state), .mailbox_max = 4096, .threads = 1, .batch_max = 1024,
        TK_ACTOR_MESSAGES("due"),
        .start = start, .handle = handle, .tick = tick, .stop = stop,
};
