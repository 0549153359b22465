/* SPDX-License-Identifier: MIT */
/* orchestrator/api/routes.h: every REST route, one row each. Handlers live in rest_<resource>.c and are declared here. */
#pragma once
#include "base/buf.h"
#include "http/http.h"

extern const struct tk_http_route orch_routes[];
extern const size_t orch_routes_n;

void orch_rest_task_submit(struct tk_http_req *req, void *app);
void orch_rest_task_list(struct tk_http_req *req, void *app);
void orch_rest_task_get(struct tk_http_req *req, void *app);
void orch_rest_task_summary(struct tk_http_req *req, void *app);
void orch_rest_task_history(struct tk_http_req *req, void *app);
void orch_rest_task_children(struct tk_http_req *req, void *app);
void orch_rest_task_timeline(struct tk_http_req *req, void *app);
void orch_rest_task_explain(struct tk_http_req *req, void *app);
void orch_rest_task_cancel(struct tk_http_req *req, void *app);
void orch_rest_task_pause(struct tk_http_req *req, void *app);
void orch_rest_task_resume(struct tk_http_req *req, void *app);
void orch_rest_task_start(struct tk_http_req *req, void *app);
void orch_rest_task_bulk(struct tk_http_req *req, void *app);
void orch_rest_template_pause(struct tk_http_req *req, void *app);
void orch_rest_template_resume(struct tk_http_req *req, void *app);
void orch_rest_namespace_list(struct tk_http_req *req, void *app);
void orch_rest_namespace_get(struct tk_http_req *req, void *app);
void orch_rest_namespace_weigh(struct tk_http_req *req, void *app);
void orch_rest_namespace_pause(struct tk_http_req *req, void *app);
void orch_rest_namespace_resume(struct tk_http_req *req, void *app);
void orch_rest_step_list(struct tk_http_req *req, void *app);
void orch_rest_step_get(struct tk_http_req *req, void *app);
void orch_rest_step_act(struct tk_http_req *req, void *app);
void orch_rest_step_audit(struct tk_http_req *req, void *app);
void orch_rest_template_list(struct tk_http_req *req, void *app);
void orch_rest_template_get(struct tk_http_req *req, void *app);
void orch_rest_template_apply(struct tk_http_req *req, void *app);
void orch_rest_performance(struct tk_http_req *req, void *app);
void orch_rest_bottlenecks(struct tk_http_req *req, void *app);
void orch_rest_dlq_list(struct tk_http_req *req, void *app);
void orch_rest_dlq_add(struct tk_http_req *req, void *app);
void orch_rest_dlq_by_task(struct tk_http_req *req, void *app);
void orch_rest_dlq_get(struct tk_http_req *req, void *app);
void orch_rest_dlq_update(struct tk_http_req *req, void *app);
void orch_rest_dlq_revive(struct tk_http_req *req, void *app);
void orch_rest_dlq_bulk(struct tk_http_req *req, void *app);
void orch_rest_dlq_stats(struct tk_http_req *req, void *app);
void orch_rest_dlq_queue(struct tk_http_req *req, void *app);
void orch_rest_dlq_staleness(struct tk_http_req *req, void *app);
void orch_rest_health(struct tk_http_req *req, void *app);
void orch_rest_health_live(struct tk_http_req *req, void *app);
void orch_rest_health_ready(struct tk_http_req *req, void *app);
void orch_rest_health_detailed(struct tk_http_req *req, void *app);
void orch_rest_metrics(struct tk_http_req *req, void *app);
void orch_rest_runtime(struct tk_http_req *req, void *app);
void orch_runtime(void *app, struct tk_buf *out); /* the same, for the log */
void orch_rest_config(struct tk_http_req *req, void *app);
