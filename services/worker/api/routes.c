/* SPDX-License-Identifier: MIT */
/* worker/api/routes.c: see the header. */
#include "worker/api/routes.h"

const struct tk_http_route work_routes[] = {
        {TK_HTTP_GET, "/health", work_rest_health, 0, "The process answers."},
        {TK_HTTP_GET, "/health/live", work_rest_health_live, 0, "Liveness probe."},
        {TK_HTTP_GET, "/health/ready", work_rest_health_ready, 0, "Readiness probe: 503 until steps can be taken."},
        {TK_HTTP_GET, "/health/detailed", work_rest_health_detailed, 0, "Every check with its figures."},
        {TK_HTTP_GET, "/metrics", work_rest_metrics, 0, "Prometheus text."},
        {TK_HTTP_GET, "/metrics/worker", work_rest_metrics_worker, 0, "The worker's own figures as JSON."},
        {TK_HTTP_GET, "/metrics/events", work_rest_metrics_events, 0, "Domain event figures as JSON."},
        {TK_HTTP_GET, "/v1/templates", work_rest_template_list, 0, "What this worker serves; ?include_cache_stats=true."},
        {TK_HTTP_GET, "/v1/templates/{namespace}/{name}/{version}", work_rest_template_get, 0, "One of the worker's own templates."},
        {TK_HTTP_POST, "/v1/templates/{namespace}/{name}/{version}/validate", work_rest_template_validate, 0, "Whether this worker can run it."},
        {TK_HTTP_GET, "/v1/debug/runtime", work_rest_runtime, 0, "Actors, mailboxes, process and metrics as JSON: what tasker top shows."},
        {TK_HTTP_GET, "/config", work_rest_config, 0, "Effective configuration, secrets masked."},
};
const size_t work_routes_n = sizeof work_routes / sizeof work_routes[0];
