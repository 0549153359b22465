/* SPDX-License-Identifier: MIT */
/* tbl/states.h: the states of tasks and steps, one list for C, SQL (checked by a test), JSON and metrics.
 * STATE(id, "name", terminal, satisfies) – satisfies: children may run / counts as done. */
#define TK_TASK_STATES(STATE)                                  \
        STATE(PENDING, "pending", 0, 0)                        \
        STATE(INITIALIZING, "initializing", 0, 0)              \
        STATE(ENQUEUING_STEPS, "enqueuing_steps", 0, 0)        \
        STATE(STEPS_IN_PROCESS, "steps_in_process", 0, 0)      \
        STATE(EVALUATING_RESULTS, "evaluating_results", 0, 0)  \
        STATE(WAITING_FOR_DEPENDENCIES, "waiting_for_dependencies", 0, 0) \
        STATE(WAITING_FOR_RETRY, "waiting_for_retry", 0, 0)    \
        STATE(BLOCKED_BY_FAILURES, "blocked_by_failures", 0, 0) \
        STATE(COMPLETE, "complete", 1, 1)                      \
        STATE(ERROR, "error", 1, 0)                            \
        STATE(CANCELLED, "cancelled", 1, 0)                    \
        STATE(RESOLVED_MANUALLY, "resolved_manually", 1, 1)

#define TK_STEP_STATES(STATE)                                  \
        STATE(PENDING, "pending", 0, 0)                        \
        STATE(ENQUEUED, "enqueued", 0, 0)                      \
        STATE(IN_PROGRESS, "in_progress", 0, 0)                \
        STATE(ENQUEUED_FOR_ORCHESTRATION, "enqueued_for_orchestration", 0, 0) \
        STATE(ENQUEUED_AS_ERROR_FOR_ORCHESTRATION, "enqueued_as_error_for_orchestration", 0, 0) \
        STATE(WAITING_FOR_RETRY, "waiting_for_retry", 0, 0)    \
        STATE(COMPLETE, "complete", 1, 1)                      \
        STATE(ERROR, "error", 0, 0)                            \
        STATE(CANCELLED, "cancelled", 1, 0)                    \
        STATE(RESOLVED_MANUALLY, "resolved_manually", 1, 1)
