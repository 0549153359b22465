/* SPDX-License-Identifier: MIT */
/* worker/actor/watch.c: a list as long as there are permits; the timer thread looks through it when the earliest known
 * deadline comes. Starting a handler wakes that thread only for a deadline earlier than any it knows, so usually not. */
#include "worker/actor/watch.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/time.h"
#include "run/lock.h"
#include "worker/app.h"
#include <stdio.h>

struct work_watch {
        struct work_app *app;
        struct tk_lock lock;
        struct tk_cond emptied;
        struct tk_list running;
        int64_t wake_ns; /* when the timer looks next */
};

struct work_watch *work_watch_new(struct work_app *app)
{
        struct work_watch *watch = TK_NEW(struct work_watch);
        watch->app = app;
        watch->wake_ns = TK_TIME_NEVER;
        tk_lock_init(&watch->lock, "watch");
        tk_cond_init(&watch->emptied);
        tk_list_init(&watch->running);
        return watch;
}

struct work_watch *work_watch_free(struct work_watch *watch)
{
        if (!watch)
                return NULL;
        TK_CHECK(tk_list_empty(&watch->running));
        tk_cond_deinit(&watch->emptied);
        tk_lock_deinit(&watch->lock);
        return tk_free(watch);
}

void work_watch_enter(struct work_watch *watch, struct work_job *job)
{
        bool earlier;
        {
                TK_LOCKED(&watch->lock);
                tk_list_append(&watch->running, &job->running);
                earlier = job->deadline_ns < watch->wake_ns;
        }
        if (earlier)
                tk_actor_wake(watch->app->timer);
}

/* Under the lock, which keeps the job: the step fails now, its handler goes on. */
static void fail(struct work_watch *watch, struct work_job *job, const char *type, const char *message)
{
        atomic_store(&job->cancelled, true);
        job->overrun = work_job_fail(watch->app, job, WORK_RETRYABLE, type, message, true);
}

static void expire(struct work_watch *watch, struct work_job *job)
{
        char message[64];
        snprintf(message, sizeof message, "the handler did not return within %u ms", job->timeout_ms);
        fail(watch, job, "handler_timeout", message);
}

bool work_watch_leave(struct work_watch *watch, struct work_job *job)
{
        TK_LOCKED(&watch->lock);
        if (!job->overrun && tk_time_mono_ns() >= job->deadline_ns) /* the deadline decides, not who of us is quicker */
                expire(watch, job);
        tk_list_remove(&job->running);
        if (tk_list_empty(&watch->running))
                tk_cond_broadcast(&watch->emptied);
        if (job->overrun)
                work_ledger_returned(watch->app->ledger);
        return job->overrun;
}

static struct work_job *job_of(struct tk_list *node)
{
        return tk_list_entry(node, struct work_job, running);
}

void work_watch_cancel(struct work_watch *watch, const struct work_key *key)
{
        TK_LOCKED(&watch->lock);
        tk_list_each(node, &watch->running)
                if (job_of(node)->key.attempt == key->attempt && tk_uuid_eq(&job_of(node)->key.step, &key->step))
                        atomic_store(&job_of(node)->cancelled, true);
}

void work_watch_expire_all(struct work_watch *watch)
{
        TK_LOCKED(&watch->lock);
        tk_list_each(node, &watch->running)
                if (!job_of(node)->overrun)
                        fail(watch, job_of(node), "worker_shutdown", "the worker was stopped while the handler ran");
}

bool work_watch_wait_empty(struct work_watch *watch, int64_t deadline_ns)
{
        TK_LOCKED(&watch->lock);
        while (!tk_list_empty(&watch->running))
                if (!tk_cond_wait(&watch->emptied, &watch->lock, deadline_ns))
                        return tk_list_empty(&watch->running);
        return true;
}

static int64_t tick(void *self, int64_t now_ns)
{
        struct work_watch *watch = (*(struct work_app **)self)->watch;
        int64_t next_ns = TK_TIME_NEVER;
        TK_LOCKED(&watch->lock);
        tk_list_each(node, &watch->running) {
                struct work_job *job = job_of(node);
                if (job->overrun)
                        continue;
                if (job->deadline_ns <= now_ns) {
                        expire(watch, job);
                } else if (job->deadline_ns < next_ns) {
                        next_ns = job->deadline_ns;
                }
        }
        watch->wake_ns = next_ns;
        return next_ns;
}

static int start(void *self, void *app)
{
        *(struct work_app **)self = app;
        return 0;
}

/* Nothing is ever posted. */
static int handle(void *self, struct tk_list *msgs, unsigned n)
{
        (void)self;
        (void)n;
        for (struct tk_list *node; (node = tk_list_pop(msgs));)
                tk_msg_done(tk_list_entry(node, struct tk_msg, link), 0);
        return 0;
}

const struct tk_actor_type work_timer_actor = {
        .name = "timer", .state_size = sizeof(struct work_app *), .mailbox_max = 1, .threads = 1, .batch_max = 1,
        .start = start, .handle = handle, .tick = tick,
};
