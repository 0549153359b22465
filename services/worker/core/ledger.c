/* SPDX-License-Identifier: MIT */
/* worker/core/ledger.c: see the header. Attempts and credit; ledger_entry.c: one attempt; ledger_links.c: whose it is. */
#include "base/check.h"
#include "base/mem.h"
#include "base/time.h"
#include "worker/core/ledger_internal.h"

struct work_ledger *work_ledger_new(unsigned links, unsigned permits, unsigned total_max, unsigned unacked_max)
{
        struct work_ledger *ledger = tk_zalloc(sizeof *ledger + (links + 1) * sizeof ledger->links[0]);
        TK_CHECK(permits > 0 && total_max > 0 && unacked_max > 0);
        tk_lock_init(&ledger->lock, "ledger");
        ledger->entries = tk_map_new();
        tk_list_init(&ledger->queue);
        ledger->permits = permits;
        ledger->total = ledger->total_max = total_max;
        ledger->unacked_max = unacked_max;
        ledger->links_n = links;
        for (unsigned i = 0; i <= links; i++) {
                tk_list_init(&ledger->links[i].waiting);
                tk_list_init(&ledger->links[i].returning);
        }
        return ledger;
}

void work_ledger_set_total(struct work_ledger *ledger, unsigned total)
{
        TK_LOCKED(&ledger->lock);
        ledger->total = total < ledger->total_max ? total : ledger->total_max;
}

struct work_ledger *work_ledger_free(struct work_ledger *ledger)
{
        struct entry *e;
        if (!ledger)
                return NULL;
        for (size_t at = 0; (e = work_ledger_next(ledger, &at));)
                work_ledger_entry_free(e);
        tk_map_free(ledger->entries);
        tk_lock_deinit(&ledger->lock);
        return tk_free(ledger);
}

void work_ledger_stop_credit(struct work_ledger *ledger)
{
        TK_LOCKED(&ledger->lock);
        ledger->stopping = true;
}

static void use_credit(struct link *l)
{
        if (l->outstanding)
                l->outstanding--;
}

/* It is here already and came again: over this link now, which saw no result of it. Where it was this link's, its frame came twice. */
static int take_again(struct work_ledger *ledger, unsigned link, struct entry *e, const struct work_taken *taken)
{
        if (e->link != link)
                use_credit(work_ledger_link(ledger, link));
        e->taken = *taken;
        work_ledger_move(ledger, e, link);
        e->told = true;
        return WORK_TAKE_E_KNOWN;
}

int work_ledger_take(struct work_ledger *ledger, unsigned link, const struct work_taken *taken)
{
        TK_LOCKED(&ledger->lock);
        struct link *l = work_ledger_link(ledger, link);
        struct entry *e = work_ledger_find(ledger, &taken->key);
        if (e)
                return take_again(ledger, link, e, taken);
        if (tk_map_count(ledger->entries) >=
            (size_t)ledger->unacked_max + (size_t)ledger->total_max * (ledger->links_n + 1))
                return WORK_TAKE_E_FULL;
        use_credit(l);
        e = TK_NEW(struct entry);
        tk_list_init(&e->node);
        e->taken = *taken;
        e->link = link;
        e->told = true;
        e->since_ns = tk_time_mono_ns();
        tk_list_append(&ledger->queue, &e->node);
        work_ledger_add(ledger, e);
        l->open++;
        ledger->queued++;
        if (ledger->watched || ledger->queued + ledger->running + ledger->overruns <= ledger->permits)
                return WORK_TAKE_OK;
        ledger->watched = true;
        return WORK_TAKE_WAITS;
}

int work_ledger_start(struct work_ledger *ledger, const struct work_key *key)
{
        TK_LOCKED(&ledger->lock);
        struct entry *e = work_ledger_find(ledger, key);
        if (!e || e->state != QUEUED)
                return WORK_START_E_DONE;
        e->state = RUNNING;
        tk_list_remove(&e->node);
        ledger->queued--;
        ledger->running++;
        return e->cancelled ? WORK_START_E_CANCELLED : WORK_START_OK;
}

void work_ledger_cancel(struct work_ledger *ledger, const struct work_key *key)
{
        TK_LOCKED(&ledger->lock);
        struct entry *e = work_ledger_find(ledger, key);
        if (e)
                e->cancelled = true;
}

bool work_ledger_cancelled(struct work_ledger *ledger, const struct work_key *key)
{
        TK_LOCKED(&ledger->lock);
        const struct entry *e = work_ledger_find(ledger, key);
        return e && e->cancelled;
}

bool work_ledger_done(struct work_ledger *ledger, const struct work_key *key, struct tk_buf *fields,
                      struct work_events *events, bool overrun, int *ret_link)
{
        TK_LOCKED(&ledger->lock);
        struct entry *e = work_ledger_find(ledger, key);
        *ret_link = WORK_NO_LINK;
        if (!e || !work_ledger_is_open(e)) {
                tk_buf_deinit(fields);
                work_events_free(events);
                return false;
        }
        if (e->state == QUEUED)
                ledger->queued--;
        else
                ledger->running--;
        tk_list_remove(&e->node);
        ledger->stalled &= overrun;
        work_ledger_link(ledger, e->link)->open--;
        ledger->unacked++;
        ledger->overruns += overrun;
        e->state = DONE;
        e->done_ns = tk_time_mono_ns();
        e->fields = *fields;
        e->events = events;
        *fields = (struct tk_buf){.max = fields->max};
        tk_list_append(&work_ledger_link(ledger, e->link)->waiting, &e->node);
        if (e->link == ledger->links_n)
                work_ledger_move(ledger, e, work_ledger_other_link(ledger, true));
        if (e->link < ledger->links_n)
                *ret_link = (int)e->link;
        return true;
}

void work_ledger_returned(struct work_ledger *ledger)
{
        TK_LOCKED(&ledger->lock);
        TK_CHECK(ledger->overruns > 0);
        ledger->overruns--;
        ledger->stalled = false;
}

static void give_back(struct work_ledger *ledger, struct entry *e)
{
        struct link *l = work_ledger_link(ledger, e->link);
        tk_list_remove(&e->node);
        tk_list_append(&l->returning, &e->node);
        e->state = DONE;
        e->returned = true;
        ledger->queued--;
        l->open--;
}

unsigned work_ledger_give_back(struct work_ledger *ledger, int64_t before_ns, int64_t *ret_oldest_ns)
{
        unsigned n = 0;
        TK_LOCKED(&ledger->lock);
        bool busy = ledger->running + ledger->overruns >= ledger->permits; /* else somebody is about to begin the oldest */
        *ret_oldest_ns = TK_TIME_NEVER;
        for (struct tk_list *node = ledger->queue.next, *after; node != &ledger->queue; node = after) {
                struct entry *e = tk_list_entry(node, struct entry, node);
                after = node->next;
                if (e->cancelled || !work_ledger_link(ledger, e->link)->takes_back)
                        continue;
                if (!busy || e->since_ns > before_ns) {
                        *ret_oldest_ns = e->since_ns;
                        break;
                }
                give_back(ledger, e);
                n++;
        }
        ledger->watched = *ret_oldest_ns != TK_TIME_NEVER;
        for (unsigned i = 0; n && i < ledger->links_n; i++)
                ledger->links[i].recall |= ledger->links[i].takes_back && ledger->links[i].outstanding;
        ledger->stalled |= n > 0;
        return n;
}

void work_ledger_recalled(struct work_ledger *ledger, unsigned link, unsigned steps)
{
        TK_LOCKED(&ledger->lock);
        struct link *l = work_ledger_link(ledger, link);
        l->outstanding -= steps < l->outstanding ? steps : l->outstanding;
}

bool work_ledger_open(struct work_ledger *ledger, const struct work_key *key)
{
        TK_LOCKED(&ledger->lock);
        const struct entry *e = work_ledger_find(ledger, key);
        return e && work_ledger_is_open(e);
}

/* Its part of what the links that are up may have together, at least one. */
static unsigned share_of(const struct work_ledger *ledger, const struct link *l, unsigned room)
{
        unsigned before = 0;
        for (const struct link *other = ledger->links; other < l; other++)
                before += other->up;
        unsigned share = room / ledger->up_n + (before < room % ledger->up_n);
        return share || !room ? share : 1;
}

/* What the link lacks to its share. */
static unsigned grant(struct work_ledger *ledger, struct link *l)
{
        if (!l->up || l->held_back || ledger->stopping || ledger->unacked >= ledger->unacked_max)
                return 0;
        if (ledger->stalled && ledger->running + ledger->overruns)
                return 0;
        unsigned taken = ledger->overruns + ledger->links[ledger->links_n].open;
        unsigned room = ledger->total > taken ? ledger->total - taken : 0;
        unsigned share = share_of(ledger, l, room);
        unsigned used = l->outstanding + l->open;
        return share > used ? share - used : 0;
}

bool work_ledger_collect(struct work_ledger *ledger, unsigned link, struct tk_buf *buf, size_t bytes_max,
                         unsigned *ret_credit)
{
        TK_LOCKED(&ledger->lock);
        struct link *l = work_ledger_link(ledger, link);
        size_t before = buf->len;
        for (struct tk_list *node; l->up && buf->len < bytes_max && (node = tk_list_pop(&l->waiting));) {
                struct entry *e = tk_list_entry(node, struct entry, node);
                tk_buf_put(buf, e->fields.data, e->fields.len);
                e->state = SENT;
        }
        *ret_credit = grant(ledger, l);
        l->outstanding += *ret_credit;
        return buf->len > before || *ret_credit;
}

bool work_ledger_ack(struct work_ledger *ledger, const struct work_key *key, int64_t *ret_took_ns, struct work_events **ret_events)
{
        TK_LOCKED(&ledger->lock);
        struct entry *e = work_ledger_find(ledger, key);
        *ret_took_ns = -1;
        *ret_events = NULL;
        if (!e || work_ledger_is_open(e))
                return false;
        bool returned = e->returned;
        if (!returned)
                *ret_took_ns = tk_time_mono_ns() - e->done_ns;
        *ret_events = e->events;
        e->events = NULL;
        work_ledger_forget(ledger, e);
        return !returned && ledger->unacked-- == ledger->unacked_max;
}

bool work_ledger_idle(struct work_ledger *ledger, unsigned link)
{
        TK_LOCKED(&ledger->lock);
        return !work_ledger_link(ledger, link)->entries;
}

bool work_ledger_acked(struct work_ledger *ledger, unsigned link)
{
        TK_LOCKED(&ledger->lock);
        return work_ledger_link(ledger, link)->entries == work_ledger_link(ledger, link)->open;
}

void work_ledger_numbers(struct work_ledger *ledger, struct work_ledger_numbers *ret)
{
        TK_LOCKED(&ledger->lock);
        *ret = (struct work_ledger_numbers){
                .queued = ledger->queued, .running = ledger->running, .unacknowledged = ledger->unacked,
                .orphans = ledger->links[ledger->links_n].entries, .overruns = ledger->overruns,
        };
        for (unsigned i = 0; i < ledger->links_n; i++)
                ret->credit += ledger->links[i].outstanding;
}
