/* SPDX-License-Identifier: MIT */
/* orchestrator/core/rows.c: see the header. */
#include "orchestrator/core/rows.h"
#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/probe.h"
#include "base/str.h"
#include "orchestrator/core/after.h"
#include "orchestrator/core/apart.h"
#include "orchestrator/core/assignment.h"
#include "orchestrator/core/db.h"
#include "orchestrator/core/waiters.h"

static void assign_row(struct orch_app *app, const struct orch_assignment_columns *cols, const struct tk_pg_result *res,
                       int row, struct orch_reservation *credit, const char *path, struct tk_buf *buf)
{
        struct orch_held held;
        tk_buf_reset(buf);
        orch_assignment_encode(res, cols, row, &held, buf);
        struct orch_session *s = orch_reservation_take(credit, held.ns);
        TK_CHECK(s); /* the function never assigns more than it was given */
        TK_PROBE(step_ready, &held.step, &held.task, held.attempt, path);
        tk_log_debug("step.assigned", NULL, TK_STR("task_uuid", tk_pg_str(res, row, cols->task)),
                     TK_STR("step_uuid", tk_pg_str(res, row, cols->step)),
                     TK_STR("correlation_id", tk_pg_str(res, row, cols->correlation)),
                     TK_STR("parent_correlation_id", tk_pg_is_null(res, row, cols->parent) ? NULL : tk_pg_str(res, row, cols->parent)),
                     TK_STR("step_name", tk_pg_str(res, row, cols->step_name)), TK_INT("attempt", tk_pg_i64(res, row, cols->attempt)));
        bool sent = orch_session_assign(s, &held, buf->data, buf->len);
        if (!sent)
                app->after->release(app, &held, 1, NULL); /* the worker left meanwhile: never sent */
        orch_session_unref(s);
}

/* A task came to a state in which it rests or ends. */
static void done_row(struct orch_app *app, const struct tk_uuid *task, const char *state)
{
        if (!orch_state_rests(state))
                return;
        orch_count_l(app, tasks_finished_total, state);
        TK_PROBE(task_finalised, task, state);
        orch_waiters_notify(app->waiters, task);
        app->after->rests(app, task);
}

static void dead_letter_row(struct orch_app *app, const struct orch_assignment_columns *cols, const struct tk_pg_result *res, int row)
{
        const char *reason = tk_pg_str(res, row, cols->step_name);
        orch_count_l(app, dlq_entries_created_total, reason);
        tk_log_warn("dlq.entered", "A task is in the dead-letter queue.", TK_STR("task_uuid", tk_pg_str(res, row, cols->task)),
                    TK_STR("dlq_entry_uuid", tk_pg_str(res, row, cols->step)), TK_STR("namespace", tk_pg_str(res, row, cols->ns)),
                    TK_STR("reason", reason));
}

/* The orchestrator spoke for a worker, or could not. */
static void unpublished_row(struct orch_app *app, const struct orch_assignment_columns *cols, const struct tk_pg_result *res, int row)
{
        const char *reason = tk_pg_str(res, row, cols->reason);
        orch_count_l(app, events_failed_total, reason);
        tk_log_warn("event.failed", "A durable domain event could not be published.", TK_STR("event", tk_pg_str(res, row, cols->step_name)),
                    TK_STR("reason", reason), TK_STR("namespace", tk_pg_str(res, row, cols->ns)),
                    TK_STR("task_uuid", tk_pg_str(res, row, cols->task)), TK_STR("step_uuid", tk_pg_str(res, row, cols->step)));
}

void orch_rows_apply(struct orch_app *app, const struct tk_pg_result *res, struct orch_reservation *credit,
                     const char *path, orch_row_fn *fn, void *user)
{
        struct orch_assignment_columns cols;
        orch_assignment_columns(res, &cols);
        int kind_col = tk_pg_column(res, "kind"), idx_col = tk_pg_column(res, "idx"), due_col = tk_pg_column(res, "due_at");
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, SIZE_MAX / 2);
        unsigned assigned = 0;
        for (int row = 0; row < tk_pg_rows(res); row++) {
                const char *kind = tk_pg_str(res, row, kind_col);
                int idx = (int)tk_pg_i64(res, row, idx_col);
                if (tk_streq(kind, "assign")) {
                        assign_row(app, &cols, res, row, credit, path, &buf);
                        assigned++;
                        continue;
                }
                if (tk_streq(kind, "queued")) {
                        const char *ns = tk_pg_str(res, row, cols.ns);
                        tk_metric_add(app->metrics, ORCH_M_steps_queued_total, idx);
                        TK_PROBE(steps_enqueued, ns, idx);
                        orch_queue_mark(app->sessions, ns);
                        app->after->queued(app, ns);
                        continue;
                }
                if (tk_streq(kind, "published")) {
                        tk_metric_add(app->metrics, ORCH_M_events_own_total, tk_pg_i64(res, row, cols.attempt));
                        continue;
                }
                if (tk_streq(kind, "unpublished")) {
                        unpublished_row(app, &cols, res, row);
                        continue;
                }
                if (tk_streq(kind, "set_aside")) {
                        orch_apart_tell(app, tk_pg_str(res, row, cols.task), tk_pg_str(res, row, cols.step), tk_pg_str(res, row, cols.step_name),
                                        tk_pg_str(res, row, cols.reason));
                        continue;
                }
                if (tk_streq(kind, "dead_letter")) {
                        dead_letter_row(app, &cols, res, row);
                        continue;
                }
                struct orch_row r = {
                        .kind = kind,
                        .idx = idx,
                        .step = tk_pg_uuid(res, row, cols.step),
                        .task = tk_pg_uuid(res, row, cols.task),
                        .attempt = (int)tk_pg_i64(res, row, cols.attempt),
                        .in_progress = (int)tk_pg_i64(res, row, cols.attempt),
                        .pending = (int)tk_pg_i64(res, row, cols.step_no),
                        .text = tk_pg_str(res, row, cols.step_name),
                        .due_ns = tk_pg_time(res, row, due_col),
                };
                tk_log_debug("rows.outcome", NULL, TK_STR("outcome", kind), TK_STR("task_uuid", tk_pg_str(res, row, cols.task)),
                             TK_STR("step_uuid", tk_pg_str(res, row, cols.step)), TK_INT("attempt", r.attempt));
                if (tk_streq(kind, "done"))
                        done_row(app, &r.task, r.text);
                else if (tk_streq(kind, "timer"))
                        app->after->timer(app, r.due_ns);
                else if (tk_streq(kind, "relatives"))
                        app->after->relatives(app);
                else if (tk_streq(kind, "unchecked"))
                        app->after->unchecked(app);
                else if (tk_streq(kind, "called_off"))
                        orch_sessions_cancel(app->sessions, &r.step, (uint32_t)r.attempt, *r.text ? r.text : "taken over by a person");
                else
                        fn(user, &r);
        }
        if (assigned)
                tk_metric_add_l(app->metrics, ORCH_M_steps_dispatched_total, path, assigned);
}

void orch_rows_credit_args(struct tk_pg_args *args, const struct orch_reservation *credit, const char *const *ns, size_t n)
{
        int32_t *counts = TK_ARENA_ARRAY(args->arena, int32_t, n ? n : 1);
        for (size_t i = 0; i < n; i++)
                counts[i] = (int32_t)orch_reservation_count(credit, ns[i]);
        tk_pg_arg_text_array(args, ns, n);
        tk_pg_arg_i32_array(args, counts, n);
}
