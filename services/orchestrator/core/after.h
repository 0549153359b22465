/* SPDX-License-Identifier: MIT */
/* orchestrator/core/after.h: what follows a commit. Core says what happened; actors carry it further. The app fills the
 * table, so that core knows no actor. All may be called from any thread and never block. */
#pragma once
#include "orchestrator/core/sessions.h"

struct orch_app;
struct orch_after {
        /* Takes assignments back. lost[i]: the worker may have run it; lost NULL: none of them was ever sent. Copies. */
        void (*release)(struct orch_app *app, const struct orch_held *held, size_t n, const bool *lost);
        void (*queued)(struct orch_app *app, const char *ns);                   /* steps lie in this namespace's queue */
        void (*rests)(struct orch_app *app, const struct tk_uuid *task);        /* a task came to rest */
        void (*relatives)(struct orch_app *app);                                /* a sub-task, or who waits for one, is to be looked at */
        void (*unchecked)(struct orch_app *app);                                /* a domain event waits for a look at its schema */
        void (*timer)(struct orch_app *app, int64_t due_wall_ns);               /* a timer was stored */
        void (*renamed)(struct orch_app *app, const char *ns, const char *name, const char *version); /* names another digest now */
};
