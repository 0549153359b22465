/* SPDX-License-Identifier: MIT */
/* worker/core/ledger_links.c: whose an attempt is: links come up, break and hand over, and what each of them is told. Orphans are kept as
 * attempts of one more link that is never up. */
#include "base/mem.h"
#include "worker/core/ledger_internal.h"

enum which { OPEN = 1, RESULTS = 2 };

static void move_all(struct work_ledger *ledger, unsigned from, unsigned to, unsigned which)
{
        struct entry *e;
        for (size_t at = 0; from != to && (e = work_ledger_next(ledger, &at));)
                if (e->link == from && (which & (work_ledger_is_open(e) ? OPEN : RESULTS)))
                        work_ledger_move(ledger, e, to);
}

/* Copies the entries of a link that are to be told; they count as told. */
static size_t tell_untold(struct work_ledger *ledger, unsigned link, struct work_taken *held)
{
        size_t n = 0;
        struct entry *e;
        for (size_t at = 0; (e = work_ledger_next(ledger, &at));)
                if (e->link == link && !e->told && (work_ledger_is_open(e) || e->returned)) {
                        held[n++] = e->taken;
                        e->told = true;
                }
        work_ledger_link(ledger, link)->untold = false;
        return n;
}

struct work_taken *work_ledger_adopt(struct work_ledger *ledger, unsigned link, size_t *ret_n)
{
        struct entry *e;
        TK_LOCKED(&ledger->lock);
        move_all(ledger, ledger->links_n, link, OPEN | RESULTS);
        struct work_taken *held = tk_calloc(work_ledger_link(ledger, link)->entries + 1, sizeof *held);
        *ret_n = 0;
        for (size_t at = 0; (e = work_ledger_next(ledger, &at));)
                if (e->link == link && !e->returned) { /* who that is told to depends on the Welcome */
                        held[(*ret_n)++] = e->taken;
                        e->told = true;
                }
        return held;
}

bool work_ledger_untold(struct work_ledger *ledger, unsigned link, struct work_untold *ret)
{
        TK_LOCKED(&ledger->lock);
        struct link *l = work_ledger_link(ledger, link);
        *ret = (struct work_untold){.recall = l->recall};
        if (!l->up)
                return false;
        l->recall = false;
        if (!l->takes_back) /* it would renew their leases for ever: these run out */
                for (struct tk_list *node; (node = tk_list_pop(&l->returning));)
                        work_ledger_forget(ledger, tk_list_entry(node, struct entry, node));
        if (!l->untold && tk_list_empty(&l->returning))
                return ret->recall;
        ret->held = tk_calloc(2 * (size_t)l->entries + 1, sizeof *ret->held);
        if (l->untold)
                ret->held_n = tell_untold(ledger, link, ret->held);
        ret->returned = ret->held + ret->held_n;
        for (struct tk_list *node; (node = tk_list_pop(&l->returning));) {
                struct entry *e = tk_list_entry(node, struct entry, node);
                ret->returned[ret->returned_n++] = e->taken;
                e->state = SENT;
        }
        if (!ret->held_n && !ret->returned_n)
                ret->held = tk_free(ret->held);
        return ret->held || ret->recall;
}

void work_ledger_up(struct work_ledger *ledger, unsigned link, bool takes_back)
{
        TK_LOCKED(&ledger->lock);
        struct link *l = work_ledger_link(ledger, link);
        ledger->up_n += !l->up;
        l->up = true;
        l->held_back = false;
        l->takes_back = takes_back;
}

void work_ledger_down(struct work_ledger *ledger, unsigned link)
{
        TK_LOCKED(&ledger->lock);
        struct link *l = work_ledger_link(ledger, link);
        ledger->up_n -= l->up;
        l->up = l->held_back = l->takes_back = l->recall = false;
        l->outstanding = 0;
        move_all(ledger, link, work_ledger_other_link(ledger, false), OPEN);
        move_all(ledger, link, work_ledger_other_link(ledger, true), RESULTS);
}

void work_ledger_hand_over(struct work_ledger *ledger, unsigned link)
{
        TK_LOCKED(&ledger->lock);
        work_ledger_link(ledger, link)->held_back = true;
        unsigned to = work_ledger_other_link(ledger, false);
        if (to < ledger->links_n)
                move_all(ledger, link, to, OPEN);
}

