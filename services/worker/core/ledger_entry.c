/* SPDX-License-Identifier: MIT */
/* worker/core/ledger_entry.c: an attempt in the ledger: found, added, forgotten, given to a link. */
#include "base/check.h"
#include "base/mem.h"
#include "worker/core/ledger_internal.h"

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

struct entry *work_ledger_find(const struct work_ledger *ledger, const struct work_key *key)
{
        struct packed_key packed = pack(key);
        return tk_map_get(ledger->entries, packed.bytes, sizeof packed.bytes);
}

void work_ledger_add(struct work_ledger *ledger, struct entry *e)
{
        struct packed_key packed = pack(&e->taken.key);
        tk_map_put(ledger->entries, packed.bytes, sizeof packed.bytes, e);
        work_ledger_link(ledger, e->link)->entries++;
}

struct entry *work_ledger_next(const struct work_ledger *ledger, size_t *at)
{
        const void *key;
        size_t len;
        void *value;
        return tk_map_next(ledger->entries, at, &key, &len, &value) ? value : NULL;
}

struct link *work_ledger_link(struct work_ledger *ledger, unsigned at)
{
        TK_CHECK(at <= ledger->links_n);
        return &ledger->links[at];
}

bool work_ledger_is_open(const struct entry *e)
{
        return e->state == QUEUED || e->state == RUNNING;
}

void work_ledger_entry_free(struct entry *e)
{
        tk_list_remove(&e->node);
        tk_buf_deinit(&e->fields);
        work_events_free(e->events);
        tk_free(e);
}

void work_ledger_forget(struct work_ledger *ledger, struct entry *e)
{
        struct packed_key packed = pack(&e->taken.key);
        work_ledger_link(ledger, e->link)->entries--;
        tk_map_del(ledger->entries, packed.bytes, sizeof packed.bytes);
        work_ledger_entry_free(e);
}

void work_ledger_move(struct work_ledger *ledger, struct entry *e, unsigned to)
{
        struct link *from = work_ledger_link(ledger, e->link), *into = work_ledger_link(ledger, to);
        from->entries--;
        into->entries++;
        if (work_ledger_is_open(e)) {
                from->open--;
                into->open++;
        } else {
                e->state = DONE;
                tk_list_remove(&e->node);
                tk_list_append(e->returned ? &into->returning : &into->waiting, &e->node);
        }
        if (work_ledger_is_open(e) || e->returned) {
                e->told = false;
                into->untold = true;
        }
        e->link = to;
}

unsigned work_ledger_other_link(struct work_ledger *ledger, bool any)
{
        unsigned found = ledger->links_n;
        for (unsigned i = ledger->links_n; i-- > 0;)
                if (ledger->links[i].up && (!ledger->links[i].held_back || (any && found == ledger->links_n)))
                        found = i;
        return found;
}
