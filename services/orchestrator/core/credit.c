/* SPDX-License-Identifier: MIT */
/* orchestrator/core/credit.c: credit reserved for one transaction: taken from the sessions, shared fairly among namespaces, and given back when
 * unused. */
#include "base/mem.h"
#include "base/str.h"
#include "orchestrator/core/sessions_internal.h"
#include "orchestrator/core/share.h"
#include "tasker/dispatch/v1/dispatch.pb-c.h"
#include <limits.h>

enum { FEW = 8 }; /* namespaces of most batches: divided without an allocation */

struct reserved {
        struct orch_session *session;
        unsigned ns, n, recalls;
        bool used;
};
struct orch_reservation {
        struct orch_sessions *all;
        size_t ns_n, items_n;
        const char *const *ns;
        struct reserved *items;
};

static unsigned weight(const struct orch_sessions *all, const char *ns)
{
        uintptr_t other = tk_map_count(all->weights) ? (uintptr_t)tk_map_gets(all->weights, ns) : 0;
        return other ? (unsigned)other : 1;
}

/* How many more steps of one of its namespaces a worker may be given: past the queue, while others have a backlog for it, no more than
 * makes its part, by weight, of what it takes in all. */
static unsigned room(const struct orch_session *s, size_t place, enum orch_credit_for what)
{
        if (what == ORCH_CREDIT_NEW && tk_map_gets(s->all->backlogs, s->ns[place]))
                return 0;
        if (what == ORCH_CREDIT_CLAIM || !tk_map_count(s->all->backlogs))
                return UINT_MAX;
        uint64_t own = weight(s->all, s->ns[place]), parts = own;
        for (size_t i = 0; i < s->ns_n; i++)
                parts += i != place && tk_map_gets(s->all->backlogs, s->ns[i]) ? weight(s->all, s->ns[i]) : 0;
        unsigned part = (unsigned)(((s->credit + tk_map_count(s->held)) * own + parts - 1) / parts);
        return parts == own ? UINT_MAX : part > s->ns_held[place] ? part - s->ns_held[place] : 0;
}

/* Takes of one session for all namespaces, each of which wants left[i] more. */
static void reserve_of(struct orch_reservation *r, struct orch_session *s, enum orch_credit_for what, struct orch_share *shares, unsigned *left)
{
        for (size_t i = 0; i < r->ns_n; i++) {
                size_t place = left[i] ? orch_session_place(s, r->ns[i]) : s->ns_n;
                shares[i] = (struct orch_share){.weight = 1};
                if (place == s->ns_n)
                        continue;
                unsigned may = room(s, place, what);
                shares[i].has = s->ns_held[place];
                shares[i].weight = weight(s->all, r->ns[i]);
                shares[i].want = left[i] < may ? left[i] : may;
        }
        orch_share(shares, r->ns_n, s->all->turn, what == ORCH_CREDIT_CLAIM ? s->credit : (s->credit + 1) / 2);
        for (size_t i = 0; i < r->ns_n; i++) {
                if (!shares[i].gets)
                        continue;
                s->credit -= shares[i].gets;
                s->reserved += shares[i].gets;
                left[i] -= shares[i].gets;
                orch_session_ref(s);
                r->items[r->items_n++] = (struct reserved){s, (unsigned)i, shares[i].gets, s->recalls, false};
        }
}

struct orch_reservation *orch_credit_reserve(struct orch_sessions *all, const char *const *ns, size_t n,
                                             unsigned want, enum orch_credit_for what)
{
        struct orch_reservation *r = TK_NEW(struct orch_reservation);
        struct orch_share few_shares[FEW], *shares = few_shares;
        unsigned few_left[FEW], *left = few_left;
        TK_AUTOFREE void *many = n > FEW ? tk_calloc(n, sizeof *shares + sizeof *left) : NULL;
        if (many) {
                shares = many;
                left = (unsigned *)(shares + n);
        }
        for (size_t i = 0; i < n; i++)
                left[i] = want;
        r->all = all;
        r->ns = ns;
        r->ns_n = n;
        TK_LOCKED(&all->lock);
        r->items = tk_calloc(n * all->open_n + 1, sizeof *r->items);
        tk_list_each(node, &all->open) {
                struct orch_session *s = tk_list_entry(node, struct orch_session, link);
                if (s->credit)
                        reserve_of(r, s, what, shares, left);
        }
        /* The next reservation starts with another worker and another namespace. */
        struct tk_list *first = tk_list_pop(&all->open);
        if (first)
                tk_list_append(&all->open, first);
        all->turn++;
        return r;
}

unsigned orch_reservation_count(const struct orch_reservation *r, const char *ns)
{
        unsigned count = 0;
        for (size_t i = 0; i < r->items_n; i++)
                if (tk_streq(r->ns[r->items[i].ns], ns))
                        count += r->items[i].n;
        return count;
}

struct orch_session *orch_reservation_take(struct orch_reservation *r, const char *ns)
{
        struct reserved *best = NULL;
        for (size_t i = 0; i < r->items_n; i++) {
                struct reserved *item = &r->items[i];
                if (item->n && tk_streq(r->ns[item->ns], ns) && (!best || item->n > best->n))
                        best = item;
        }
        if (!best)
                return NULL;
        best->n--;
        best->used = true;
        orch_session_ref(best->session);
        return best->session;
}

static bool any_queue_marked(struct orch_sessions *all, const struct orch_session *s)
{
        for (size_t i = 0; i < s->ns_n; i++)
                if (tk_map_gets(all->queues, s->ns[i]))
                        return true;
        return false;
}

/* Under the lock, which it gives back. */
static void grant(struct orch_session *s, uint32_t steps)
{
        struct orch_sessions *all = s->all;
        s->credit = steps > ORCH_CREDIT_MAX - s->credit ? ORCH_CREDIT_MAX : s->credit + steps;
        bool wanted = s->stream && any_queue_marked(all, s);
        tk_lock_give(&all->lock);
        if (wanted)
                all->ops.want_work(all->ops.user);
}

void orch_session_grant(struct orch_session *s, uint32_t steps)
{
        tk_lock_take(&s->all->lock);
        grant(s, steps);
}

static void tell_recalled(struct orch_session *s, uint32_t steps)
{
        Tasker__Dispatch__V1__OrchestratorFrame frame = TASKER__DISPATCH__V1__ORCHESTRATOR_FRAME__INIT;
        uint8_t bytes[16];
        frame.recalled = steps;
        size_t len = tasker__dispatch__v1__orchestrator_frame__pack(&frame, bytes);
        if (len)
                orch_session_send(s, bytes, len);
}

void orch_session_recall(struct orch_session *s)
{
        tk_lock_take(&s->all->lock);
        uint32_t unused = s->credit;
        s->credit = 0;
        s->recalls++;
        tk_lock_give(&s->all->lock);
        tell_recalled(s, unused);
}

/* What was reserved and is not used. */
static void give_back(const struct reserved *item)
{
        struct orch_session *s = item->session;
        tk_lock_take(&s->all->lock);
        s->reserved -= item->n;
        if (item->recalls == s->recalls) {
                grant(s, item->n);
                return;
        }
        tk_lock_give(&s->all->lock);
        tell_recalled(s, item->n);
}

struct orch_reservation *orch_reservation_free(struct orch_reservation *r)
{
        if (!r)
                return NULL;
        for (size_t i = 0; i < r->items_n; i++) {
                if (r->items[i].n)
                        give_back(&r->items[i]);
                if (r->items[i].used) /* now: a worker that recalls its credit over what it is sent here gets all of it */
                        orch_session_wake(r->items[i].session);
                orch_session_unref(r->items[i].session);
        }
        tk_free(r->items);
        return tk_free(r);
}
