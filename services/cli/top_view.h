/* SPDX-License-Identifier: MIT */
/* cli/top_view.h: what two answers of GET /v1/debug/runtime, some time apart, say about a process. Pure. */
#pragma once
#include "base/buf.h"
#include "cli/term.h"
#include "json/json.h"

enum cli_top_sort { CLI_TOP_BY_NAME /* the order of the service */, CLI_TOP_BY_BUSY, CLI_TOP_BY_DEPTH, CLI_TOP_SORTS };

struct cli_top_actor {
        const char *name, *state;  /* ok, idle, busy, backlog, full, stalled, down; borrowed or static */
        const char *current;       /* kind of message it works on; NULL: it waits */
        double threads, busy;      /* busy: part of the time of all its threads, 0 to 1 */
        double messages, batch;    /* a second; messages a batch */
        double wait_ms;            /* of one message in the mailbox, mean */
        double depth, capacity, high_water, refused; /* refused: a second */
};
/* Figures of one actor between two samples of it (objects of "actors"). seconds: between them. */
void cli_top_actor(const json_t *before, const json_t *now, double seconds, struct cli_top_actor *ret);

/* A process as text: a headline, its metrics that move, a table of its actors; with `times` how long everything takes: waits in
 * mailboxes and for permits, batches, statements, turns of event loops, late timers. before may be NULL: totals instead of rates are
 * not shown then, only what stands still. */
void cli_top_put(const json_t *before, const json_t *now, const char *url, enum cli_top_sort sort, bool times,
                 const struct cli_term *term, struct tk_buf *out);
/* The same figures for programs. Yours to decref. */
json_t *cli_top_json(const json_t *before, const json_t *now, const char *url);
