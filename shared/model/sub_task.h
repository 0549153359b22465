/* SPDX-License-Identifier: MIT */
/* model/sub_task.h: the task a step wants to have run and waits for, as its worker hands it in. Pure: no I/O.
 *   {"name", "version", "context": object, and, where they differ from what is inherited: "namespace" (the step's), "reason", "tags",
 *    "priority" (the parent's), "wait_blocked" (false)}
 * Limits are those of every other task request. */
#pragma once
#include "model/task_request.h"

struct tk_sub_task {
        struct tk_task_request req; /* initiator: NULL, it is the parent's */
        bool has_priority;          /* else it is the parent's */
        bool wait_blocked;          /* see tkw_start_task */
};
/* ns, step_name: of the step. All strings live in the arena. 0, or an outcome of model/task_request.h with err. */
TK_MUST int tk_sub_task_parse(const void *json, size_t len, const char *ns, struct tk_arena *arena, struct tk_sub_task *ret, struct tk_err *err);
/* Who wants it in which attempt, so that it is made once. */
void tk_sub_task_identity(const struct tk_uuid *step, uint32_t attempt, uint8_t ret_hash[32]);
