/* SPDX-License-Identifier: MIT */
/* worker/core/ledger.c: see the header. Orphans are kept as attempts of one more link that is never up. */
#include "worker/core/ledger.h"
#include "base/check.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"
#include "run/lock.h"

enum state { QUEUED, RUNNING, DONE, SENT };

struct entry {
        struct tk_list node;    /* in `waiting` of its link while DONE, else in none */
        struct work_taken taken;
        unsigned link;
        enum state state;
        bool cancelled;
        bool told;              /* the orchestrator of its link knows that we hold it */
        int64_t done_ns;        /* monotonic; its result came */
        struct tk_buf fields;   /* the encoded result */
        struct work_events *events; /* told when it is acknowledged; NULL: none */
};

struct link {
        struct tk_list waiting; /* entries with results to send, oldest first */
        unsigned outstanding;   /* credit granted and not used */
        unsigned open;          /* queued and running */
        unsigned entries;
        bool up, held_back;
        bool untold;            /* some of its open entries may not be told */
};

struct work_ledger {
        struct tk_lock lock;
        struct tk_map *entries; /* key → entry */
        unsigned total, total_max, unacked_max, links_n;
        unsigned queued, running, unacked, overruns, up_n;
        bool stopping;
        struct link links[];    /* the last one holds the orphans */
};

struct packed_key {
        uint8_t bytes[20];
};

static struct packed_key pack(const struct work_key *key)
{
        struct packed_key packed;
        memcpy(packed.bytes, key->step.b, sizeof key->step.b);
        memcpy(packed.bytes + sizeof key->step.b, &key->attempt, sizeof key->attempt);
        return packed;
}

static struct entry *find(const struct work_ledger *ledger, const struct work_key *key)
{
        struct packed_key packed = pack(key);
        return tk_map_get(ledger->entries, packed.bytes, sizeof packed.bytes);
}

/* Walks all entries: for (size_t at = 0; (e = next(ledger, &at));) */
static struct entry *next(const struct work_ledger *ledger, size_t *at)
{
        const void *key;
        size_t len;
        void *value;
        return tk_map_next(ledger->entries, at, &key, &len, &value) ? value : NULL;
}

static struct link *link_of(struct work_ledger *ledger, unsigned at)
{
        TK_CHECK(at <= ledger->links_n);
        return &ledger->links[at];
}

static bool is_open(const struct entry *e)
{
        return e->state == QUEUED || e->state == RUNNING;
}

struct work_ledger *work_ledger_new(unsigned links, unsigned total_max, unsigned unacked_max)
{
        struct work_ledger *ledger = tk_zalloc(sizeof *ledger + (links + 1) * sizeof ledger->links[0]);
        TK_CHECK(total_max > 0 && unacked_max > 0);
        tk_lock_init(&ledger->lock, "ledger");
        ledger->entries = tk_map_new();
        ledger->total = ledger->total_max = total_max;
        ledger->unacked_max = unacked_max;
        ledger->links_n = links;
        for (unsigned i = 0; i <= links; i++)
                tk_list_init(&ledger->links[i].waiting);
        return ledger;
}

void work_ledger_set_total(struct work_ledger *ledger, unsigned total)
{
        TK_LOCKED(&ledger->lock);
        ledger->total = total < ledger->total_max ? total : ledger->total_max;
}

static void entry_free(struct entry *e)
{
        tk_list_remove(&e->node);
        tk_buf_deinit(&e->fields);
        work_events_free(e->events);
        tk_free(e);
}

struct work_ledger *work_ledger_free(struct work_ledger *ledger)
{
        struct entry *e;
        if (!ledger)
                return NULL;
        for (size_t at = 0; (e = next(ledger, &at));)
                entry_free(e);
        tk_map_free(ledger->entries);
        tk_lock_deinit(&ledger->lock);
        return tk_free(ledger);
}

/* Gives the entry to another link. A result that may not have arrived is offered again. */
static void move(struct work_ledger *ledger, struct entry *e, unsigned to)
{
        struct link *from = link_of(ledger, e->link), *into = link_of(ledger, to);
        from->entries--;
        into->entries++;
        if (is_open(e)) {
                from->open--;
                into->open++;
                e->told = false;
                into->untold = true;
        } else {
                e->state = DONE;
                tk_list_remove(&e->node);
                tk_list_append(&into->waiting, &e->node);
        }
        e->link = to;
}

enum which { OPEN = 1, RESULTS = 2 };

static void move_all(struct work_ledger *ledger, unsigned from, unsigned to, unsigned which)
{
        struct entry *e;
        for (size_t at = 0; from != to && (e = next(ledger, &at));)
                if (e->link == from && (which & (is_open(e) ? OPEN : RESULTS)))
                        move(ledger, e, to);
}

/* Copies the entries of a link, all or those that are to be told, and counts them as told. */
static struct work_taken *tell(struct work_ledger *ledger, unsigned link, bool all, size_t *ret_n)
{
        struct entry *e;
        struct work_taken *held = tk_calloc(link_of(ledger, link)->entries + 1, sizeof *held);
        *ret_n = 0;
        for (size_t at = 0; (e = next(ledger, &at));) {
                if (e->link != link || !(all || (is_open(e) && !e->told)))
                        continue;
                held[(*ret_n)++] = e->taken;
                e->told = true;
        }
        link_of(ledger, link)->untold = false;
        return held;
}

struct work_taken *work_ledger_adopt(struct work_ledger *ledger, unsigned link, size_t *ret_n)
{
        TK_LOCKED(&ledger->lock);
        move_all(ledger, ledger->links_n, link, OPEN | RESULTS);
        return tell(ledger, link, true, ret_n);
}

struct work_taken *work_ledger_untold(struct work_ledger *ledger, unsigned link, size_t *ret_n)
{
        TK_LOCKED(&ledger->lock);
        *ret_n = 0;
        return link_of(ledger, link)->untold ? tell(ledger, link, false, ret_n) : NULL;
}

void work_ledger_up(struct work_ledger *ledger, unsigned link)
{
        TK_LOCKED(&ledger->lock);
        struct link *l = link_of(ledger, link);
        ledger->up_n += !l->up;
        l->up = true;
        l->held_back = false;
}

/* A link that is up and will stay so, else with `any` one that is up, else the orphans' place. */
static unsigned other_link(struct work_ledger *ledger, bool any)
{
        unsigned found = ledger->links_n;
        for (unsigned i = ledger->links_n; i-- > 0;)
                if (ledger->links[i].up && (!ledger->links[i].held_back || (any && found == ledger->links_n)))
                        found = i;
        return found;
}

void work_ledger_down(struct work_ledger *ledger, unsigned link)
{
        TK_LOCKED(&ledger->lock);
        struct link *l = link_of(ledger, link);
        ledger->up_n -= l->up;
        l->up = l->held_back = false;
        l->outstanding = 0;
        move_all(ledger, link, other_link(ledger, false), OPEN);
        move_all(ledger, link, other_link(ledger, true), RESULTS);
}

void work_ledger_hand_over(struct work_ledger *ledger, unsigned link)
{
        TK_LOCKED(&ledger->lock);
        link_of(ledger, link)->held_back = true;
        unsigned to = other_link(ledger, false);
        if (to < ledger->links_n)
                move_all(ledger, link, to, OPEN);
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
                use_credit(link_of(ledger, link));
        e->taken = *taken;
        move(ledger, e, link);
        e->told = true;
        return WORK_TAKE_E_KNOWN;
}

int work_ledger_take(struct work_ledger *ledger, unsigned link, const struct work_taken *taken)
{
        struct packed_key packed = pack(&taken->key);
        TK_LOCKED(&ledger->lock);
        struct link *l = link_of(ledger, link);
        struct entry *e = find(ledger, &taken->key);
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
        tk_map_put(ledger->entries, packed.bytes, sizeof packed.bytes, e);
        l->entries++;
        l->open++;
        ledger->queued++;
        return WORK_TAKE_OK;
}

int work_ledger_start(struct work_ledger *ledger, const struct work_key *key)
{
        TK_LOCKED(&ledger->lock);
        struct entry *e = find(ledger, key);
        if (!e || e->state != QUEUED)
                return WORK_START_E_DONE;
        e->state = RUNNING;
        ledger->queued--;
        ledger->running++;
        return e->cancelled ? WORK_START_E_CANCELLED : WORK_START_OK;
}

void work_ledger_cancel(struct work_ledger *ledger, const struct work_key *key)
{
        TK_LOCKED(&ledger->lock);
        struct entry *e = find(ledger, key);
        if (e)
                e->cancelled = true;
}

bool work_ledger_cancelled(struct work_ledger *ledger, const struct work_key *key)
{
        TK_LOCKED(&ledger->lock);
        const struct entry *e = find(ledger, key);
        return e && e->cancelled;
}

bool work_ledger_done(struct work_ledger *ledger, const struct work_key *key, struct tk_buf *fields,
                      struct work_events *events, bool overrun, int *ret_link)
{
        TK_LOCKED(&ledger->lock);
        struct entry *e = find(ledger, key);
        *ret_link = WORK_NO_LINK;
        if (!e || !is_open(e)) {
                tk_buf_deinit(fields);
                work_events_free(events);
                return false;
        }
        if (e->state == QUEUED)
                ledger->queued--;
        else
                ledger->running--;
        link_of(ledger, e->link)->open--;
        ledger->unacked++;
        ledger->overruns += overrun;
        e->state = DONE;
        e->done_ns = tk_time_mono_ns();
        e->fields = *fields;
        e->events = events;
        *fields = (struct tk_buf){.max = fields->max};
        tk_list_append(&link_of(ledger, e->link)->waiting, &e->node);
        if (e->link == ledger->links_n)
                move(ledger, e, other_link(ledger, true));
        if (e->link < ledger->links_n)
                *ret_link = (int)e->link;
        return true;
}

void work_ledger_returned(struct work_ledger *ledger)
{
        TK_LOCKED(&ledger->lock);
        TK_CHECK(ledger->overruns > 0);
        ledger->overruns--;
}

bool work_ledger_open(struct work_ledger *ledger, const struct work_key *key)
{
        TK_LOCKED(&ledger->lock);
        const struct entry *e = find(ledger, key);
        return e && is_open(e);
}

/* What the link lacks to its share. */
static unsigned grant(struct work_ledger *ledger, struct link *l)
{
        if (!l->up || l->held_back || ledger->stopping || ledger->unacked >= ledger->unacked_max)
                return 0;
        unsigned taken = ledger->overruns + ledger->links[ledger->links_n].open;
        unsigned room = ledger->total > taken ? ledger->total - taken : 0;
        unsigned share = (room + ledger->up_n - 1) / ledger->up_n;
        unsigned used = l->outstanding + l->open;
        return share > used ? share - used : 0;
}

bool work_ledger_collect(struct work_ledger *ledger, unsigned link, struct tk_buf *buf, size_t bytes_max,
                         unsigned *ret_credit)
{
        TK_LOCKED(&ledger->lock);
        struct link *l = link_of(ledger, link);
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
        struct packed_key packed = pack(key);
        TK_LOCKED(&ledger->lock);
        struct entry *e = find(ledger, key);
        *ret_took_ns = -1;
        *ret_events = NULL;
        if (!e || is_open(e))
                return false;
        *ret_took_ns = tk_time_mono_ns() - e->done_ns;
        *ret_events = e->events;
        e->events = NULL;
        link_of(ledger, e->link)->entries--;
        tk_map_del(ledger->entries, packed.bytes, sizeof packed.bytes);
        entry_free(e);
        return ledger->unacked-- == ledger->unacked_max;
}

bool work_ledger_idle(struct work_ledger *ledger, unsigned link)
{
        TK_LOCKED(&ledger->lock);
        return !link_of(ledger, link)->entries;
}

bool work_ledger_acked(struct work_ledger *ledger, unsigned link)
{
        TK_LOCKED(&ledger->lock);
        return link_of(ledger, link)->entries == link_of(ledger, link)->open;
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
