/* SPDX-License-Identifier: MIT */
/* orchestrator/core/staleness.h: the rare look for tasks that stand still, and the tidying up of the dead-letter queue. In pages, so that
 * neither a million open tasks nor as many entries make one long statement. */
#pragma once
#include "base/arena.h"
#include "orchestrator/app.h"
#include "pg/pg.h"

struct orch_staleness { /* zero it, then set next_ns; of one thread */
        int64_t next_ns;        /* monotonic: when there is something to do */
        bool detects;           /* first entries are tidied up, page by page, then tasks are judged */
        bool again;             /* the page before was not the last: go on after `after` */
        struct tk_uuid after;
        unsigned found, pending; /* tasks of this look; entries that stay pending */
        bool resumes;           /* the last look found as many as it may: the next one begins after `resume` */
        struct tk_uuid resume;
};
/* Does a page when it is time and sets next_ns; what fails is logged and tried again with the next look. */
void orch_staleness_look(struct orch_staleness *look, struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, int64_t now_ns);

/* An entry was closed: how, and how long it had been pending. */
void orch_dead_letter_closed(struct orch_app *app, const char *how, int64_t pending_ns);

/* The limits, as the SQL functions take them; the limits and the served namespaces. */
void orch_staleness_limits(struct orch_app *app, struct tk_pg_args *args);
void orch_staleness_args(struct orch_app *app, struct tk_pg_args *args);
