/* SPDX-License-Identifier: MIT */
/* orchestrator/core/rows.h: all engine functions answer with rows of one shape: a kind, an index and the columns of an
 * assignment. What every caller does alike is done here, after the commit: assignments go to the workers whose credit was
 * reserved, queued namespaces are marked and hinted, timers are armed, workers are told what was taken from them, tasks that came
 * to rest are announced, entries in the dead-letter queue and tasks that were set aside told, domain events of the orchestrator's own counted. */
#pragma once
#include "orchestrator/app.h"
#include "orchestrator/core/sessions.h"
#include "pg/pg.h"

struct orch_row { /* what callers look at in rows of their own kinds; borrowed from the result */
        const char *kind;
        int idx;
        struct tk_uuid step, task;
        int attempt;
        int in_progress, pending; /* of kind 'created': its steps, in the columns attempt and step_no */
        const char *text; /* the column step_name: what the kind says it is */
        int64_t due_ns; /* wall clock; 0: none. Kind 'created': when */
};
typedef void orch_row_fn(void *user, const struct orch_row *row);

/* Assignments leave when `credit` is freed: all of one worker, and what else is sent to it until then, in one frame. It may be NULL
 * for a function that was given none.
 * fn gets every row that is not 'assign', 'queued', 'timer', 'relatives', 'called_off', 'done', 'dead_letter', 'set_aside', 'published',
 * 'unpublished' or 'unchecked'.
 * path labels the dispatch metric: eager, queue, timer. */
void orch_rows_apply(struct orch_app *app, const struct tk_pg_result *res, struct orch_reservation *credit,
                     const char *path, orch_row_fn *fn, void *user);

/* The credit arrays every engine function takes: (namespaces, counts). */
void orch_rows_credit_args(struct tk_pg_args *args, const struct orch_reservation *credit, const char *const *ns, size_t n);
