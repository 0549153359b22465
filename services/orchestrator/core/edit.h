/* SPDX-License-Identifier: MIT */
/* orchestrator/core/edit.h: another input for a task that is to run again: what becomes of it, and whether the task's template takes it. */
#pragma once
#include "base/arena.h"
#include "base/attr.h"
#include "base/uuid.h"
#include "orchestrator/core/bodies.h"
#include "pg/pg.h"
#include <stdbool.h>

enum { ORCH_EDIT_E_MISFIT = 201 }; /* its bounds, or the template's input_schema: err says which */
struct orch_edit {
        struct tk_uuid task;
        const char *context; /* an object as JSON text */
        bool patch;          /* a merge patch (RFC 7396) for what there is */
};
/* Within a transaction, whose lock on the task it takes first. *ret: the whole context, in the arena; NULL: there is no such task.
 * 0, E_MISFIT, or an outcome of pg/pg.h. */
TK_MUST int orch_edit_context(struct orch_bodies *bodies, struct tk_pg *pg, struct tk_arena *arena, const struct orch_edit *edit,
                              const char **ret, struct tk_err *err);
