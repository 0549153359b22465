/* SPDX-License-Identifier: MIT */
/* orchestrator/core/waiters.c: see the header. One list in order of deadline; a few thousand at most (bounded by the
 * server's connections), so that a walk under the lock is short. One thread ends what is overdue and says when to look. */
#include "orchestrator/core/waiters.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "run/lock.h"
#include "run/thread.h"

struct waiter {
        struct tk_list link;
        uint64_t ticket;
        struct tk_uuid task;
        int64_t since_ns, deadline_ns;
        orch_waiter_fn *fn;
        void *request;
};

enum { MOVING = 1 << 13 }; /* places, 16 bytes each */

struct orch_waiters {
        struct tk_lock lock;
        struct tk_cond changed;
        struct tk_list waiting; /* earliest deadline first */
        unsigned count;
        uint64_t tickets;
        bool stop, joined;
        bool looking;           /* a look was asked for and has not ended */
        int64_t every_ns, look_ns; /* pause between looks; the next one, TK_TIME_NEVER while nobody waits */
        orch_waiters_look_fn *look; /* NULL: none */
        void *look_user;
        struct tk_thread thread;
        struct tk_uuid moving[MOVING]; /* by hash of the task; a newer one takes the place of an older one; nil: none */
};

static struct tk_uuid *place(struct orch_waiters *w, const struct tk_uuid *task)
{
        uint16_t bits; /* the end of a UUID is random */
        memcpy(&bits, task->b + sizeof task->b - sizeof bits, sizeof bits);
        return &w->moving[bits % MOVING];
}

/* Under the lock: moves every waiter the filter wants to `out`. */
static void detach(struct orch_waiters *w, struct tk_list *out, const struct tk_uuid *task, int64_t due_ns)
{
        tk_list_each(node, &w->waiting) {
                struct waiter *waiter = tk_list_entry(node, struct waiter, link);
                bool wanted = task ? tk_uuid_eq(&waiter->task, task) : waiter->deadline_ns <= due_ns;
                if (!wanted)
                        continue;
                tk_list_remove(node);
                tk_list_append(out, node);
                w->count--;
        }
}

static void run(struct tk_list *out)
{
        for (struct tk_list *node; (node = tk_list_pop(out));) {
                struct waiter *waiter = tk_list_entry(node, struct waiter, link);
                waiter->fn(waiter->request);
                tk_free(waiter);
        }
}

static bool waits_long(const struct orch_waiters *w, struct tk_list *node, int64_t now_ns)
{
        return tk_list_entry(node, struct waiter, link)->since_ns + w->every_ns <= now_ns;
}

/* Under the lock: whether to look now. */
static bool look_due(struct orch_waiters *w, int64_t now_ns)
{
        if (!w->look || tk_list_empty(&w->waiting)) {
                w->look_ns = TK_TIME_NEVER;
                return false;
        }
        if (w->look_ns > now_ns) {
                if (w->look_ns == TK_TIME_NEVER)
                        w->look_ns = now_ns + w->every_ns;
                return false;
        }
        w->look_ns = now_ns + w->every_ns;
        tk_list_each(node, &w->waiting)
                if (!w->looking && waits_long(w, node, now_ns))
                        return w->looking = true;
        return false;
}

static int64_t next_event(const struct orch_waiters *w)
{
        if (tk_list_empty(&w->waiting))
                return TK_TIME_NEVER;
        int64_t first_ns = tk_list_entry(w->waiting.next, struct waiter, link)->deadline_ns;
        return first_ns < w->look_ns ? first_ns : w->look_ns;
}

static void expire(void *arg)
{
        struct orch_waiters *w = arg;
        for (bool stop = false; !stop;) {
                struct tk_list out = TK_LIST_INIT(out);
                tk_lock_take(&w->lock);
                int64_t now_ns = tk_time_mono_ns();
                detach(w, &out, NULL, now_ns);
                bool look = !w->stop && look_due(w, now_ns);
                if (tk_list_empty(&out) && !look && !w->stop)
                        (void)tk_cond_wait(&w->changed, &w->lock, next_event(w));
                stop = w->stop;
                tk_lock_give(&w->lock);
                run(&out);
                if (look)
                        w->look(w->look_user);
        }
}

struct orch_waiters *orch_waiters_new(void)
{
        struct orch_waiters *w = TK_NEW(struct orch_waiters);
        tk_lock_init(&w->lock, "waiters");
        tk_cond_init(&w->changed);
        tk_list_init(&w->waiting);
        w->look_ns = TK_TIME_NEVER;
        tk_thread_start(&w->thread, "waiters", expire, w);
        return w;
}

void orch_waiters_stop(struct orch_waiters *w)
{
        if (w->joined)
                return;
        tk_lock_take(&w->lock);
        w->stop = true;
        tk_cond_broadcast(&w->changed);
        tk_lock_give(&w->lock);
        tk_thread_join(&w->thread);
        w->joined = true;
}

struct orch_waiters *orch_waiters_free(struct orch_waiters *w)
{
        if (!w)
                return NULL;
        orch_waiters_stop(w);
        orch_waiters_notify_all(w);
        tk_cond_deinit(&w->changed);
        tk_lock_deinit(&w->lock);
        return tk_free(w);
}

void orch_waiters_moving(struct orch_waiters *w, const struct tk_uuid *task)
{
        TK_LOCKED(&w->lock);
        *place(w, task) = *task;
}

uint64_t orch_waiters_add(struct orch_waiters *w, const struct tk_uuid *task, int64_t deadline_ns,
                          orch_waiter_fn *fn, void *request, bool *ret_moving)
{
        struct waiter *waiter = TK_NEW(struct waiter);
        waiter->task = *task;
        waiter->since_ns = tk_time_mono_ns();
        waiter->deadline_ns = deadline_ns;
        waiter->fn = fn;
        waiter->request = request;
        TK_LOCKED(&w->lock);
        *ret_moving = tk_uuid_eq(place(w, task), task);
        waiter->ticket = ++w->tickets;
        struct tk_list *at = w->waiting.prev; /* mostly the latest: search from the end */
        while (at != &w->waiting && tk_list_entry(at, struct waiter, link)->deadline_ns > deadline_ns)
                at = at->prev;
        tk_list_prepend(at, &waiter->link);
        w->count++;
        if (w->waiting.next == &waiter->link)
                tk_cond_signal(&w->changed);
        return waiter->ticket;
}

bool orch_waiters_take(struct orch_waiters *w, uint64_t ticket)
{
        TK_LOCKED(&w->lock);
        tk_list_each(node, &w->waiting) {
                struct waiter *waiter = tk_list_entry(node, struct waiter, link);
                if (waiter->ticket != ticket)
                        continue;
                tk_list_remove(node);
                w->count--;
                tk_free(waiter);
                return true;
        }
        return false;
}

void orch_waiters_notify(struct orch_waiters *w, const struct tk_uuid *task)
{
        struct tk_list out = TK_LIST_INIT(out);
        tk_lock_take(&w->lock);
        if (tk_uuid_eq(place(w, task), task))
                *place(w, task) = (struct tk_uuid){0};
        detach(w, &out, task, 0);
        tk_lock_give(&w->lock);
        run(&out);
}

void orch_waiters_notify_all(struct orch_waiters *w)
{
        struct tk_list out = TK_LIST_INIT(out);
        tk_lock_take(&w->lock);
        memset(w->moving, 0, sizeof w->moving);
        detach(w, &out, NULL, TK_TIME_NEVER);
        tk_lock_give(&w->lock);
        run(&out);
}

unsigned orch_waiters_count(struct orch_waiters *w)
{
        TK_LOCKED(&w->lock);
        return w->count;
}

void orch_waiters_watch(struct orch_waiters *w, int64_t every_ns, orch_waiters_look_fn *fn, void *user)
{
        TK_LOCKED(&w->lock);
        w->every_ns = every_ns;
        w->look = fn;
        w->look_user = user;
}

struct tk_uuid *orch_waiters_long(struct orch_waiters *w, size_t *ret_n)
{
        int64_t now_ns = tk_time_mono_ns();
        size_t n = 0;
        TK_LOCKED(&w->lock);
        struct tk_uuid *tasks = tk_calloc(w->count + 1, sizeof *tasks);
        tk_list_each(node, &w->waiting)
                if (waits_long(w, node, now_ns))
                        tasks[n++] = tk_list_entry(node, struct waiter, link)->task;
        *ret_n = n;
        return tasks;
}

void orch_waiters_looked(struct orch_waiters *w)
{
        TK_LOCKED(&w->lock);
        w->looking = false;
}

bool orch_state_rests(const char *state)
{
        static const char *const resting[] = {"complete", "error", "cancelled", "resolved_manually", "blocked_by_failures"};
        for (size_t i = 0; i < tk_countof(resting); i++)
                if (tk_streq(state, resting[i]))
                        return true;
        return false;
}
