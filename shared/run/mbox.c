/* SPDX-License-Identifier: MIT */
/* run/mbox.c: a list under a lock. The lock is held to link, unlink and count, never while a message is
 * handled. */
#include "run/mbox.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/probe.h"
#include "base/time.h"
#include "fault/fault.h"
#include "run/lock.h"
#include "run/spread.h"

struct tk_mbox {
        struct tk_lock lock;
        struct tk_cond arrived;
        struct tk_spread *wait;
        /* under lock: */
        struct tk_list msgs;
        struct tk_mbox_stats stats;
        unsigned waiting; /* receivers asleep */
        bool waking;      /* one of them was signalled and has not come yet */
        bool closed, woken;
};

void tk_msg_done(struct tk_msg *msg, int status)
{
        if (msg->link.next) /* a message that was never posted may be all zeros */
                tk_list_remove(&msg->link);
        msg->status = status;
        if (msg->done)
                msg->done(msg);
        else
                tk_free(msg);
}

struct tk_mbox *tk_mbox_new(const char *name, uint32_t capacity)
{
        struct tk_mbox *mbox = TK_NEW(struct tk_mbox);

        TK_CHECK(capacity > 0);
        tk_lock_init(&mbox->lock, name);
        tk_cond_init(&mbox->arrived);
        mbox->wait = tk_spread_get(TK_SPREAD_MAILBOX_WAIT, name);
        tk_list_init(&mbox->msgs);
        mbox->stats.name = name;
        mbox->stats.capacity = capacity;
        return mbox;
}

struct tk_mbox *tk_mbox_free(struct tk_mbox *mbox)
{
        if (!mbox)
                return NULL;
        TK_CHECK(tk_list_empty(&mbox->msgs));
        tk_cond_deinit(&mbox->arrived);
        tk_lock_deinit(&mbox->lock);
        return tk_free(mbox);
}

/* Under the lock: sees to it that somebody comes for what is inside. One sleeper at a time: whoever comes and leaves something
 * behind calls the next, so that a burst of short messages does not wake threads that find nothing left. */
static void call_one(struct tk_mbox *mbox)
{
        if (!mbox->waiting || mbox->waking || tk_list_empty(&mbox->msgs))
                return;
        mbox->waking = true;
        tk_cond_signal(&mbox->arrived);
}

static int post(struct tk_mbox *mbox, struct tk_msg *msg, bool bounded)
{
        struct tk_mbox_stats *stats = &mbox->stats;
        int64_t now_ns = tk_time_mono_ns();

        TK_LOCKED(&mbox->lock);
        if (mbox->closed)
                return TK_MBOX_E_CLOSED;
        if (bounded && (stats->depth >= stats->capacity || tk_fault(TK_FAULT_POST))) {
                stats->fulls++;
                return TK_MBOX_E_FULL;
        }
        msg->sent_ns = now_ns;
        tk_list_append(&mbox->msgs, &msg->link);
        stats->sends++;
        if (++stats->depth > stats->high_water)
                stats->high_water = stats->depth;
        TK_PROBE(message_sent, stats->name, msg->type, stats->depth);
        call_one(mbox);
        return TK_MBOX_OK;
}

int tk_mbox_post(struct tk_mbox *mbox, struct tk_msg *msg)
{
        return post(mbox, msg, true);
}

int tk_mbox_post_always(struct tk_mbox *mbox, struct tk_msg *msg)
{
        return post(mbox, msg, false);
}

/* Under the lock: moves up to max messages, oldest first. */
static unsigned take_batch(struct tk_mbox *mbox, struct tk_list *ret, unsigned max)
{
        struct tk_mbox_stats *stats = &mbox->stats;
        int64_t now_ns = tk_time_mono_ns();
        unsigned n = 0;

        while (n < max && !tk_list_empty(&mbox->msgs)) {
                struct tk_msg *msg = tk_list_entry(tk_list_pop(&mbox->msgs), struct tk_msg, link);
                /* the sender read its clock before it had the lock, so it may be a little ahead of ours */
                if (now_ns > msg->sent_ns)
                        stats->wait_ns_total += (uint64_t)(now_ns - msg->sent_ns);
                tk_spread_observe(mbox->wait, now_ns - msg->sent_ns);
                TK_PROBE(message_received, stats->name, msg->type, now_ns - msg->sent_ns);
                tk_list_append(ret, &msg->link);
                n++;
        }
        stats->depth -= n;
        stats->received += n;
        return n;
}

unsigned tk_mbox_receive(struct tk_mbox *mbox, struct tk_list *ret, unsigned max, int64_t deadline_ns)
{
        tk_list_init(ret);
        TK_LOCKED(&mbox->lock);
        while (tk_list_empty(&mbox->msgs) && !mbox->woken && !mbox->closed) {
                mbox->waiting++;
                bool called = tk_cond_wait(&mbox->arrived, &mbox->lock, deadline_ns);
                mbox->waiting--;
                mbox->waking = false; /* should somebody else have been meant, call_one below sees to it */
                if (!called)
                        break;
        }
        mbox->woken = false;
        unsigned n = take_batch(mbox, ret, max);
        call_one(mbox);
        return n;
}

void tk_mbox_wake(struct tk_mbox *mbox)
{
        TK_LOCKED(&mbox->lock);
        mbox->woken = true;
        if (mbox->waiting)
                tk_cond_signal(&mbox->arrived);
}

void tk_mbox_close(struct tk_mbox *mbox)
{
        TK_LOCKED(&mbox->lock);
        mbox->closed = true;
        tk_cond_broadcast(&mbox->arrived);
}

bool tk_mbox_closed(struct tk_mbox *mbox)
{
        TK_LOCKED(&mbox->lock);
        return mbox->closed;
}

void tk_mbox_load(struct tk_mbox *mbox, uint32_t *ret_depth, uint32_t *ret_capacity)
{
        TK_LOCKED(&mbox->lock);
        *ret_depth = mbox->stats.depth;
        *ret_capacity = mbox->stats.capacity;
}

void tk_mbox_stats(struct tk_mbox *mbox, struct tk_mbox_stats *ret)
{
        TK_LOCKED(&mbox->lock);
        *ret = mbox->stats;
}
