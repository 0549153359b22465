/* SPDX-License-Identifier: MIT */
/* orchestrator/core/bodies.c: see the header. */
#include "orchestrator/core/bodies.h"
#include "base/map.h"
#include "base/mem.h"
#include "tk_sql.h"

enum { TEMPLATES_MAX = 256 };

struct orch_bodies {
        struct tk_map *by_digest;
};

struct orch_bodies *orch_bodies_new(void)
{
        struct orch_bodies *bodies = TK_NEW(struct orch_bodies);
        bodies->by_digest = tk_map_new();
        return bodies;
}

static void clear(struct orch_bodies *bodies)
{
        const void *key;
        size_t len;
        void *value;
        for (size_t at = 0; tk_map_next(bodies->by_digest, &at, &key, &len, &value);)
                tk_template_free(value);
        tk_map_free(bodies->by_digest);
}

struct orch_bodies *orch_bodies_free(struct orch_bodies *bodies)
{
        if (!bodies)
                return NULL;
        clear(bodies);
        return tk_free(bodies);
}

void orch_bodies_trim(struct orch_bodies *bodies)
{
        if (tk_map_count(bodies->by_digest) < TEMPLATES_MAX)
                return;
        clear(bodies);
        bodies->by_digest = tk_map_new();
}

int orch_bodies_get(struct orch_bodies *bodies, struct tk_pg *pg, struct tk_arena *arena, const char *digest,
                    const struct tk_template **ret, struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_template *tpl = tk_map_gets(bodies->by_digest, digest);
        struct tk_pg_args args;
        *ret = tpl;
        if (tpl)
                return 0;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_text(&args, digest);
        int r = tk_pg_query(pg, &tk_sql_cache_template, &args, &res, err);
        if (r)
                return r;
        int body = tk_pg_column(res, "body");
        if (!tk_pg_rows(res))
                return TK_ERR(err, TK_PG_E_INTERNAL, "template %.12s… of a task is not stored", digest);
        if (tk_template_parse_json(tk_pg_str(res, 0, body), tk_pg_len(res, 0, body), &tpl, err))
                return TK_PG_E_SERVER;
        tk_map_puts(bodies->by_digest, digest, tpl);
        *ret = tpl;
        return 0;
}
