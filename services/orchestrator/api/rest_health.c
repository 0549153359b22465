/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rest_health.c: health, metrics and configuration of this process. No I/O: answers at once. */
#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"
#include "metric/page.h"
#include "orchestrator/actor/query.h"
#include "orchestrator/api/probes.h"
#include "orchestrator/api/reply.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/app.h"
#include "orchestrator/core/pressure.h"
#include "orchestrator/core/template.h"
#include "orchestrator/core/sessions.h"
#include "orchestrator/core/waiters.h"

enum { PAGE_MAX = 4 * 1024 * 1024 };

/* The wire contract has "+00:00" here where other routes have "Z". */
static void put_now(struct tk_buf *buf)
{
        char at[TK_TIME_TEXT];
        tk_time_format(tk_time_wall_ns(), 9, at);
        at[strlen(at) - 1] = '\0';
        tk_buf_printf(buf, "\"timestamp\":\"%s+00:00\"", at);
}

static void basic(struct tk_http_req *req, const char *status)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, 1024);
        tk_buf_printf(&buf, "{\"status\":\"%s\",", status);
        put_now(&buf);
        tk_buf_putc(&buf, '}');
        orch_reply_json(req, buf.data, buf.len);
}

void orch_rest_health(struct tk_http_req *req, void *app)
{
        (void)app;
        basic(req, "healthy");
}

void orch_rest_health_live(struct tk_http_req *req, void *app)
{
        (void)app;
        basic(req, "alive");
}

static void put_info(struct tk_buf *buf, struct orch_app *app)
{
        const char *state = atomic_load(&app->stopping) ? "GracefulShutdown" : orch_app_ready(app) ? "Normal" : "Startup";
        tk_buf_puts(buf, "\"info\":{\"version\":\"" TASKER_VERSION "\",\"environment\":");
        tk_buf_put_json_str(buf, app->conf.environment, strlen(app->conf.environment));
        tk_buf_printf(buf,
                      ",\"operational_state\":\"%s\",\"web_database_pool_size\":%u,\"orchestration_database_pool_"
                      "size\":%u,"
                      "\"circuit_breaker_state\":\"%s\",\"instance_id\":",
                      state, app->conf.query_threads + 1, app->conf.results_threads + 3, atomic_load(&app->intake_up) ? "Closed" : "Open");
        tk_buf_put_json_str(buf, app->instance_id, strlen(app->instance_id));
        tk_buf_putc(buf, '}');
}

static void checked(struct tk_http_req *req, struct orch_app *app, const struct orch_probe *probes,
                    const char *status, bool all)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, 64 * 1024);
        tk_buf_printf(&buf, "{\"status\":\"%s\",", status);
        put_now(&buf);
        tk_buf_puts(&buf, ",\"checks\":{");
        const char *comma = "";
        for (size_t i = 0; i < ORCH_PROBES; i++) {
                if (!all && !probes[i].for_readiness)
                        continue;
                tk_buf_printf(&buf, "%s\"%s\":{\"status\":\"%s\",\"message\":", comma, probes[i].name,
                              probes[i].healthy ? "healthy" : "unhealthy");
                tk_buf_put_json_str(&buf, probes[i].message, strlen(probes[i].message));
                tk_buf_puts(&buf, ",\"duration_ms\":0}");
                comma = ",";
        }
        tk_buf_puts(&buf, "},");
        put_info(&buf, app);
        tk_buf_putc(&buf, '}');
        orch_reply_json(req, buf.data, buf.len);
}

void orch_rest_health_ready(struct tk_http_req *req, void *app)
{
        struct orch_probe probes[ORCH_PROBES];
        if (orch_probes(app, probes)) {
                checked(req, app, probes, "ready", false);
                return;
        }
        for (size_t i = 0; i < ORCH_PROBES; i++)
                if (probes[i].for_readiness && !probes[i].healthy) {
                        orch_reply_error(req, ORCH_E_UNAVAILABLE, "Service temporarily unavailable: %s: %s",
                                         probes[i].name, probes[i].message);
                        return;
                }
}

void orch_rest_health_detailed(struct tk_http_req *req, void *app)
{
        struct orch_probe probes[ORCH_PROBES];
        bool healthy = orch_probes(app, probes);
        for (size_t i = 0; i < ORCH_PROBES; i++)
                healthy &= probes[i].healthy;
        checked(req, app, probes, healthy ? "healthy" : "degraded", true);
}

/* Figures that live elsewhere, brought into the rows when somebody looks. */
static void refresh(struct orch_app *app, struct tk_actor *actors[ORCH_ACTORS])
{
        struct orch_sessions_numbers numbers;
        orch_sessions_numbers(app->sessions, &numbers);
        tk_metric_set(app->metrics, ORCH_M_workers_connected, numbers.sessions);
        tk_metric_set(app->metrics, ORCH_M_credit_free, numbers.credit);
        tk_metric_set(app->metrics, ORCH_M_steps_in_flight, numbers.held);
        tk_metric_set(app->metrics, ORCH_M_waiters, orch_waiters_count(app->waiters));
        struct orch_pressure full;
        orch_pressure_mailboxes(app, &full);
        tk_metric_set(app->metrics, ORCH_M_pressure_percent, full.percent);
        orch_pressure_permits(app, NULL, &full);
        tk_metric_set(app->metrics, ORCH_M_permits_percent, full.percent);
        tk_metric_set_l(app->metrics, ORCH_M_breaker_open, "database", !atomic_load(&app->intake_up));
        tk_metric_set_l(app->metrics, ORCH_M_breaker_open, "cache", app->cache && orch_templates_cache_rests(app->templates));
        tk_metric_set_l(app->metrics, ORCH_M_breaker_open, "redis", atomic_load_explicit(&app->redis_rests, memory_order_relaxed));
        orch_actors(app, actors);
}

void orch_rest_metrics(struct tk_http_req *req, void *app_)
{
        struct orch_app *app = app_;
        struct tk_actor *actors[ORCH_ACTORS];
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, PAGE_MAX);
        refresh(app, actors);
        tk_metrics_text_process(&buf, "orchestrator", TASKER_VERSION);
        tk_metrics_text(app->metrics, &buf);
        tk_metrics_text_actors(&buf, actors, ORCH_ACTORS);
        tk_http_reply(req, 200, "text/plain; version=0.0.4; charset=utf-8", buf.data, buf.len);
}

void orch_runtime(void *app_, struct tk_buf *out)
{
        struct orch_app *app = app_;
        struct tk_actor *actors[ORCH_ACTORS];
        refresh(app, actors);
        tk_metrics_json_runtime(out, "orchestrator", TASKER_VERSION, app->metrics, actors, ORCH_ACTORS);
}

void orch_rest_runtime(struct tk_http_req *req, void *app)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, PAGE_MAX);
        orch_runtime(app, &buf);
        tk_http_reply(req, 200, NULL, buf.data, buf.len);
}

/* The shape of the wire contract, and beside it every key of ours. */
void orch_rest_config(struct tk_http_req *req, void *app_)
{
        struct orch_app *app = app_;
        char at[TK_TIME_TEXT];
        if (!app->conf.config_endpoint) {
                orch_reply_error(req, ORCH_E_NOT_FOUND, "Resource not found");
                return;
        }
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, 1 << 20);
        tk_time_format(tk_time_wall_ns(), 6, at);
        tk_buf_printf(&buf, "{\"metadata\":{\"timestamp\":\"%s\",\"environment\":", at);
        tk_buf_put_json_str(&buf, app->conf.environment, strlen(app->conf.environment));
        tk_buf_printf(&buf,
                      ",\"version\":\"" TASKER_VERSION
                      "\"},\"auth\":{\"enabled\":false,\"verification_method\":\"none\",\"jwt_issuer\":\"\","
                      "\"jwt_audience\":\"\",\"api_key_header\":\"X-API-Key\",\"api_key_count\":0,\"strict_"
                      "validation\":true,\"allowed_algorithms\":[]},"
                      "\"circuit_breakers\":{\"enabled\":true,\"failure_threshold\":5,\"timeout_seconds\":5,"
                      "\"success_threshold\":1},"
                      "\"database_pools\":{\"web_api_pool_size\":%u,\"web_api_max_connections\":%u},\"deployment_"
                      "mode\":\"Hybrid\","
                      "\"messaging\":{\"backend\":\"pgmq\",\"queues\":[\"orchestration_task_requests\","
                      "\"orchestration_task_finalizations\","
                      "\"orchestration_step_results\"]},\"settings\":",
                      app->conf.query_threads, app->conf.query_threads);
        tk_conf_dump_json(orch_conf_rows, orch_conf_rows_n, &app->conf, &buf);
        tk_buf_putc(&buf, '}');
        orch_reply_json(req, buf.data, buf.len);
}
