/* SPDX-License-Identifier: MIT */
/* queue/pgmq.c: PGMQ as seen by those who read it. */
#include "base/mem.h"
#include "base/str.h"
#include "kv/kv.h"
#include "pg/pg.h"
#include "queue/queue.h"
#include "tk_sql.h"
#include <stdio.h>

enum { HINT_MAX = 128 };

struct pgmq_queue {
        struct tk_queue queue;
        struct tk_pg *pg;
        struct tk_kv *kv;
};

static void fill(const struct tk_pg_result *res, struct tk_queue_state *state)
{
        for (int row = 0; row < tk_pg_rows(res); row++)
                if (tk_streq(tk_pg_str(res, row, 0), state->ns)) {
                        state->visible = tk_pg_bool(res, row, 1);
                        state->lost = tk_pg_bool(res, row, 2);
                        state->waiting = (int)tk_pg_i64(res, row, 3);
                        state->oldest_ns = tk_pg_time(res, row, 4);
                        state->weight = (unsigned)tk_pg_i64(res, row, 5);
                        return;
                }
}

static int poll_states(struct tk_queue *queue, struct tk_queue_state *states, size_t n, struct tk_err *err)
{
        struct pgmq_queue *q = (struct pgmq_queue *)queue;
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(4096, 1u << 20);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        const char **ns = TK_ARENA_ARRAY(arena, const char *, n + 1);
        for (size_t i = 0; i < n; i++)
                ns[i] = states[i].ns;
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_text_array(&args, ns, n);
        int r = tk_pg_query(q->pg, &tk_sql_queue_waiting, &args, &res, err);
        for (size_t i = 0; i < n && !r; i++) {
                states[i] = (struct tk_queue_state){.ns = states[i].ns};
                fill(res, &states[i]);
        }
        return r;
}

static void hint(struct tk_queue *queue, const char *ns)
{
        struct pgmq_queue *q = (struct pgmq_queue *)queue;
        char text[HINT_MAX];
        int len = snprintf(text, sizeof text, "q %s", ns);
        if (q->kv && !tk_kv_publish(q->kv, TK_QUEUE_HINT_CHANNEL, text, (size_t)len))
                return;
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(4096, 1u << 20);
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_text(&args, TK_QUEUE_HINT_CHANNEL);
        tk_pg_arg_text(&args, text);
        (void)!tk_pg_query(q->pg, &tk_sql_hint_notify, &args, NULL, NULL);
}

static void queue_free(struct tk_queue *queue)
{
        tk_free(queue);
}

static const struct tk_queue_ops ops = {.name = "pgmq", .poll = poll_states, .hint = hint, .free = queue_free};

struct tk_queue *tk_queue_pgmq_new(struct tk_pg *pg, struct tk_kv *kv)
{
        struct pgmq_queue *q = TK_NEW(struct pgmq_queue);
        q->queue.ops = &ops;
        q->pg = pg;
        q->kv = kv;
        return &q->queue;
}
