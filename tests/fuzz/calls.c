/* SPDX-License-Identifier: MIT */
/* Unary calls of tasker.dispatch.v1, as a peer that is not one of ours might make them. Input: a byte that says which one, then the
 * request. Everything is real up to the database, which is here (-Wl,--wrap) and refuses what it gets. Each call is answered, once; what
 * reaches the database is what its functions rely on. */
#include "fuzz/fuzz.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "json/json.h"
#include "orchestrator/actor/query.h"
#include "orchestrator/api/rpc_dispatch.h"
#include "orchestrator/app.h"
#include "pg/pg.h"
#include "tk_sql.h"
#include <string.h>

enum { ARENA_BLOCK = 16 * 1024, CHECKPOINT_MAX = 1024, UUID_BYTES = 16 };
#define ARENA_MAX ((size_t)256 << 20)

static unsigned answers;

int __wrap_orch_query_post(struct orch_app *app, orch_query_fn *fn, void *arg);
void __wrap_tk_rpc_reply(struct tk_rpc_call *call, enum tk_rpc_status status, const char *message, const void *data, size_t len);
int __wrap_tk_pg_query(struct tk_pg *pg, const struct tk_sql *sql, const struct tk_pg_args *args, struct tk_pg_result **ret_res, struct tk_err *err);

/* The query actor, at once. */
int __wrap_orch_query_post(struct orch_app *app, orch_query_fn *fn, void *arg)
{
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        (void)fn(app, (struct tk_pg *)app, arena, arg);
        return 0;
}

void __wrap_tk_rpc_reply(struct tk_rpc_call *call, enum tk_rpc_status status, const char *message, const void *data, size_t len)
{
        (void)call;
        (void)data;
        TK_CHECK(status == TK_RPC_OK ? len > 0 || !message : (message && *message));
        answers++;
}

/* A whole JSON value, and no NUL, which would end a text for libpq. */
static void check_json(const struct tk_pg_args *args, unsigned at, bool jsonb)
{
        const char *text = args->values[at] + jsonb; /* its format has a version before the text */
        size_t len = (size_t)args->lengths[at] - jsonb;
        TK_AUTOJSON json_t *value = NULL;
        struct tk_err err = {0};
        TK_CHECK(len && !memchr(text, 0, len));
        TK_CHECK(!tk_json_parse(text, len, &tk_json_limits_default, &value, &err));
}

static int64_t number(const struct tk_pg_args *args, unsigned at)
{
        uint64_t value = 0;
        for (int i = 0; i < args->lengths[at]; i++)
                value = value << 8 | (uint8_t)args->values[at][i];
        return args->lengths[at] == 4 ? (int32_t)value : (int64_t)value;
}

int __wrap_tk_pg_query(struct tk_pg *pg, const struct tk_sql *sql, const struct tk_pg_args *args, struct tk_pg_result **ret_res, struct tk_err *err)
{
        (void)pg;
        (void)ret_res;
        TK_CHECK(args->n == sql->params);
        if (sql == &tk_sql_engine_checkpoint_step) {
                TK_CHECK(args->lengths[0] == UUID_BYTES && args->lengths[1] == UUID_BYTES);
                TK_CHECK(number(args, 2) >= 1 && number(args, 2) <= INT16_MAX && number(args, 5) >= 0);
                check_json(args, 4, false);
                check_json(args, 6, false);
                TK_CHECK(args->lengths[4] + args->lengths[6] <= CHECKPOINT_MAX + (int)strlen("null"));
        } else if (sql == &tk_sql_engine_fetch_results) {
                TK_CHECK(args->lengths[0] == UUID_BYTES);
        } else {
                TK_CHECK(sql == &tk_sql_template_register);
                check_json(args, 6, true);
        }
        return TK_ERR(err, TK_PG_E_DATA, "refused");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
        static const struct tk_metric_row rows[] = {
#define METRIC(id, kind, label, help) {#id, TK_METRIC_##kind, label, help},
#include "orchestrator/tbl/metrics.h"
#undef METRIC
        };
        static struct orch_app *app;
        if (!app) {
                app = TK_NEW(struct orch_app);
                app->conf.checkpoint_bytes_max = CHECKPOINT_MAX;
                app->conf.lease = 30 * TK_NS_PER_S;
                app->metrics = tk_metrics_new(rows, ORCH_METRICS);
        }
        const struct tk_rpc_method *method = &orch_rpc_methods[len ? data[0] % orch_rpc_methods_n : 0];
        if (!method->unary) /* the stream: frames.c */
                return 0;
        answers = 0;
        method->unary((struct tk_rpc_call *)app, app, data + 1, len - 1);
        TK_CHECK(answers == 1);
        return 0;
}
