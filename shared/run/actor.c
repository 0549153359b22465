/* SPDX-License-Identifier: MIT */
/* run/actor.c: the life of an actor's threads: start (again and again, with backoff), rounds, restart after a
 * failure, drain, stop. Each thread owns its state alone; the mailbox and the numbers are shared. */
#include "run/actor.h"
#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/probe.h"
#include "base/rand.h"
#include "base/time.h"
#include "run/lock.h"
#include "run/spread.h"
#include "run/thread.h"
#include <errno.h>
#include <string.h>

#define START_DELAY_MIN (100 * TK_NS_PER_MS)
#define START_DELAY_MAX (5 * TK_NS_PER_S)

struct runner {
        struct tk_actor *actor;
        atomic_int_fast64_t handling_since_ns; /* 0: waits */
        _Atomic(const char *) current;
        struct tk_thread thread;
        void *self; /* the type's state */
};

struct tk_actor {
        const struct tk_actor_type *type; /* these four never change */
        void *app;
        struct tk_mbox *mbox;
        struct tk_spread *service, *late;
        unsigned threads;

        struct tk_lock lock; /* guards stopping; `stop_asked` interrupts the wait between two starts */
        struct tk_cond stop_asked;
        bool stopping;

        atomic_bool wake; /* a tick is wanted before it is due */
        atomic_uint ready, alive;
        atomic_uint_fast64_t handled, batches, restarts, busy_ns, batch_max_seen;
        atomic_int_fast64_t last_progress_ns;

        struct runner runners[]; /* one per thread */
};

static bool wait_stopping(struct tk_actor *actor, int64_t deadline_ns)
{
        TK_LOCKED(&actor->lock);
        while (!actor->stopping && tk_cond_wait(&actor->stop_asked, &actor->lock, deadline_ns))
                ;
        return actor->stopping;
}

static void runner_stop(struct runner *runner)
{
        if (runner->actor->type->stop)
                runner->actor->type->stop(runner->self);
}

/* Until start succeeds (true), or the actor is to stop (false). */
static bool runner_start(struct runner *runner)
{
        struct tk_actor *actor = runner->actor;
        const struct tk_actor_type *type = actor->type;

        for (unsigned attempt = 0;; attempt++) {
                int64_t delay_ns = tk_rand_backoff(attempt, START_DELAY_MIN, START_DELAY_MAX);
                int result;

                memset(runner->self, 0, type->state_size);
                result = type->start ? type->start(runner->self, actor->app) : 0;
                if (!result)
                        break;
                runner_stop(runner);
                if (wait_stopping(actor, 0))
                        return false;
                tk_log_warn("actor.start_failed", "trying again", TK_STR("actor", type->name),
                            TK_INT("status", result), TK_INT("attempt", attempt + 1),
                            TK_INT("delay_ms", delay_ns / TK_NS_PER_MS));
                if (wait_stopping(actor, tk_time_mono_ns() + delay_ns))
                        return false;
        }
        atomic_fetch_add(&actor->ready, 1);
        tk_log_debug("actor.started", NULL, TK_STR("actor", type->name));
        return true;
}

static void count_batch(struct tk_actor *actor, unsigned n)
{
        uint_fast64_t seen = atomic_load_explicit(&actor->batch_max_seen, memory_order_relaxed);

        atomic_fetch_add_explicit(&actor->handled, n, memory_order_relaxed);
        atomic_fetch_add_explicit(&actor->batches, 1, memory_order_relaxed);
        while (n > seen && !atomic_compare_exchange_weak(&actor->batch_max_seen, &seen, n))
                ;
}

static const char *message_name(const struct tk_actor_type *type, const struct tk_list *msgs)
{
        unsigned kind = (unsigned)tk_list_entry(msgs->next, struct tk_msg, link)->type;
        return kind < type->messages_n ? type->messages[kind] : "message";
}

static int handle_batch(struct runner *runner, struct tk_list *msgs, unsigned n)
{
        struct tk_actor *actor = runner->actor;
        TK_PROBE(batch_start, actor->type->name, n);
        int result = actor->type->handle(runner->self, msgs, n);
        TK_PROBE(batch_end, actor->type->name, n, result);

        count_batch(actor, n);
        atomic_store_explicit(&actor->last_progress_ns, tk_time_mono_ns(), memory_order_relaxed);
        if (result >= 0) {
                TK_CHECK(tk_list_empty(msgs)); /* given back or kept, never forgotten */
                return 0;
        }
        tk_log_warn("actor.failed", "starting afresh", TK_STR("actor", actor->type->name),
                    TK_INT("status", result), TK_INT("messages", n));
        for (struct tk_list *node; (node = tk_list_pop(msgs));)
                tk_msg_done(tk_list_entry(node, struct tk_msg, link), result);
        return result;
}

/* One round; *next_tick_ns is the thread's own timer. 0, or negative when the state must be made afresh. */
static int round_run(struct runner *runner, int64_t *next_tick_ns, bool *ret_finished)
{
        struct tk_actor *actor = runner->actor;
        const struct tk_actor_type *type = actor->type;
        bool closed = tk_mbox_closed(actor->mbox); /* asked first: closed, then empty, is empty for good */
        struct tk_list msgs;
        unsigned n = tk_mbox_receive(actor->mbox, &msgs, type->batch_max, *next_tick_ns);
        int64_t begin_ns = tk_time_mono_ns();
        atomic_store_explicit(&runner->current, n ? message_name(type, &msgs) : "timer", memory_order_relaxed);
        atomic_store_explicit(&runner->handling_since_ns, begin_ns, memory_order_relaxed);
        int result = n ? handle_batch(runner, &msgs, n) : 0;
        if (n)
                tk_spread_observe(actor->service, tk_time_mono_ns() - begin_ns);
        else if (*next_tick_ns && begin_ns >= *next_tick_ns)
                tk_spread_observe(actor->late, begin_ns - *next_tick_ns);
        bool woken = atomic_exchange(&actor->wake, false);

        *ret_finished = closed && !n;
        if (!result && type->tick && (n || woken || tk_time_mono_ns() >= *next_tick_ns)) {
                *next_tick_ns = type->tick(runner->self, tk_time_mono_ns());
                if (*next_tick_ns < 0)
                        result = (int)*next_tick_ns;
        }
        atomic_store_explicit(&runner->handling_since_ns, 0, memory_order_relaxed);
        atomic_fetch_add_explicit(&actor->busy_ns, (uint64_t)(tk_time_mono_ns() - begin_ns),
                                  memory_order_relaxed);
        return result;
}

/* Rounds with one state: until the mailbox is drained (true), or the state must be made afresh (false). */
static bool rounds_run(struct runner *runner)
{
        int64_t next_tick_ns = runner->actor->type->tick ? 0 : TK_TIME_NEVER; /* the first is due at once */
        bool finished = false;
        int result = 0;

        while (!result && !finished)
                result = round_run(runner, &next_tick_ns, &finished);
        atomic_fetch_sub(&runner->actor->ready, 1);
        runner_stop(runner);
        return !result;
}

/* What nobody could handle because start never succeeded again. */
static void cancel_rest(struct tk_actor *actor)
{
        struct tk_list msgs;

        while (tk_mbox_receive(actor->mbox, &msgs, UINT32_MAX, 0))
                for (struct tk_list *node; (node = tk_list_pop(&msgs));)
                        tk_msg_done(tk_list_entry(node, struct tk_msg, link), -ECANCELED);
}

static void runner_main(void *arg)
{
        struct runner *runner = arg;
        struct tk_actor *actor = runner->actor;

        while (runner_start(runner) && !rounds_run(runner))
                atomic_fetch_add_explicit(&actor->restarts, 1, memory_order_relaxed);
        if (atomic_fetch_sub(&actor->alive, 1) == 1)
                cancel_rest(actor);
        tk_log_debug("actor.stopped", NULL, TK_STR("actor", actor->type->name));
}

struct tk_actor *tk_actor_new(const struct tk_actor_type *type, void *app, uint32_t capacity,
                              unsigned threads)
{
        unsigned n = threads ? threads : type->threads ? type->threads : 1;
        struct tk_actor *actor = tk_zalloc(sizeof *actor + n * sizeof actor->runners[0]);

        TK_CHECK(type->handle && type->batch_max > 0);
        actor->type = type;
        actor->app = app;
        actor->mbox = tk_mbox_new(type->name, capacity ? capacity : type->mailbox_max);
        actor->service = tk_spread_get(TK_SPREAD_SERVICE, type->name);
        actor->late = tk_spread_get(TK_SPREAD_LATE, type->name);
        actor->threads = n;
        tk_lock_init(&actor->lock, type->name);
        tk_cond_init(&actor->stop_asked);
        atomic_init(&actor->alive, n);
        atomic_init(&actor->last_progress_ns, tk_time_mono_ns());
        for (unsigned i = 0; i < n; i++) {
                struct runner *runner = &actor->runners[i];
                runner->actor = actor;
                runner->self = tk_zalloc(type->state_size);
                tk_thread_start(&runner->thread, type->name, runner_main, runner);
        }
        return actor;
}

int tk_actor_post(struct tk_actor *to, struct tk_msg *msg)
{
        return tk_mbox_post(to->mbox, msg);
}

int tk_actor_post_always(struct tk_actor *to, struct tk_msg *msg)
{
        return tk_mbox_post_always(to->mbox, msg);
}

struct waiter {
        struct tk_lock lock;
        struct tk_cond answered;
        bool done; /* under lock */
};

static void ask_done(struct tk_msg *msg)
{
        struct waiter *waiter = msg->waiter;

        TK_LOCKED(&waiter->lock);
        waiter->done = true;
        tk_cond_signal(&waiter->answered); /* under the lock: the waiter's stack may be gone right after */
}

int tk_actor_ask(struct tk_actor *to, struct tk_msg *msg)
{
        struct waiter waiter = {.done = false};
        int result;

        for (unsigned i = 0; i < to->threads; i++)
                TK_CHECK(!pthread_equal(to->runners[i].thread.id, pthread_self()));
        tk_lock_init(&waiter.lock, "ask");
        tk_cond_init(&waiter.answered);
        msg->done = ask_done;
        msg->waiter = &waiter;
        result = tk_actor_post(to, msg);
        if (!result) {
                TK_LOCKED(&waiter.lock);
                while (!waiter.done)
                        tk_cond_wait(&waiter.answered, &waiter.lock, TK_TIME_NEVER);
        }
        msg->waiter = NULL;
        tk_cond_deinit(&waiter.answered);
        tk_lock_deinit(&waiter.lock);
        return result;
}

void tk_actor_wake(struct tk_actor *actor)
{
        atomic_store(&actor->wake, true);
        tk_mbox_wake(actor->mbox);
}

bool tk_actor_ready(struct tk_actor *actor)
{
        return atomic_load(&actor->ready) == actor->threads;
}

void tk_actor_load(struct tk_actor *actor, const char **ret_name, uint32_t *ret_depth, uint32_t *ret_capacity)
{
        *ret_name = actor->type->name;
        tk_mbox_load(actor->mbox, ret_depth, ret_capacity);
}

void tk_actor_stats(struct tk_actor *actor, struct tk_actor_stats *ret)
{
        tk_mbox_stats(actor->mbox, &ret->mbox);
        ret->threads = actor->threads;
        ret->ready = atomic_load(&actor->ready);
        ret->handled = atomic_load(&actor->handled);
        ret->batches = atomic_load(&actor->batches);
        ret->restarts = atomic_load(&actor->restarts);
        ret->busy_ns = atomic_load(&actor->busy_ns);
        ret->batch_max_seen = atomic_load(&actor->batch_max_seen);
        ret->last_progress_ns = atomic_load(&actor->last_progress_ns);
        ret->handling_ns = 0;
        ret->current = NULL;
        for (unsigned i = 0; i < actor->threads; i++) {
                int64_t since_ns = atomic_load_explicit(&actor->runners[i].handling_since_ns, memory_order_relaxed);
                int64_t ns = since_ns ? tk_time_mono_ns() - since_ns : 0;
                if (ns <= ret->handling_ns)
                        continue;
                ret->handling_ns = ns;
                ret->current = atomic_load_explicit(&actor->runners[i].current, memory_order_relaxed);
        }
}

void tk_actor_stop(struct tk_actor *actor)
{
        if (!actor)
                return;
        tk_mbox_close(actor->mbox);
        tk_lock_take(&actor->lock);
        actor->stopping = true;
        tk_cond_broadcast(&actor->stop_asked);
        tk_lock_give(&actor->lock);
        for (unsigned i = 0; i < actor->threads; i++) {
                tk_thread_join(&actor->runners[i].thread);
                actor->runners[i].self = tk_free(actor->runners[i].self);
        }
}

struct tk_actor *tk_actor_stop_free(struct tk_actor *actor)
{
        if (!actor)
                return NULL;
        tk_actor_stop(actor);
        tk_cond_deinit(&actor->stop_asked);
        tk_lock_deinit(&actor->lock);
        tk_mbox_free(actor->mbox);
        return tk_free(actor);
}
