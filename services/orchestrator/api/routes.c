/* SPDX-License-Identifier: MIT */
/* orchestrator/api/routes.c: see the header. */
#include "orchestrator/api/routes.h"

enum { BODY = 2 * 1024 * 1024 /* rest.body_max decides */, DECISION_BODY_MAX = 64 * 1024 };

const struct tk_http_route orch_routes[] = {
        {TK_HTTP_POST, "/v1/tasks", orch_rest_task_submit, BODY, "Submit a task."},
        {TK_HTTP_GET, "/v1/tasks", orch_rest_task_list, 0, "List tasks, newest first."},
        {TK_HTTP_GET, "/v1/tasks/{uuid}", orch_rest_task_get, 0, "One task; ?wait=30s answers when it has come to rest."},
        {TK_HTTP_DELETE, "/v1/tasks/{uuid}", orch_rest_task_cancel, 0, "Cancel a task."},
        {TK_HTTP_POST, "/v1/tasks/{uuid}/pause", orch_rest_task_pause, DECISION_BODY_MAX, "Hold a task: nothing new of it is dispatched."},
        {TK_HTTP_POST, "/v1/tasks/{uuid}/resume", orch_rest_task_resume, DECISION_BODY_MAX, "Let it go on."},
        {TK_HTTP_POST, "/v1/tasks/bulk", orch_rest_task_bulk, DECISION_BODY_MAX,
         "Pause, resume, cancel or reset open tasks by filter, page by page."},
        {TK_HTTP_GET, "/v1/tasks/{uuid}/explain", orch_rest_task_explain, 0, "Why a task is where it is, and what can be done."},
        {TK_HTTP_GET, "/v1/tasks/{uuid}/timeline", orch_rest_task_timeline, 0, "Where a task's time went, attempt by attempt."},
        {TK_HTTP_GET, "/v1/tasks/{uuid}/children", orch_rest_task_children, 0, "The tasks its steps have started, and those that theirs have."},
        {TK_HTTP_GET, "/v1/tasks/{uuid}/workflow_steps", orch_rest_step_list, 0, "The steps of a task."},
        {TK_HTTP_GET, "/v1/tasks/{uuid}/workflow_steps/{step_uuid}", orch_rest_step_get, 0, "One step with its result."},
        {TK_HTTP_PATCH, "/v1/tasks/{uuid}/workflow_steps/{step_uuid}", orch_rest_step_act, BODY,
         "Decide about a step: reset, resolve, complete, skip, rerun."},
        {TK_HTTP_GET, "/v1/tasks/{uuid}/workflow_steps/{step_uuid}/audit", orch_rest_step_audit, 0, "Every result of a step, newest first."},
        {TK_HTTP_GET, "/v1/templates", orch_rest_template_list, 0, "Registered template versions."},
        {TK_HTTP_POST, "/v1/templates", orch_rest_template_apply, BODY, "Register a template version (YAML)."},
        {TK_HTTP_POST, "/v1/templates/{namespace}/{name}/pause", orch_rest_template_pause, DECISION_BODY_MAX,
         "Hold all tasks of a template, and those to come; ?version= only of this version."},
        {TK_HTTP_POST, "/v1/templates/{namespace}/{name}/resume", orch_rest_template_resume, DECISION_BODY_MAX, "Let them go on."},
        {TK_HTTP_POST, "/v1/namespaces/{namespace}/pause", orch_rest_namespace_pause, DECISION_BODY_MAX,
         "Hold all tasks of a namespace, and those to come."},
        {TK_HTTP_POST, "/v1/namespaces/{namespace}/resume", orch_rest_namespace_resume, DECISION_BODY_MAX, "Let them go on."},
        {TK_HTTP_GET, "/v1/templates/{namespace}/{name}/{version}", orch_rest_template_get, 0, "One template version."},
        {TK_HTTP_GET, "/v1/analytics/performance", orch_rest_performance, 0, "How the tasks of the last ?hours= (24) went."},
        {TK_HTTP_GET, "/v1/analytics/bottlenecks", orch_rest_bottlenecks, 0, "Which steps and tasks of the last 24 hours took longest."},
        {TK_HTTP_GET, "/health", orch_rest_health, 0, "The process answers."},
        {TK_HTTP_GET, "/health/live", orch_rest_health_live, 0, "Liveness probe."},
        {TK_HTTP_GET, "/health/ready", orch_rest_health_ready, 0, "Readiness probe: 503 until work can be taken."},
        {TK_HTTP_GET, "/health/detailed", orch_rest_health_detailed, 0, "Every check with its figures."},
        {TK_HTTP_GET, "/metrics", orch_rest_metrics, 0, "Prometheus text."},
        {TK_HTTP_GET, "/v1/debug/runtime", orch_rest_runtime, 0, "Actors, mailboxes, process and metrics as JSON: what tasker top shows."},
        {TK_HTTP_GET, "/config", orch_rest_config, 0, "Effective configuration, secrets masked."},
};
const size_t orch_routes_n = sizeof orch_routes / sizeof orch_routes[0];
