/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rpc_checkpoint.c: how far a running step has come, stored before it goes on. */
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "json/json.h"
#include "orchestrator/api/rpc_job.h"
#include "rpc/pack.h"
#include "tasker/dispatch/v1/dispatch.pb-c.h"
#include "tk_sql.h"
#include <stdio.h>

enum { HISTORY_MAX = 32, WHY_MAX = 256 };
typedef Tasker__Dispatch__V1__CheckpointRequest checkpoint_request;

static bool is_json(const ProtobufCBinaryData *bytes, const char *what, char why[WHY_MAX])
{
        static const struct tk_json_limits limits = {
                .bytes_max = 64u << 20, .depth_max = 64, .entries_max = 1000000, .string_max = 64u << 20};
        TK_AUTOJSON json_t *value = NULL;
        struct tk_err err = {0};
        if (!tk_json_parse((const char *)bytes->data, bytes->len, &limits, &value, &err))
                return true;
        snprintf(why, WHY_MAX, "the checkpoint's %s: %s", what, tk_err_text(&err));
        return false;
}

/* Whether it can be stored; else why not. */
static bool check(const struct orch_app *app, const checkpoint_request *request, char why[WHY_MAX])
{
        if (!request || request->step_uuid.len != sizeof(struct tk_uuid) || request->task_uuid.len != sizeof(struct tk_uuid) ||
            !request->attempt || request->attempt > INT16_MAX || request->items_processed < 0) {
                snprintf(why, WHY_MAX, "Checkpoint wants UUIDs of 16 bytes, an attempt from 1 to 32767 and items_processed of 0 or more");
                return false;
        }
        size_t bytes = request->cursor_json.len + request->accumulated_results_json.len;
        if (bytes > app->conf.checkpoint_bytes_max) {
                snprintf(why, WHY_MAX, "cursor and accumulated results have %zu bytes together, %llu are allowed (checkpoint.bytes_max)", bytes,
                         (unsigned long long)app->conf.checkpoint_bytes_max);
                return false;
        }
        return is_json(&request->cursor_json, "cursor", why) &&
               (!request->accumulated_results_json.len || is_json(&request->accumulated_results_json, "accumulated results", why));
}

static int store(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, const checkpoint_request *request,
                 struct tk_pg_result **ret, struct tk_err *err)
{
        struct tk_uuid step, task;
        struct tk_pg_args args;
        memcpy(step.b, request->step_uuid.data, sizeof step.b);
        memcpy(task.b, request->task_uuid.data, sizeof task.b);
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &step);
        tk_pg_arg_uuid(&args, &task);
        tk_pg_arg_i32(&args, (int32_t)request->attempt);
        tk_pg_arg_i64(&args, request->lease_token);
        tk_pg_arg_text_n(&args, (const char *)request->cursor_json.data, request->cursor_json.len);
        tk_pg_arg_i64(&args, request->items_processed);
        if (request->accumulated_results_json.len)
                tk_pg_arg_text_n(&args, (const char *)request->accumulated_results_json.data, request->accumulated_results_json.len);
        else
                tk_pg_arg_text(&args, "null");
        tk_pg_arg_i32(&args, HISTORY_MAX);
        tk_pg_arg_i32(&args, (int32_t)(app->conf.lease / TK_NS_PER_MS));
        return tk_pg_query(pg, &tk_sql_engine_checkpoint_step, &args, ret, err);
}

static int checkpoint_job(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        TK_AUTOFREE struct orch_rpc_job *job = arg;
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        char why[WHY_MAX];
        struct tk_err err = {0};
        if (!pg) {
                orch_rpc_reply_down(job->call);
                return 0;
        }
        const checkpoint_request *request =
                tk_rpc_unpack(&tasker__dispatch__v1__checkpoint_request__descriptor, arena, job->data, job->len);
        if (!check(app, request, why)) {
                orch_count_l(app, checkpoints_total, "refused");
                tk_rpc_reply(job->call, TK_RPC_INVALID_ARGUMENT, why, NULL, 0);
                return 0;
        }
        int r = store(app, pg, arena, request, &res, &err);
        if (r)
                return orch_rpc_reply_db(app, job->call, "checkpoint_step", r, &err);
        Tasker__Dispatch__V1__CheckpointResponse response = TASKER__DISPATCH__V1__CHECKPOINT_RESPONSE__INIT;
        int stored = tk_pg_column(res, "checkpoint");
        response.stale = tk_pg_is_null(res, 0, stored);
        response.checkpoint_json = (ProtobufCBinaryData){tk_pg_len(res, 0, stored), (uint8_t *)tk_str_unconst(tk_pg_str(res, 0, stored))};
        orch_count_l(app, checkpoints_total, response.stale ? "stale" : "stored");
        tk_rpc_reply_message(job->call, &response.base);
        return 0;
}

void orch_rpc_checkpoint(struct tk_rpc_call *call, void *app, const void *data, size_t len)
{
        orch_rpc_job_post(call, app, data, len, checkpoint_job);
}
