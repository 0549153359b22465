/* SPDX-License-Identifier: MIT */
/* worker/core/ledger_internal.h: what ledger.c and ledger_links.c share, ledger_entry.c does; nobody else includes it. All under the lock. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "run/lock.h"
#include "worker/core/ledger.h"

enum state { QUEUED, RUNNING, DONE, SENT };

struct entry {
        struct tk_list node;    /* while QUEUED in `queue`, while DONE in `waiting` of its link, or in `returning`; else in none */
        struct work_taken taken;
        unsigned link;
        enum state state;
        bool cancelled;
        bool returned;          /* DONE or SENT without a result: given back */
        int64_t since_ns;       /* monotonic; it was taken */
        bool told;              /* the orchestrator of its link knows that we hold it */
        int64_t done_ns;        /* monotonic; its result came */
        struct tk_buf fields;   /* the encoded result */
        struct work_events *events; /* told when it is acknowledged; NULL: none */
};

struct link {
        struct tk_list waiting; /* entries with results to send, oldest first */
        struct tk_list returning; /* entries given back, to be told */
        unsigned outstanding;   /* credit granted and not used */
        unsigned open;          /* queued and running */
        unsigned entries;
        bool up, held_back;
        bool untold;            /* some of its open entries, or of those given back, may not be told */
        bool takes_back;        /* its orchestrator does */
        bool recall;            /* and is to be told that credit outstanding is void */
};

struct work_ledger {
        struct tk_lock lock;
        struct tk_map *entries; /* key → entry */
        struct tk_list queue;   /* QUEUED entries, oldest first */
        unsigned permits, total, total_max, unacked_max, links_n;
        unsigned queued, running, unacked, overruns, up_n;
        bool stopping;
        bool stalled;           /* something was given back, and no handler has ended since */
        bool watched;           /* somebody will look whether something has waited too long */
        struct link links[];    /* the last one holds the orphans */
};

struct entry *work_ledger_find(const struct work_ledger *ledger, const struct work_key *key);
/* Under its key, as one of its link. */
void work_ledger_add(struct work_ledger *ledger, struct entry *e);
/* Walks all entries: for (size_t at = 0; (e = work_ledger_next(ledger, &at));) */
struct entry *work_ledger_next(const struct work_ledger *ledger, size_t *at);
struct link *work_ledger_link(struct work_ledger *ledger, unsigned at);
bool work_ledger_is_open(const struct entry *e);
void work_ledger_entry_free(struct entry *e);
/* Out of the ledger and freed; it is in no account of a state any more. */
void work_ledger_forget(struct work_ledger *ledger, struct entry *e);
/* Gives the entry to another link. What may not have arrived is offered again; an orchestrator that did not send it is told first that we hold it. */
void work_ledger_move(struct work_ledger *ledger, struct entry *e, unsigned to);
/* A link that is up and will stay so, else with `any` one that is up, else the orphans' place. */
unsigned work_ledger_other_link(struct work_ledger *ledger, bool any);
