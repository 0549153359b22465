/* SPDX-License-Identifier: MIT */
/* worker/api/routes.h: every REST route, one row each. Handlers live in rest_<resource>.c. No I/O: they answer at once. */
#pragma once
#include "base/buf.h"
#include "http/http.h"

extern const struct tk_http_route work_routes[];
extern const size_t work_routes_n;

void work_rest_health(struct tk_http_req *req, void *app);
void work_rest_health_live(struct tk_http_req *req, void *app);
void work_rest_health_ready(struct tk_http_req *req, void *app);
void work_rest_health_detailed(struct tk_http_req *req, void *app);
void work_rest_metrics(struct tk_http_req *req, void *app);
void work_rest_runtime(struct tk_http_req *req, void *app);
void work_runtime(void *app, struct tk_buf *out); /* the same, for the log */
void work_rest_metrics_worker(struct tk_http_req *req, void *app);
void work_rest_metrics_events(struct tk_http_req *req, void *app);
void work_rest_template_list(struct tk_http_req *req, void *app);
void work_rest_template_get(struct tk_http_req *req, void *app);
void work_rest_template_validate(struct tk_http_req *req, void *app);
void work_rest_config(struct tk_http_req *req, void *app);
