/* SPDX-License-Identifier: MIT */
/* orchestrator/core/settle.h: stores step results and advances their graphs, one transaction for all that wait. */
#pragma once
#include "orchestrator/app.h"
#include "orchestrator/core/sessions.h"
#include "pg/pg.h"

enum orch_settled { ORCH_SETTLED_PENDING, ORCH_SETTLED_STORED, ORCH_SETTLED_ALREADY, ORCH_SETTLED_STALE,
        ORCH_SETTLED_REFUSED /* stored, as a failure of ours */ };

/* What tasker.step_results keeps of an attempt's way: see its column `stages`. */
enum orch_stage { ORCH_STAGE_COMMITTED, ORCH_STAGE_RECEIVED, ORCH_STAGE_PERMIT, ORCH_STAGE_HANDLER, ORCH_STAGE_RETURNED, ORCH_STAGES };

struct orch_event { /* a durable domain event (docs/events.md) */
        const char *when;               /* condition, as tasker.settle_publishing knows it */
        const char *json;               /* need not end with NUL */
        size_t json_len;
};
struct orch_result {
        struct tk_uuid step, task;
        uint32_t attempt;
        int64_t token;
        bool success, retryable;
        bool sub_task;                  /* neither: json is a task to be run and waited for (core/sub_task.h) */
        int32_t delay_ms;               /* asked for by the handler; -1: none */
        int32_t exec_ms;
        int64_t stages[ORCH_STAGES];    /* µs; 0: unknown */
        char ns[ORCH_NAMESPACE_MAX];
        const char *json;               /* StepExecutionResult; need not end with NUL */
        size_t json_len;
        const char *worker;
        const struct orch_event *events; /* committed with it */
        unsigned events_n;
        bool refused;                   /* see orch_settle_refuse */
        bool alone;                     /* it raised: what it makes ready goes through the queue, where others look at it one by one */
        enum orch_settled settled;      /* out */
};
/* Settles n results none of which lets its graph grow (core/advance.h takes both kinds).
 * 0: every `settled` is set, and `stored(user)`, unless NULL, was called, once, after the commit: what it sends to a worker
 * leaves in one frame with the worker's next assignments. TK_PG_E_DOWN and other positive outcomes of pg/pg.h: nothing is known, say
 * it again. Domain events that the database refuses are dropped and counted, and their result is settled without. A result whose JSON it
 * refuses is settled as a permanent error "invalid_result", and where that fails too its step or task is set aside (core/apart.h); the others of the
 * batch are not affected. */
typedef void orch_stored_fn(void *user);
TK_MUST int orch_settle(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct orch_result *results, size_t n,
                        orch_stored_fn *stored, void *user, struct tk_err *err);

/* The two halves of settling without what orch_settle does around it, for who has a transaction of its own: the statement, and
 * what is told once it is committed. After a statement that succeeded one of tell and drop must be called. */
struct orch_settling {
        struct orch_reservation *credit;
        struct tk_pg_result *res;
};
TK_MUST int orch_settle_query(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, const struct orch_result *results,
                              size_t n, struct orch_settling *ret, struct tk_err *err);
void orch_settle_tell(struct orch_app *app, struct orch_settling *settling, struct orch_result *results, size_t n);
void orch_settle_drop(struct orch_settling *settling);
/* The next thing to give up for a result that raises alone (tk_pg_one_row): an eager hand-over of what it makes ready, its events, itself.
 * False: nothing is left. */
bool orch_settle_yield(struct orch_app *app, struct orch_result *result, struct tk_arena *arena, const struct tk_err *why);
/* Nothing was left, and err says what raised: its step or task is set aside, the worker is told that it was refused. 0, or the outcome of that. */
TK_MUST int orch_settle_set_aside(struct orch_app *app, struct tk_pg *pg, struct orch_result *result, struct tk_err *err);
/* Makes the result a permanent error of this type; its document is replaced, its events are not published. */
void orch_settle_refuse(struct orch_result *result, struct tk_arena *arena, const char *type, const struct tk_err *cause);
