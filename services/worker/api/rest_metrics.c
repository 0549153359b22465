/* SPDX-License-Identifier: MIT */
/* worker/api/rest_metrics.c: figures as Prometheus text and as JSON, and the configuration. */
#include "base/str.h"
#include "base/time.h"
#include "metric/page.h"
#include "worker/actor/bus.h"
#include "worker/api/reply.h"
#include "worker/api/routes.h"
#include "worker/app.h"
#include "worker/feed/links.h"

enum { PAGE_MAX = 4 << 20 };

/* Figures that live elsewhere, brought into the rows when somebody looks. */
static void refresh(struct work_app *app)
{
        struct work_ledger_numbers ledger;
        struct work_templates_stats templates;
        struct tk_permits_stats permits;
        work_ledger_numbers(app->ledger, &ledger);
        work_templates_stats(app->templates, &templates);
        tk_permits_stats(app->permits, &permits);
        const struct {
                enum work_metric row;
                int64_t value;
        } rows[] = {
                {WORK_M_links_up, work_links_up(app->links)},
                {WORK_M_steps_queued, ledger.queued},
                {WORK_M_steps_running, ledger.running},
                {WORK_M_results_unacknowledged, ledger.unacknowledged},
                {WORK_M_overruns, ledger.overruns},
                {WORK_M_credit, ledger.credit},
                {WORK_M_permits, permits.total},
                {WORK_M_permits_in_use, permits.in_use},
                {WORK_M_templates_cached, (int64_t)templates.entries},
                {WORK_M_uptime_seconds, (tk_time_wall_ns() - app->started_ns) / TK_NS_PER_S},
        };
        for (size_t i = 0; i < tk_countof(rows); i++)
                tk_metric_set(app->metrics, rows[i].row, rows[i].value);
        int64_t now_ns = tk_time_mono_ns();
        tk_metric_set_l(app->metrics, WORK_M_breaker_open, "cache", now_ns < atomic_load(&app->cache_rest_until_ns));
        tk_metric_set_l(app->metrics, WORK_M_breaker_open, "completions", now_ns < atomic_load(&app->slow_until_ns));
}

enum { ACTORS_OWN = 4, ACTORS_MAX = ACTORS_OWN + WORK_SUBSCRIBERS_MAX };

static size_t actors_of(struct work_app *app, struct tk_actor *ret[ACTORS_MAX])
{
        struct tk_actor *own[ACTORS_OWN] = {app->execute, app->timer, app->connect, app->enlist};
        memcpy(ret, own, sizeof own);
        return ACTORS_OWN + work_bus_actors(app->bus, ret + ACTORS_OWN, WORK_SUBSCRIBERS_MAX);
}

void work_rest_metrics(struct tk_http_req *req, void *app_)
{
        struct work_app *app = app_;
        struct tk_actor *actors[ACTORS_MAX];
        size_t n = actors_of(app, actors);
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, PAGE_MAX);
        refresh(app);
        tk_metrics_text_process(&buf, "worker", TASKER_VERSION);
        tk_metrics_text(app->metrics, &buf);
        tk_metrics_text_actors(&buf, actors, n);
        tk_http_reply(req, 200, "text/plain; version=0.0.4; charset=utf-8", buf.data, buf.len);
}

void work_runtime(void *app_, struct tk_buf *out)
{
        struct work_app *app = app_;
        struct tk_actor *actors[ACTORS_MAX];
        size_t n = actors_of(app, actors);
        refresh(app);
        tk_metrics_json_runtime(out, "worker", TASKER_VERSION, app->metrics, actors, n);
}

void work_rest_runtime(struct tk_http_req *req, void *app)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, PAGE_MAX);
        work_runtime(app, &buf);
        tk_http_reply(req, 200, NULL, buf.data, buf.len);
}

static void put_metric(struct tk_buf *buf, const char *comma, const char *name, int64_t value, const char *type,
                       const char *help)
{
        tk_buf_printf(buf, "%s\"%s\":{\"value\":%lld,\"metric_type\":\"%s\",\"labels\":{},\"help\":", comma, name,
                      (long long)value, type);
        work_put_str(buf, help);
        tk_buf_putc(buf, '}');
}

static void put_end(struct tk_buf *buf, struct work_app *app, const char *time_key)
{
        tk_buf_printf(buf, ",\"%s\":", time_key);
        work_put_now(buf);
        tk_buf_puts(buf, ",\"worker_id\":");
        work_put_str(buf, app->worker_id);
        tk_buf_putc(buf, '}');
}

/* Every unlabelled counter and gauge, plus the one name of the wire contract that has no row. */
void work_rest_metrics_worker(struct tk_http_req *req, void *app_)
{
        struct work_app *app = app_;
        static const struct {
                const char *name, *kind, *label, *help;
        } rows[] = {
#define METRIC(id, kind, label, help) {#id, #kind, label, help},
#include "worker/tbl/metrics.h"
#undef METRIC
        };
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, PAGE_MAX);
        refresh(app);
        tk_buf_puts(&buf, "{\"metrics\":{");
        put_metric(&buf, "", "database_pool_size", 0, "gauge", "This worker has no database connection.");
        for (size_t i = 0; i < tk_countof(rows); i++)
                if (!*rows[i].label && !tk_streq(rows[i].kind, "HISTOGRAM"))
                        put_metric(&buf, ",", rows[i].name, tk_metric_get(app->metrics, i),
                                   tk_streq(rows[i].kind, "GAUGE") ? "gauge" : "counter", rows[i].help);
        tk_buf_putc(&buf, '}');
        put_end(&buf, app, "timestamp");
        work_reply_json(req, &buf);
}

/* The shape of the wire contract, where subscribers of a foreign host are told apart from native ones: ours are native. */
void work_rest_metrics_events(struct tk_http_req *req, void *app_)
{
        struct work_app *app = app_;
        struct tk_metrics *m = app->metrics;
        long long durable = tk_metric_get_l(m, WORK_M_events_published_total, "durable"),
                  fast = tk_metric_get_l(m, WORK_M_events_published_total, "fast"),
                  broadcast = tk_metric_get_l(m, WORK_M_events_published_total, "broadcast");
        size_t subscribers;
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, 8192);
        (void)work_parties_subscribers(app->parties, &subscribers);
        tk_buf_printf(&buf, "{\"router\":{\"total_routed\":%lld,\"durable_routed\":%lld,\"fast_routed\":%lld,\"broadcast_routed\":%lld,",
                      durable + fast + broadcast, durable, fast, broadcast);
        tk_buf_printf(&buf, "\"fast_delivery_errors\":%lld,\"routing_errors\":%lld},",
                      (long long)tk_metric_get(m, WORK_M_events_dropped_total), (long long)tk_metric_get(m, WORK_M_events_failed_total));
        tk_buf_printf(&buf, "\"in_process_bus\":{\"total_events_dispatched\":%lld,\"rust_handler_dispatches\":%lld,\"ffi_channel_dispatches\":0,",
                      fast + broadcast, (long long)tk_metric_get(m, WORK_M_event_deliveries_total));
        tk_buf_printf(&buf, "\"rust_handler_errors\":%lld,\"ffi_channel_drops\":0,\"rust_subscriber_patterns\":%u,\"rust_handler_count\":%zu,"
                            "\"ffi_subscriber_count\":0}",
                      (long long)tk_metric_get(m, WORK_M_event_subscriber_errors_total), work_bus_patterns(app->bus), subscribers);
        put_end(&buf, app, "captured_at");
        work_reply_json(req, &buf);
}

/* The shape of the wire contract, and beside it every key of ours. */
void work_rest_config(struct tk_http_req *req, void *app_)
{
        struct work_app *app = app_;
        if (!app->conf.config_endpoint) {
                work_reply_error(req, 404, "not_found", "Resource not found");
                return;
        }
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, PAGE_MAX);
        tk_buf_puts(&buf, "{\"metadata\":{\"timestamp\":");
        work_put_now(&buf);
        tk_buf_puts(&buf, ",\"environment\":");
        work_put_str(&buf, app->conf.environment);
        tk_buf_puts(&buf, ",\"version\":\"" TASKER_VERSION "\"},\"worker_id\":");
        work_put_str(&buf, app->worker_id);
        tk_buf_puts(&buf, ",\"worker_type\":\"command_processor\",\"auth\":{\"enabled\":false,\"verification_"
                          "method\":\"none\",\"jwt_issuer\":\"\","
                          "\"jwt_audience\":\"\",\"api_key_header\":\"X-API-Key\",\"api_key_count\":0,\"strict_"
                          "validation\":true,\"allowed_algorithms\":[]},"
                          "\"messaging\":{\"backend\":\"pgmq\",\"queues\":[");
        for (size_t i = 0; i < app->sources.namespaces_n; i++) {
                TK_AUTOBUF struct tk_buf name;
                tk_buf_init(&name, 1024);
                tk_buf_printf(&name, "worker_%s_queue", app->sources.namespaces[i]);
                tk_buf_puts(&buf, i ? "," : "");
                work_put_str(&buf, tk_buf_str(&name));
        }
        tk_buf_puts(&buf, "]},\"settings\":");
        tk_conf_dump_json(work_conf_rows, work_conf_rows_n, &app->conf, &buf);
        tk_buf_putc(&buf, '}');
        work_reply_json(req, &buf);
}
