/* SPDX-License-Identifier: MIT */
/* orchestrator/core/assignment.c: see the header. */
#include "orchestrator/core/assignment.h"
#include "base/str.h"
#include "base/time.h"
#include "rpc/pack.h"
#include "tasker/dispatch/v1/dispatch.pb-c.h"

enum { DEPENDENCIES_MAX = 4 * 1024 * 1024 };

void orch_assignment_columns(const struct tk_pg_result *res, struct orch_assignment_columns *ret)
{
        *ret = (struct orch_assignment_columns){
                .step = tk_pg_column(res, "step_uuid"),
                .task = tk_pg_column(res, "task_uuid"),
                .attempt = tk_pg_column(res, "attempt"),
                .token = tk_pg_column(res, "msg_id"),
                .ns = tk_pg_column(res, "namespace"),
                .step_no = tk_pg_column(res, "step_no"),
                .step_name = tk_pg_column(res, "step_name"),
                .named_task = tk_pg_column(res, "named_task_uuid"),
                .digest = tk_pg_column(res, "template_digest"),
                .correlation = tk_pg_column(res, "correlation_id"),
                .parent = tk_pg_column(res, "parent_correlation_id"),
                .priority = tk_pg_column(res, "priority"),
                .retry_count = tk_pg_column(res, "retry_count"),
                .max_attempts = tk_pg_column(res, "max_attempts"),
                .retryable = tk_pg_column(res, "retryable"),
                .initiator = tk_pg_column(res, "initiator"),
                .source = tk_pg_column(res, "source_system"),
                .reason = tk_pg_column(res, "reason"),
                .requested_at = tk_pg_column(res, "requested_at"),
                .context = tk_pg_column(res, "context"),
                .deps = tk_pg_column(res, "dependency_results"),
                .deps_complete = tk_pg_column(res, "dependencies_complete"),
                .inputs = tk_pg_column(res, "step_inputs"),
                .checkpoint = tk_pg_column(res, "checkpoint"),
        };
}

/* protobuf-c wants char * and uint8_t * where it only reads. */
static char *text(const struct tk_pg_result *res, int row, int col)
{
        return tk_str_unconst(tk_pg_str(res, row, col));
}

static ProtobufCBinaryData bytes(const struct tk_pg_result *res, int row, int col)
{
        return (ProtobufCBinaryData){tk_pg_len(res, row, col), (uint8_t *)text(res, row, col)};
}

static ProtobufCBinaryData uuid(struct tk_uuid *id)
{
        return tk_uuid_is_nil(id) ? (ProtobufCBinaryData){0} : (ProtobufCBinaryData){sizeof id->b, id->b};
}

void orch_assignment_encode(const struct tk_pg_result *res, const struct orch_assignment_columns *cols, int row,
                            struct orch_held *ret_held, struct tk_buf *buf)
{
        static uint8_t empty_object[] = {'{', '}'};
        struct orch_held held = {
                .step = tk_pg_uuid(res, row, cols->step),
                .task = tk_pg_uuid(res, row, cols->task),
                .attempt = (uint32_t)tk_pg_i64(res, row, cols->attempt),
                .token = tk_pg_i64(res, row, cols->token),
        };
        (void)tk_str_copy(held.ns, sizeof held.ns, tk_pg_str(res, row, cols->ns));
        struct tk_uuid named = tk_pg_uuid(res, row, cols->named_task),
                       correlation = tk_pg_uuid(res, row, cols->correlation),
                       parent = tk_pg_uuid(res, row, cols->parent);

        Tasker__Dispatch__V1__Assign a = TASKER__DISPATCH__V1__ASSIGN__INIT;
        a.step_uuid = uuid(&held.step);
        a.task_uuid = uuid(&held.task);
        a.attempt = held.attempt;
        a.lease_token = held.token;
        a.namespace_ = held.ns;
        a.step_no = (uint32_t)tk_pg_i64(res, row, cols->step_no);
        a.step_name = text(res, row, cols->step_name);
        a.template_digest = text(res, row, cols->digest);
        a.named_task_uuid = uuid(&named);
        a.correlation_id = uuid(&correlation);
        a.parent_correlation_id = uuid(&parent);
        a.priority = (int32_t)tk_pg_i64(res, row, cols->priority);
        a.retry_count = (uint32_t)tk_pg_i64(res, row, cols->retry_count);
        a.max_attempts = (uint32_t)tk_pg_i64(res, row, cols->max_attempts);
        a.retryable = tk_pg_bool(res, row, cols->retryable);
        a.initiator = text(res, row, cols->initiator);
        a.source_system = text(res, row, cols->source);
        a.reason = text(res, row, cols->reason);
        a.requested_at_us = tk_pg_time(res, row, cols->requested_at) / TK_NS_PER_US;
        a.committed_at_us = tk_time_wall_ns() / TK_NS_PER_US;
        a.context_json = bytes(res, row, cols->context);
        a.dependency_results_json = bytes(res, row, cols->deps);
        a.dependencies_complete = tk_pg_bool(res, row, cols->deps_complete);
        a.step_inputs_json = bytes(res, row, cols->inputs);
        a.checkpoint_json = bytes(res, row, cols->checkpoint);
        if (a.dependency_results_json.len > DEPENDENCIES_MAX) {
                a.dependency_results_json = (ProtobufCBinaryData){sizeof empty_object, empty_object};
                a.dependencies_complete = false;
        }

        Tasker__Dispatch__V1__Assign *assigns[] = {&a};
        Tasker__Dispatch__V1__OrchestratorFrame frame = TASKER__DISPATCH__V1__ORCHESTRATOR_FRAME__INIT;
        frame.n_assign = 1;
        frame.assign = assigns;
        tk_rpc_pack(&frame.base, buf);
        *ret_held = held;
}
