/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/query.c: see the header. The thread lives without a connection too, so that a request is answered
 * 503 at once instead of waiting for a dead database. */
#include "orchestrator/actor/query.h"
#include "base/mem.h"
#include "orchestrator/app.h"
#include "orchestrator/core/db.h"
#include "orchestrator/core/rows.h"
#include "pg/lazy.h"

enum { ARENA_BLOCK = 65536 };
#define ARENA_MAX ((size_t)256 << 20)

struct query_msg {
        struct tk_msg msg;
        orch_query_fn *fn;
        void *arg;
};

struct query_state {
        struct orch_app *app;
        struct tk_pg_lazy db;
        struct tk_arena *arena;
};

int orch_query_post(struct orch_app *app, orch_query_fn *fn, void *arg)
{
        struct query_msg *query = TK_NEW(struct query_msg);
        query->fn = fn;
        query->arg = arg;
        int r = tk_actor_post(app->query, &query->msg);
        if (r)
                tk_free(query);
        return r;
}

static int start(void *self, void *app_)
{
        struct query_state *state = self;
        struct orch_app *app = app_;
        state->app = app;
        state->arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        state->db.conf = orch_db_conf(app, "tasker-query");
        (void)orch_db_lazy(state->app, &state->db);
        return 0;
}

static int handle(void *self, struct tk_list *msgs, unsigned n)
{
        struct query_state *state = self;
        (void)n;
        for (struct tk_list *node; (node = tk_list_pop(msgs));) {
                struct query_msg *query = (struct query_msg *)tk_list_entry(node, struct tk_msg, link);
                (void)query->fn(state->app, orch_db_lazy(state->app, &state->db), state->arena, query->arg);
                tk_arena_reset(state->arena);
                tk_msg_done(&query->msg, 0);
        }
        return 0;
}

static void stop(void *self)
{
        struct query_state *state = self;
        tk_pg_lazy_close(&state->db);
        tk_arena_free(state->arena);
}

const struct tk_actor_type orch_query_actor = {
        .name = "query", .state_size = sizeof(struct query_state), .mailbox_max = 1024, .threads = 2, .batch_max = 1,
        TK_ACTOR_MESSAGES("query"),
        .start = start, .handle = handle, .stop = stop,
};
