/* SPDX-License-Identifier: MIT */
/* queue/memory.c: the same view without a database, for tests of those who read queues. */
#include "base/list.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "queue/queue.h"

struct message {
        struct tk_list link;
        int64_t visible_at_ns;
        char *ns;
};
struct hinted {
        struct tk_list link;
        unsigned n;
        char *ns;
};
struct memory_queue {
        struct tk_queue queue;
        struct tk_list messages, hints;
};

static int poll_states(struct tk_queue *queue, struct tk_queue_state *states, size_t n, struct tk_err *err)
{
        struct memory_queue *q = (struct memory_queue *)queue;
        int64_t now = tk_time_wall_ns();
        (void)err;
        for (size_t i = 0; i < n; i++) {
                states[i] = (struct tk_queue_state){.ns = states[i].ns};
                tk_list_each(node, &q->messages) {
                        struct message *m = tk_list_entry(node, struct message, link);
                        if (!tk_streq(m->ns, states[i].ns) || m->visible_at_ns > now)
                                continue;
                        states[i].visible = true;
                        states[i].waiting++;
                        if (!states[i].oldest_ns || m->visible_at_ns < states[i].oldest_ns)
                                states[i].oldest_ns = m->visible_at_ns;
                }
        }
        return 0;
}

static struct hinted *find_hint(struct memory_queue *q, const char *ns)
{
        tk_list_each(node, &q->hints) {
                struct hinted *h = tk_list_entry(node, struct hinted, link);
                if (tk_streq(h->ns, ns))
                        return h;
        }
        return NULL;
}

static void hint(struct tk_queue *queue, const char *ns)
{
        struct memory_queue *q = (struct memory_queue *)queue;
        struct hinted *h = find_hint(q, ns);
        if (!h) {
                h = TK_NEW(struct hinted);
                h->ns = tk_strdup(ns);
                tk_list_append(&q->hints, &h->link);
        }
        h->n++;
}

static void queue_free(struct tk_queue *queue)
{
        struct memory_queue *q = (struct memory_queue *)queue;
        for (struct tk_list *node; (node = tk_list_pop(&q->messages));) {
                struct message *m = tk_list_entry(node, struct message, link);
                tk_free(m->ns);
                tk_free(m);
        }
        for (struct tk_list *node; (node = tk_list_pop(&q->hints));) {
                struct hinted *h = tk_list_entry(node, struct hinted, link);
                tk_free(h->ns);
                tk_free(h);
        }
        tk_free(q);
}

static const struct tk_queue_ops ops = {.name = "memory", .poll = poll_states, .hint = hint, .free = queue_free};

struct tk_queue *tk_queue_memory_new(void)
{
        struct memory_queue *q = TK_NEW(struct memory_queue);
        q->queue.ops = &ops;
        tk_list_init(&q->messages);
        tk_list_init(&q->hints);
        return &q->queue;
}

void tk_queue_memory_send(struct tk_queue *queue, const char *ns, int64_t visible_at_wall_ns)
{
        struct message *m = TK_NEW(struct message);
        m->ns = tk_strdup(ns);
        m->visible_at_ns = visible_at_wall_ns;
        tk_list_append(&((struct memory_queue *)queue)->messages, &m->link);
}

unsigned tk_queue_memory_hints(struct tk_queue *queue, const char *ns)
{
        struct hinted *h = find_hint((struct memory_queue *)queue, ns);
        return h ? h->n : 0;
}
