/* SPDX-License-Identifier: MIT */
/* orchestrator/core/credit.c: credit reserved for one transaction: taken from the sessions, and given back when unused. */
#include "base/mem.h"
#include "base/str.h"
#include "orchestrator/core/sessions_internal.h"

struct reserved {
        struct orch_session *session;
        unsigned ns, n;
        bool used;
};
struct orch_reservation {
        struct orch_sessions *all;
        size_t ns_n, items_n;
        const char *const *ns;
        struct reserved *items;
};

struct orch_reservation *orch_credit_reserve(struct orch_sessions *all, const char *const *ns, size_t n,
                                             unsigned want, bool share)
{
        struct orch_reservation *r = TK_NEW(struct orch_reservation);
        r->all = all;
        r->ns = ns;
        r->ns_n = n;
        TK_LOCKED(&all->lock);
        r->items = tk_calloc(n * all->open_n + 1, sizeof *r->items);
        for (size_t i = 0; i < n; i++) {
                unsigned left = want;
                tk_list_each(node, &all->open) {
                        struct orch_session *s = tk_list_entry(node, struct orch_session, link);
                        unsigned take = share ? (s->credit + 1) / 2 : s->credit;
                        if (!take || !left || !orch_session_serves(s, ns[i]))
                                continue;
                        if (take > left)
                                take = left;
                        s->credit -= take;
                        left -= take;
                        orch_session_ref(s);
                        r->items[r->items_n++] = (struct reserved){s, (unsigned)i, take, false};
                }
                /* The next reservation starts with another worker. */
                struct tk_list *first = tk_list_pop(&all->open);
                if (first)
                        tk_list_append(&all->open, first);
        }
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

struct orch_reservation *orch_reservation_free(struct orch_reservation *r)
{
        if (!r)
                return NULL;
        for (size_t i = 0; i < r->items_n; i++) {
                if (r->items[i].used)
                        orch_session_wake(r->items[i].session);
                if (r->items[i].n)
                        orch_session_grant(r->items[i].session, r->items[i].n);
                orch_session_unref(r->items[i].session);
        }
        tk_free(r->items);
        return tk_free(r);
}
