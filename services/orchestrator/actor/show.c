/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/show.c: see the header. A request not yet answered is kept; one whose task is not found is answered 404. */
#include "orchestrator/actor/show.h"
#include "base/mem.h"
#include "orchestrator/api/reply.h"
#include "orchestrator/app.h"
#include "orchestrator/core/db.h"
#include "pg/lazy.h"
#include "tk_sql.h"

enum { BATCH_MAX = 32, ARENA_BLOCK = 65536, ARENA_MAX = 1 << 20 };

struct show_msg {
        struct tk_msg msg;
        struct tk_http_req *req;
        struct tk_uuid task;
};

struct show_state {
        struct orch_app *app;
        struct tk_pg_lazy db;
        struct tk_arena *arena;
};

void orch_show(struct orch_app *app, struct tk_http_req *req, const struct tk_uuid *task)
{
        struct show_msg *show = TK_NEW(struct show_msg);
        show->req = req;
        show->task = *task;
        if (!tk_actor_post(app->show, &show->msg))
                return;
        tk_free(show);
        orch_reply_busy(req, "show");
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

/* The documents of the tasks in one statement: row → place in `reqs` (from 1), body. */
static void answer(struct show_state *state, struct tk_http_req **reqs, const struct tk_uuid *tasks, unsigned n)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_err err = {0};
        struct tk_pg *pg = orch_db_lazy(state->app, &state->db);
        struct tk_pg_args args;
        tk_pg_args_init(&args, state->arena);
        tk_pg_arg_uuid_array(&args, tasks, n);
        int r = pg ? tk_pg_query(pg, &tk_sql_task_get, &args, &res, &err) : 0;
        for (int row = 0; pg && !r && row < tk_pg_rows(res); row++) {
                struct tk_http_req **req = &reqs[tk_pg_i64(res, row, 0) - 1];
                orch_reply_json(*req, tk_pg_str(res, row, 1), tk_pg_len(res, row, 1));
                *req = NULL;
        }
        for (unsigned i = 0; i < n; i++) {
                if (!reqs[i] || orch_rest_no_database(reqs[i], pg))
                        continue;
                if (r)
                        orch_reply_db(reqs[i], state->app, tk_sql_task_get.name, r, &err);
                else
                        orch_reply_error(reqs[i], ORCH_E_NOT_FOUND, "Resource not found");
        }
        tk_arena_reset(state->arena);
}

static int handle(void *self, struct tk_list *msgs, unsigned n)
{
        struct tk_http_req *reqs[BATCH_MAX];
        struct tk_uuid tasks[BATCH_MAX];
        unsigned at = 0;
        for (struct tk_list *node; at < n && (node = tk_list_pop(msgs)); at++) {
                struct show_msg *show = (struct show_msg *)tk_list_entry(node, struct tk_msg, link);
                reqs[at] = show->req;
                tasks[at] = show->task;
                tk_msg_done(&show->msg, 0);
        }
        answer(self, reqs, tasks, at);
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
        .start = start, .handle = handle, .stop = stop,
};
