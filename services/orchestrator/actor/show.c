/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/show.c: see the header. */
#include "orchestrator/actor/show.h"
#include "base/mem.h"
#include "orchestrator/app.h"
#include "orchestrator/core/db.h"
#include "pg/lazy.h"

enum { BATCH_MAX = 32, ARENA_BLOCK = 65536, ARENA_MAX = 1 << 20 };

struct show_msg {
        struct tk_msg msg;
        orch_show_fn *fn;
        struct tk_http_req *req;
        struct tk_uuid task;
};

struct show_state {
        struct orch_app *app;
        struct tk_pg_lazy db;
        struct tk_arena *arena;
};

int orch_show_post(struct orch_app *app, orch_show_fn *fn, struct tk_http_req *req, const struct tk_uuid *task)
{
        struct show_msg *show = TK_NEW(struct show_msg);
        show->fn = fn;
        show->req = req;
        show->task = *task;
        int r = tk_actor_post(app->show, &show->msg);
        if (r)
                tk_free(show);
        return r;
}

static int start(void *self, void *app_)
{
        struct show_state *state = self;
        state->app = app_;
        state->arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        state->db.conf = orch_db_conf(state->app, "tasker-show");
        (void)orch_db_lazy(state->app, &state->db);
        return 0;
}

static int handle(void *self, struct tk_list *msgs, unsigned n)
{
        struct show_state *state = self;
        struct tk_http_req *reqs[BATCH_MAX];
        struct tk_uuid tasks[BATCH_MAX];
        orch_show_fn *fn = NULL;
        unsigned at = 0;
        for (struct tk_list *node; at < n && (node = tk_list_pop(msgs)); at++) {
                struct show_msg *show = (struct show_msg *)tk_list_entry(node, struct tk_msg, link);
                fn = show->fn;
                reqs[at] = show->req;
                tasks[at] = show->task;
                tk_msg_done(&show->msg, 0);
        }
        if (fn)
                fn(state->app, orch_db_lazy(state->app, &state->db), state->arena, reqs, tasks, at);
        tk_arena_reset(state->arena);
        return 0;
}

static void stop(void *self)
{
        struct show_state *state = self;
        tk_pg_lazy_close(&state->db);
        tk_arena_free(state->arena);
}

const struct tk_actor_type orch_show_actor = {
        .name = "show", .state_size = sizeof(struct show_state), .mailbox_max = 1024, .threads = 1, .batch_max = BATCH_MAX,
        TK_ACTOR_MESSAGES("answer"),
        .start = start, .handle = handle, .stop = stop,
};
