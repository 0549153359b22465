/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/intake.c: see the header. The thread lives without a connection too: a task that cannot be stored now
 * is refused now. */
#include "orchestrator/actor/intake.h"
#include "base/mem.h"
#include "base/time.h"
#include "orchestrator/core/db.h"
#include "orchestrator/core/rows.h"
#include "pg/lazy.h"

enum { ARENA_BLOCK = 1 << 20 };
#define ARENA_MAX ((size_t)1 << 30)

struct intake_state {
        struct orch_app *app;
        struct tk_pg_lazy db;
        struct tk_arena *arena;
};

/* 0 and *ret, or why there is no connection now; a failure is logged when one was tried. */
static int connection(struct intake_state *state, struct tk_pg **ret)
{
        struct tk_err err = {0};
        unsigned failures = state->db.failures;
        int r = tk_pg_lazy_get(&state->db, ret, &err);
        if (r && state->db.failures != failures)
                orch_db_failed(state->app, "connect", r, &err);
        atomic_store(&state->app->intake_up, !r);
        return r;
}

static int start(void *self, void *app_)
{
        struct intake_state *state = self;
        struct orch_app *app = app_;
        struct tk_pg *pg;
        state->app = app;
        state->arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        state->db.conf = orch_db_conf(app, "tasker-intake");
        (void)!connection(state, &pg);
        return 0;
}

/* Ready again without anybody asking. */
static int64_t tick(void *self, int64_t now_ns)
{
        struct intake_state *state = self;
        struct tk_pg *pg;
        if (atomic_load(&state->app->intake_up) || !connection(state, &pg))
                return TK_TIME_NEVER;
        return now_ns + TK_NS_PER_S / 2;
}

static void stop(void *self)
{
        struct intake_state *state = self;
        tk_pg_lazy_close(&state->db);
        tk_arena_free(state->arena);
}

static int handle(void *self, struct tk_list *msgs, unsigned n)
{
        struct intake_state *state = self;
        struct tk_err err = {0};
        struct tk_pg *pg;
        struct orch_create **items = TK_ARENA_ARRAY(state->arena, struct orch_create *, n);
        size_t at = 0;
        tk_list_each(node, msgs) {
                struct orch_intake_msg *intake = (struct orch_intake_msg *)tk_list_entry(node, struct tk_msg, link);
                items[at++] = &intake->create;
        }
        int r = connection(state, &pg);
        if (!r) {
                r = orch_create(state->app, pg, state->arena, items, at, &err);
                if (r)
                        orch_db_failed(state->app, "create_tasks", r, &err);
        }
        tk_arena_reset(state->arena);
        for (struct tk_list *node; (node = tk_list_pop(msgs));) {
                struct tk_msg *msg = tk_list_entry(node, struct tk_msg, link);
                tk_metric_observe(state->app->metrics, ORCH_M_intake_seconds, tk_time_mono_ns() - msg->sent_ns);
                tk_msg_done(msg, r);
        }
        return 0;
}

const struct tk_actor_type orch_intake_actor = {
        .name = "intake", .state_size = sizeof(struct intake_state), .mailbox_max = 1024, .threads = 1, .batch_max = 256,
        TK_ACTOR_MESSAGES("create"),
        .start = start, .handle = handle, .tick = tick, .stop = stop,
};
