/* SPDX-License-Identifier: MIT */
/* orchestrator/core/outbox.h: durable domain events. They commit with the result they belong to (tasker.settle_publishing), so there is
 * nothing to send afterwards and nothing to lose; consumers read the queue. Those of the orchestrator's own commit likewise, but that one with
 * a schema waits for a look at it (tasker._publish_settled). */
#pragma once
#include "orchestrator/core/settle.h"

/* Whether one of the results brings events, or was refused, so that the orchestrator must speak for its worker. */
bool orch_outbox_wanted(const struct orch_result *results, size_t n);
/* The last arguments of settle_publishing. */
void orch_outbox_args(struct tk_pg_args *args, struct tk_arena *arena, const struct orch_result *results, size_t n);
/* The database took exception to the result; its events may be the reason, and no event is worth a result: they are dropped, and
 * counted. False: it has none. */
bool orch_outbox_drop(struct orch_app *app, struct orch_result *result, const struct tk_err *why);
/* Looks at events of the orchestrator's own whose declarations have schemas: those that fit are published. *ret_more: there may be more
 * of them. 0, or the outcome of a statement. */
TK_MUST int orch_outbox_check(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, bool *ret_more, struct tk_err *err);
/* Removes what nobody read for long (events.retention, events.keep), and brings the queues' figures up to date. 0, or the outcome of
 * the statement. */
TK_MUST int orch_outbox_trim(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct tk_err *err);
