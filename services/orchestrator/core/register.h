/* SPDX-License-Identifier: MIT */
/* orchestrator/core/register.h: stores template versions, immutable by digest. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "pg/pg.h"

struct orch_app;
enum orch_registered {
        ORCH_REGISTERED,
        ORCH_REGISTERED_UNCHANGED,
        ORCH_REGISTERED_REPLACED,
        ORCH_REGISTERED_CONFLICT,
        ORCH_REGISTERED_INVALID
};
const char *orch_registered_name(enum orch_registered outcome); /* registered, unchanged, replaced, conflict, invalid */

struct orch_registration {
        enum orch_registered outcome;
        const char *ns, *name, *version; /* arena; "" while the file could not be read that far */
        char digest[65];
        const char *message; /* arena; for people: what is wrong (with file:line:column), or the warnings */
};
/* 0: ret is set, also for invalid ones. Positive: an outcome of pg/pg.h, nothing was stored. Publishes the change. */
TK_MUST int orch_register_template(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, const char *file,
                                   const void *yaml, size_t len, bool replace, struct orch_registration *ret,
                                   struct tk_err *err);
