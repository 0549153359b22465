/* SPDX-License-Identifier: MIT */
/* bench/micro/threads.c: what passing work between threads costs. */
#include "base/mem.h"
#include "base/time.h"
#include "measure.h"
#include "micro.h"
#include "run/lock.h"
#include "run/mbox.h"
#include "run/permit.h"
#include <pthread.h>

struct pair {
        struct tk_mbox *there, *back;
        struct tk_msg msg;
};

static void *echo(void *user)
{
        struct pair *p = user;
        struct tk_list got;
        while (tk_mbox_receive(p->there, &got, 1, TK_TIME_NEVER)) {
                struct tk_msg *msg = tk_list_entry(tk_list_pop(&got), struct tk_msg, link);
                (void)!tk_mbox_post(p->back, msg);
        }
        return NULL;
}

/* There and back between two threads that sleep in between: two hops. */
static void round_trip(void *user, uint64_t n)
{
        struct pair *p = user;
        struct tk_list got;
        for (uint64_t i = 0; i < n; i++) {
                (void)!tk_mbox_post(p->there, &p->msg);
                (void)tk_mbox_receive(p->back, &got, 1, TK_TIME_NEVER);
                tk_list_remove(&p->msg.link);
        }
}

/* Posted and received by one thread: the mailbox itself. */
static void own_post(void *user, uint64_t n)
{
        struct pair *p = user;
        struct tk_list got;
        for (uint64_t i = 0; i < n; i++) {
                (void)!tk_mbox_post(p->back, &p->msg);
                (void)tk_mbox_receive(p->back, &got, 1, TK_TIME_NEVER);
                tk_list_remove(&p->msg.link);
        }
}

static void permit(void *user, uint64_t n)
{
        for (uint64_t i = 0; i < n; i++)
                if (tk_permits_take(user, TK_TIME_NEVER))
                        tk_permits_give(user);
}

static void lock(void *user, uint64_t n)
{
        for (uint64_t i = 0; i < n; i++) {
                tk_lock_take(user);
                tk_lock_give(user);
        }
}

static void clock_read(void *user, uint64_t n)
{
        int64_t *sum = user;
        for (uint64_t i = 0; i < n; i++)
                *sum += tk_time_mono_ns();
}

void micro_threads(void)
{
        struct pair p = {.there = tk_mbox_new("there", 16), .back = tk_mbox_new("back", 16)};
        pthread_t thread;
        struct tk_permits *permits = tk_permits_new("permits", 10);
        struct tk_lock one;
        int64_t sum = 0;
        tk_list_init(&p.msg.link);
        tk_lock_init(&one, "one");
        micro_run("mailbox post and receive, one thread", 1000000, own_post, &p, "");
        if (!pthread_create(&thread, NULL, echo, &p)) {
                micro_run("mailbox round trip, two threads (two hops)", 20000, round_trip, &p, "");
                tk_mbox_close(p.there);
                (void)pthread_join(thread, NULL);
        }
        micro_run("permit acquire and release", 1000000, permit, permits, "");
        micro_run("lock and unlock, nobody else", 5000000, lock, &one, "");
        micro_run("clock read", 5000000, clock_read, &sum, "");
        tk_lock_deinit(&one);
        tk_permits_free(permits);
        tk_mbox_free(p.there);
        tk_mbox_free(p.back);
}
