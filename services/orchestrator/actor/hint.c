/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/hint.c: see the header. One batch of messages becomes one publish per namespace and one per 200
 * tasks: the mailbox is what coalesces. Tasks at rest are only announced while another orchestrator is alive to wait for
 * them: each says so ("o") at its start and every few seconds. */
#include "orchestrator/actor/hint.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "kv/kv.h"
#include "orchestrator/app.h"
#include "orchestrator/core/db.h"
#include "orchestrator/core/rows.h"
#include "orchestrator/feed/events.h"
#include "pg/lazy.h"
#include "tk_sql.h"
#include <stdio.h>

enum hint { HINT_QUEUE, HINT_DONE, HINT_TEMPLATE };
enum { HINT_TEXT = 512, TASKS_PER_MESSAGE = 200, PAYLOAD_MAX = 7900 };
#define PRESENCE_NS (5 * TK_NS_PER_S)

struct hint_msg {
        struct tk_msg msg;
        struct tk_uuid task;
        char text[];
};

struct hint_state {
        struct orch_app *app;
        struct tk_kv *kv;
        struct tk_pg_lazy db;   /* opened on first need: Redis usually does it all */
        struct tk_arena *arena;
        int64_t presence_ns;
};

static void post(struct orch_app *app, enum hint type, const struct tk_uuid *task, const char *text)
{
        size_t len = strlen(text) + 1;
        struct hint_msg *hint = tk_zalloc(sizeof *hint + len);
        hint->msg.type = type;
        if (task)
                hint->task = *task;
        memcpy(hint->text, text, len);
        if (tk_actor_post(app->hint, &hint->msg))
                tk_free(hint);
}

void orch_hint_queue(struct orch_app *app, const char *ns)
{
        post(app, HINT_QUEUE, NULL, ns);
}

void orch_hint_done(struct orch_app *app, const struct tk_uuid *task)
{
        if (orch_events_alone(app->events))
                return;
        post(app, HINT_DONE, task, "");
}

void orch_hint_template(struct orch_app *app, const char *ns, const char *name, const char *version)
{
        char text[HINT_TEXT];
        snprintf(text, sizeof text, "%s/%s/%s", ns, name, version);
        post(app, HINT_TEMPLATE, NULL, text);
}

static int start(void *self, void *app)
{
        struct hint_state *state = self;
        state->app = app;
        state->arena = tk_arena_new(4096, 1 << 20);
        state->kv = tk_kv_new(&(struct tk_kv_conf){.url = state->app->conf.redis_url});
        state->db.conf = orch_db_conf(state->app, "tasker-hint");
        return 0;
}

static void stop(void *self)
{
        struct hint_state *state = self;
        tk_kv_free(state->kv);
        tk_pg_lazy_close(&state->db);
        tk_arena_free(state->arena);
}

/* NOTIFY in its own transaction. A failure is only a lost hint. */
static void notify(struct hint_state *state, const char *channel, const char *payload)
{
        struct tk_err err = {0};
        struct tk_pg *pg;
        if (tk_pg_lazy_get(&state->db, &pg, &err))
                return;
        struct tk_pg_args args;
        tk_pg_args_init(&args, state->arena);
        tk_pg_arg_text(&args, channel);
        tk_pg_arg_text(&args, payload);
        int r = tk_pg_query(pg, &tk_sql_hint_notify, &args, NULL, &err);
        if (r)
                orch_db_failed(state->app, "notify", r, &err);
}

static void publish(struct hint_state *state, const char *channel, const char *payload)
{
        orch_count_l(state->app, hints_total, "sent");
        if (tk_kv_publish(state->kv, channel, payload, strlen(payload)))
                notify(state, channel, payload);
        atomic_store_explicit(&state->app->redis_rests, tk_kv_breaker(state->kv) == TK_KV_OPEN, memory_order_relaxed);
}

static void publish_done(struct hint_state *state, struct tk_buf *tasks)
{
        if (tasks->len > 1)
                publish(state, TK_CHANNEL_HINT, tasks->data);
        tk_buf_reset(tasks);
}

static int handle(void *self, struct tk_list *msgs, unsigned n)
{
        struct hint_state *state = self;
        TK_AUTOBUF struct tk_buf tasks, queue;
        const char *last_ns = NULL;
        tk_buf_init(&tasks, PAYLOAD_MAX);
        tk_buf_init(&queue, HINT_TEXT);
        (void)n;
        tk_list_each(node, msgs) {
                struct hint_msg *hint = (struct hint_msg *)tk_list_entry(node, struct tk_msg, link);
                if (hint->msg.type == HINT_DONE) {
                        char id[TK_UUID_TEXT];
                        tk_uuid_format(&hint->task, id);
                        tk_buf_printf(&tasks, "%s %s", tasks.len ? "" : "d", id);
                        if (tasks.len > PAYLOAD_MAX - 2 * TK_UUID_TEXT)
                                publish_done(state, &tasks);
                } else if (hint->msg.type == HINT_TEMPLATE) {
                        publish(state, TK_CHANNEL_TEMPLATES, hint->text);
                } else if (!tk_streq(last_ns, hint->text)) { /* a burst about one namespace is one hint */
                        tk_buf_reset(&queue);
                        tk_buf_printf(&queue, "q %s", hint->text);
                        publish(state, TK_CHANNEL_HINT, queue.data);
                        last_ns = hint->text;
                }
        }
        publish_done(state, &tasks);
        for (struct tk_list *node; (node = tk_list_pop(msgs));)
                tk_msg_done(tk_list_entry(node, struct tk_msg, link), 0);
        tk_arena_reset(state->arena);
        return 0;
}

static int64_t tick(void *self, int64_t now_ns)
{
        struct hint_state *state = self;
        if (now_ns >= state->presence_ns) {
                char text[HINT_TEXT];
                snprintf(text, sizeof text, "o %s", state->app->instance_id);
                publish(state, TK_CHANNEL_HINT, text);
                state->presence_ns = now_ns + tk_rand_jitter(PRESENCE_NS, 0.2);
                tk_arena_reset(state->arena);
        }
        return state->presence_ns;
}

const struct tk_actor_type orch_hint_actor = {
        .name = "hint", .state_size = sizeof(struct hint_state), .mailbox_max = 8192, .threads = 1, .batch_max = 1024,
        TK_ACTOR_MESSAGES([HINT_QUEUE] = "queue", [HINT_DONE] = "done", [HINT_TEMPLATE] = "template"),
        .start = start, .handle = handle, .tick = tick, .stop = stop,
};
