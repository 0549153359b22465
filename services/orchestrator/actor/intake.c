/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/intake.c: see the header. */
#include "orchestrator/actor/intake.h"
#include "base/mem.h"
#include "base/time.h"
#include "orchestrator/core/rows.h"
#include <errno.h>

enum { ARENA_BLOCK = 1 << 20 };
#define ARENA_MAX ((size_t)1 << 30)

struct intake_state {
        struct orch_app *app;
        struct tk_pg *pg;
        struct tk_arena *arena;
};

static int start(void *self, void *app)
{
        struct intake_state *state = self;
        struct tk_err err = {0};
        state->app = app;
        state->arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        int r = tk_pg_open(&(struct tk_pg_conf){.url = state->app->conf.database_url, .application_name = "tasker-intake",
                                                .statement_timeout_ns = state->app->conf.database_statement_timeout, .hot = true},
                           &state->pg, &err);
        if (r)
                orch_db_failed(app, "connect", r, &err);
        return r ? -EIO : 0;
}

static void stop(void *self)
{
        struct intake_state *state = self;
        tk_pg_close(state->pg);
        tk_arena_free(state->arena);
}

static int handle(void *self, struct tk_list *msgs, unsigned n)
{
        struct intake_state *state = self;
        struct tk_err err = {0};
        struct orch_create **items = TK_ARENA_ARRAY(state->arena, struct orch_create *, n);
        size_t at = 0;
        tk_list_each(node, msgs) {
                struct orch_intake_msg *intake = (struct orch_intake_msg *)tk_list_entry(node, struct tk_msg, link);
                items[at++] = &intake->create;
        }
        int r = orch_create(state->app, state->pg, state->arena, items, at, &err);
        if (r)
                orch_db_failed(state->app, "create_tasks", r, &err);
        tk_arena_reset(state->arena);
        for (struct tk_list *node; (node = tk_list_pop(msgs));) {
                struct tk_msg *msg = tk_list_entry(node, struct tk_msg, link);
                tk_metric_observe(state->app->metrics, ORCH_M_intake_seconds, tk_time_mono_ns() - msg->sent_ns);
                tk_msg_done(msg, r);
        }
        return tk_pg_alive(state->pg) ? 0 : -EIO;
}

const struct tk_actor_type orch_intake_actor = {
        .name = "intake", .state_size = sizeof(struct intake_state), .mailbox_max = 1024, .threads = 1, .batch_max = 256,
        .start = start, .handle = handle, .stop = stop,
};
