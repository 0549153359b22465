/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/results.c: see the header. */
#include "orchestrator/actor/results.h"
#include "base/mem.h"
#include "base/probe.h"
#include "base/time.h"
#include "orchestrator/core/advance.h"
#include "orchestrator/core/db.h"
#include "orchestrator/core/rows.h"
#include <errno.h>

enum { ARENA_BLOCK = 1 << 20 };
#define ARENA_MAX ((size_t)2 << 30)

struct results_state {
        struct orch_app *app;
        struct tk_pg *pg;
        struct tk_arena *arena;
        struct orch_bodies *bodies;
};

static int start(void *self, void *app)
{
        struct results_state *state = self;
        state->app = app;
        state->arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        state->bodies = orch_bodies_new();
        return orch_db_open(app, "tasker-results", &state->pg);
}

static void stop(void *self)
{
        struct results_state *state = self;
        tk_pg_close(state->pg);
        tk_arena_free(state->arena);
        orch_bodies_free(state->bodies);
}

static void message_free(struct orch_results_msg *results)
{
        if (results->taken)
                results->taken(results->session, results->user, results->n);
        orch_session_unref(results->session);
        tk_arena_free(results->arena);
        tk_free(results);
}

static void given_back(struct tk_msg *msg)
{
        struct orch_results_msg *results = (struct orch_results_msg *)msg;
        if (msg->status && msg->status != -ECANCELED) {
                orch_results_post(results->app, results);
                return;
        }
        message_free(results);
}

void orch_results_post(struct orch_app *app, struct orch_results_msg *results)
{
        results->app = app;
        results->msg.done = given_back;
        if (tk_actor_post_always(app->results, &results->msg))
                message_free(results); /* stopping: the worker offers them to another orchestrator */
}

/* Acks of one message in one send. */
static void acknowledge(struct orch_app *app, struct orch_results_msg *results)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, SIZE_MAX / 2);
        for (size_t i = 0; i < results->n; i++) {
                const struct orch_result *result = &results->results[i];
                orch_ack_put(&buf, &result->step, result->attempt, result->settled == ORCH_SETTLED_STALE, result->settled == ORCH_SETTLED_REFUSED);
                TK_PROBE(result_stored, &result->step, result->attempt, result->settled);
        }
        orch_session_send(results->session, buf.data, buf.len);
        tk_metric_observe(app->metrics, ORCH_M_settle_seconds, tk_time_mono_ns() - results->msg.sent_ns);
}

struct batch {
        struct orch_app *app;
        struct tk_list *msgs;
        struct orch_result *all; /* those of all messages, in their order */
};

static void acknowledge_all(void *user)
{
        struct batch *batch = user;
        size_t at = 0;
        tk_list_each(node, batch->msgs) {
                struct orch_results_msg *results = (struct orch_results_msg *)tk_list_entry(node, struct tk_msg, link);
                memcpy(results->results, &batch->all[at], results->n * sizeof *batch->all);
                acknowledge(batch->app, results);
                at += results->n;
        }
}

/* Settles the messages of the list together; on failure all of them go back. */
static int settle_list(struct results_state *state, struct tk_list *msgs, size_t total)
{
        struct tk_err err = {0};
        struct batch batch = {state->app, msgs, TK_ARENA_ARRAY(state->arena, struct orch_result, total)};
        size_t at = 0;
        tk_list_each(node, msgs) {
                struct orch_results_msg *results = (struct orch_results_msg *)tk_list_entry(node, struct tk_msg, link);
                memcpy(&batch.all[at], results->results, results->n * sizeof *batch.all);
                at += results->n;
        }
        int r = orch_advance(state->app, state->pg, state->bodies, state->arena, batch.all, total, acknowledge_all, &batch, &err);
        if (r)
                orch_db_failed(state->app, "settle_steps", r, &err);
        for (struct tk_list *node; (node = tk_list_pop(msgs));)
                tk_msg_done(tk_list_entry(node, struct tk_msg, link), r);
        tk_arena_reset(state->arena);
        return r;
}

static int handle(void *self, struct tk_list *msgs, unsigned n)
{
        struct results_state *state = self;
        int failed = 0;
        (void)n;
        while (!tk_list_empty(msgs) && !failed) {
                struct tk_list batch = TK_LIST_INIT(batch);
                size_t total = 0;
                for (struct tk_list *node; total < state->app->conf.results_batch_max && (node = tk_list_pop(msgs));) {
                        tk_list_append(&batch, node);
                        total += ((struct orch_results_msg *)tk_list_entry(node, struct tk_msg, link))->n;
                }
                failed = settle_list(state, &batch, total);
        }
        return failed || !tk_pg_alive(state->pg) ? -EIO : 0;
}

const struct tk_actor_type orch_results_actor = {
        .name = "results", .state_size = sizeof(struct results_state), .mailbox_max = 4096, .threads = 1, .batch_max = 512,
        TK_ACTOR_MESSAGES("result"),
        .start = start, .handle = handle, .stop = stop,
};
