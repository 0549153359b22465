/* SPDX-License-Identifier: MIT */
/* orchestrator/core/advance.c: see the header. */
#include "orchestrator/core/advance.h"
#include "model/growth.h"
#include "orchestrator/core/grow.h"

struct batch {
        struct orch_app *app;
        struct tk_pg *pg;
        struct orch_bodies *bodies;
        struct tk_arena *arena;
        struct orch_result *results;
        const bool *grows; /* one per result: it may let its graph grow */
        size_t n;
};

/* Those that may let their graph grow, or the others. */
static int some(const struct batch *b, bool grow, struct tk_err *err)
{
        struct orch_result *picked = TK_ARENA_ARRAY(b->arena, struct orch_result, b->n);
        size_t n = 0;
        for (size_t i = 0; i < b->n; i++)
                if (b->grows[i] == grow)
                        picked[n++] = b->results[i];
        if (!n)
                return 0;
        int r = grow ? orch_grow(b->app, b->pg, b->bodies, b->arena, picked, n, err)
                     : orch_settle(b->app, b->pg, b->arena, picked, n, NULL, NULL, err);
        for (size_t i = b->n; i-- > 0;)
                if (b->grows[i] == grow)
                        b->results[i].settled = picked[--n].settled;
        return r;
}

int orch_advance(struct orch_app *app, struct tk_pg *pg, struct orch_bodies *bodies, struct tk_arena *arena,
                 struct orch_result *results, size_t n, orch_stored_fn *stored, void *user, struct tk_err *err)
{
        bool *grows = TK_ARENA_ARRAY(arena, bool, n), any = false;
        for (size_t i = 0; i < n; i++)
                any |= grows[i] = results[i].success && tk_growth_suspected(results[i].json, results[i].json_len);
        if (!any)
                return orch_settle(app, pg, arena, results, n, stored, user, err);
        struct batch batch = {app, pg, bodies, arena, results, grows, n};
        int r = some(&batch, false, err);
        if (!r)
                r = some(&batch, true, err);
        if (!r)
                stored(user);
        return r;
}
