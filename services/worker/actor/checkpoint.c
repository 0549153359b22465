/* SPDX-License-Identifier: MIT */
/* worker/actor/checkpoint.c: see the header. */
#include "worker/actor/checkpoint.h"
#include "base/mem.h"
#include "base/time.h"
#include "rpc/pack.h"
#include "worker/app.h"
#include "worker/feed/links.h"

enum { CHECKPOINT_MAX = 64 << 20 };
#define PAUSE_NS (50 * TK_NS_PER_MS)
#define PATIENCE_NS (10 * TK_NS_PER_S)

static bool refuse(struct work_app *app, struct tkw_result *result, enum work_verdict verdict, const char *type, const char *outcome,
                   const char *why)
{
        work_count_l(app, checkpoints_total, outcome);
        work_result_fail(result, verdict, type, why);
        return false;
}

static enum tk_rpc_status ask(struct work_app *app, const struct work_job *job, const ProtobufCMessage *request, struct tk_buf *reply,
                              struct tk_err *err)
{
        int64_t end_ns = tk_time_mono_ns() + PATIENCE_NS;
        end_ns = job->deadline_ns < end_ns ? job->deadline_ns : end_ns;
        for (;;) {
                enum tk_rpc_status status = work_links_unary(app->links, job->link, "/tasker.dispatch.v1.Dispatch/Checkpoint", request,
                                                             end_ns - tk_time_mono_ns(), reply, err);
                bool again = status == TK_RPC_UNAVAILABLE || status == TK_RPC_RESOURCE_EXHAUSTED;
                if (!again || atomic_load(&job->cancelled) || tk_time_mono_ns() + PAUSE_NS >= end_ns)
                        return status;
                tk_time_sleep(PAUSE_NS);
        }
}

bool work_checkpoint(struct work_app *app, struct work_job *job, struct tkw_result *result, struct tk_buf *checkpoint)
{
        TK_AUTOBUF struct tk_buf cursor, accumulated, reply;
        struct tk_err err = {0};
        tk_buf_init(&cursor, CHECKPOINT_MAX);
        tk_buf_init(&accumulated, CHECKPOINT_MAX);
        tk_buf_init(&reply, CHECKPOINT_MAX);
        tk_json_dump(result->cursor, &cursor);
        tk_json_dump(result->accumulated, &accumulated);
        if (tk_buf_failed(&cursor) || tk_buf_failed(&accumulated))
                return refuse(app, result, WORK_PERMANENT, "checkpoint_refused", "refused", "the checkpoint has more than 64 MiB");

        Tasker__Dispatch__V1__CheckpointRequest request = TASKER__DISPATCH__V1__CHECKPOINT_REQUEST__INIT;
        request.step_uuid = job->assign->step_uuid;
        request.task_uuid = job->assign->task_uuid;
        request.attempt = job->assign->attempt;
        request.lease_token = job->assign->lease_token;
        request.namespace_ = job->assign->namespace_;
        request.cursor_json = (ProtobufCBinaryData){cursor.len, (uint8_t *)cursor.data};
        request.accumulated_results_json = (ProtobufCBinaryData){accumulated.len, (uint8_t *)accumulated.data};
        request.items_processed = result->items;
        enum tk_rpc_status status = ask(app, job, &request.base, &reply, &err);
        if (status == TK_RPC_INVALID_ARGUMENT)
                return refuse(app, result, WORK_PERMANENT, "checkpoint_refused", "refused", tk_err_text(&err));
        if (status != TK_RPC_OK)
                return refuse(app, result, WORK_RETRYABLE, "checkpoint_error", "error", tk_err_text(&err));

        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(4096, (size_t)2 * CHECKPOINT_MAX);
        const Tasker__Dispatch__V1__CheckpointResponse *response =
                tk_rpc_unpack(&tasker__dispatch__v1__checkpoint_response__descriptor, arena, reply.data, reply.len);
        if (!response)
                return refuse(app, result, WORK_RETRYABLE, "checkpoint_error", "error", "the answer is not a CheckpointResponse");
        if (response->stale)
                return refuse(app, result, WORK_RETRYABLE, "checkpoint_stale", "stale", "this attempt had ended when its checkpoint arrived");
        tk_buf_reset(checkpoint);
        tk_buf_put(checkpoint, response->checkpoint_json.data, response->checkpoint_json.len);
        work_count_l(app, checkpoints_total, "stored");
        return true;
}
