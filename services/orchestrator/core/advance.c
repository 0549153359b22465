/* SPDX-License-Identifier: MIT */
/* orchestrator/core/advance.c: see the header. */
#include "orchestrator/core/advance.h"
#include "base/log.h"
#include "json/json.h"
#include "model/growth.h"
#include "orchestrator/core/grow.h"
#include "orchestrator/core/sub_task.h"

enum way { PLAIN, GROWS, WAITS };
enum { DEPTH_MAX = 128 }; /* of a result: PostgreSQL looks into it on a stack, and every later look needs some more than the first */

struct batch {
        struct orch_app *app;
        struct tk_pg *pg;
        struct orch_bodies *bodies;
        struct tk_arena *arena;
        struct orch_result *results;
        const enum way *ways; /* one per result */
        size_t n;
};

static void bound(struct orch_result *result, struct tk_arena *arena)
{
        struct tk_err why = {0};
        if (!tk_json_deeper(result->json, result->json_len, DEPTH_MAX))
                return;
        (void)TK_ERR(&why, 1, "result: objects and arrays stand in each other more than %d deep", DEPTH_MAX);
        tk_log_warn("result.invalid", tk_err_text(&why), TK_STR("worker", result->worker));
        orch_settle_refuse(result, arena, "invalid_result", &why);
        result->sub_task = false;
}

static enum way way_of(const struct orch_result *result)
{
        if (result->sub_task)
                return WAITS;
        return result->success && tk_growth_suspected(result->json, result->json_len) ? GROWS : PLAIN;
}

/* Those that go one way. */
static int some(const struct batch *b, enum way way, struct tk_err *err)
{
        struct orch_result *picked = TK_ARENA_ARRAY(b->arena, struct orch_result, b->n);
        size_t n = 0;
        int r = 0;
        for (size_t i = 0; i < b->n; i++)
                if (b->ways[i] == way)
                        picked[n++] = b->results[i];
        if (!n)
                return 0;
        switch (way) {
        case PLAIN:
                r = orch_settle(b->app, b->pg, b->arena, picked, n, NULL, NULL, err);
                break;
        case GROWS:
                r = orch_grow(b->app, b->pg, b->bodies, b->arena, picked, n, err);
                break;
        case WAITS:
                r = orch_sub_tasks_start(b->app, b->pg, b->arena, picked, n, err);
                break;
        }
        for (size_t i = b->n; i-- > 0;)
                if (b->ways[i] == way)
                        b->results[i].settled = picked[--n].settled;
        return r;
}

int orch_advance(struct orch_app *app, struct tk_pg *pg, struct orch_bodies *bodies, struct tk_arena *arena,
                 struct orch_result *results, size_t n, orch_stored_fn *stored, void *user, struct tk_err *err)
{
        enum way *ways = TK_ARENA_ARRAY(arena, enum way, n);
        bool plain = true;
        for (size_t i = 0; i < n; i++)
                bound(&results[i], arena);
        for (size_t i = 0; i < n; i++)
                plain &= (ways[i] = way_of(&results[i])) == PLAIN;
        if (plain)
                return orch_settle(app, pg, arena, results, n, stored, user, err);
        struct batch batch = {app, pg, bodies, arena, results, ways, n};
        int r = some(&batch, PLAIN, err);
        if (!r)
                r = some(&batch, GROWS, err);
        if (!r)
                r = some(&batch, WAITS, err);
        if (!r)
                stored(user);
        return r;
}
