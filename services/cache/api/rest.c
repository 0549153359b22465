/* SPDX-License-Identifier: MIT */
/* cache/api/rest.c: see the header. */
#include "cache/api/rest.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"
#include "cache/app.h"
#include "kv/kv.h"
#include "metric/page.h"

enum { PAGE_MAX = 1 << 20, OFF = 3 };

static void put_str(struct tk_buf *buf, const char *key, const char *text)
{
        tk_buf_printf(buf, "\"%s\":", key);
        tk_buf_put_json_str(buf, text, strlen(text));
}

static void begin(struct tk_buf *buf, const struct cache_app *app, const char *status)
{
        char now[TK_TIME_TEXT];
        tk_time_format(tk_time_wall_ns(), 6, now);
        tk_buf_putc(buf, '{');
        put_str(buf, "status", status);
        tk_buf_putc(buf, ',');
        put_str(buf, "timestamp", now);
        tk_buf_putc(buf, ',');
        put_str(buf, "instance_id", app->instance_id);
}

static void reply(struct tk_http_req *req, int status, struct tk_buf *buf)
{
        if (status == 503)
                tk_http_req_add_header(req, "Retry-After", "1");
        tk_http_reply(req, status, NULL, buf->data, buf->len);
}

static void basic(struct tk_http_req *req, const struct cache_app *app, const char *status)
{
        TK_AUTOBUF struct tk_buf buf = {.max = 4096};
        begin(&buf, app, status);
        tk_buf_putc(&buf, '}');
        reply(req, 200, &buf);
}

static void health(struct tk_http_req *req, void *app)
{
        basic(req, app, "healthy");
}

static void live(struct tk_http_req *req, void *app)
{
        basic(req, app, "alive");
}

static void put_check(struct tk_buf *buf, const char *comma, const char *name, bool healthy, const char *message)
{
        tk_buf_printf(buf, "%s\"%s\":{\"status\":\"%s\",", comma, name, healthy ? "healthy" : "unhealthy");
        put_str(buf, "message", message);
        tk_buf_putc(buf, '}');
}

static void checked(struct tk_http_req *req, struct cache_app *app, int status, const char *text)
{
        TK_AUTOBUF struct tk_buf buf = {.max = 16384};
        bool database = atomic_load(&app->database_up),
             redis = *app->conf.redis_url && tk_streq(cache_app_breaker(app), "closed");
        begin(&buf, app, text);
        tk_buf_puts(&buf, ",\"checks\":{");
        put_check(&buf, "", "database", database, database ? "connected" : "no connection to the database");
        put_check(&buf, ",", "redis", redis || !*app->conf.redis_url, cache_app_breaker(app));
        put_check(&buf, ",", "system", !atomic_load(&app->stopping), atomic_load(&app->stopping) ? "stopping" : "running");
        tk_buf_printf(&buf, "},\"system_info\":{\"version\":\"" TASKER_VERSION "\",\"uptime_seconds\":%lld}}",
                      (long long)((tk_time_wall_ns() - app->started_ns) / TK_NS_PER_S));
        reply(req, status, &buf);
}

static void ready(struct tk_http_req *req, void *app)
{
        bool yes = cache_app_ready(app);
        checked(req, app, yes ? 200 : 503, yes ? "ready" : "not_ready");
}

static void detailed(struct tk_http_req *req, void *app_)
{
        struct cache_app *app = app_;
        bool redis = !*app->conf.redis_url || tk_streq(cache_app_breaker(app), "closed");
        checked(req, app, 200, cache_app_ready(app) && atomic_load(&app->database_up) && redis ? "healthy" : "degraded");
}

/* Figures that live elsewhere, brought into the rows when somebody looks. */
static void refresh(struct cache_app *app)
{
        struct cache_store_stats store;
        cache_store_stats(app->store, &store);
        tk_metric_set(app->metrics, CACHE_M_entries, (int64_t)store.entries);
        tk_metric_set(app->metrics, CACHE_M_memory_bytes, (int64_t)store.bytes);
        tk_metric_set(app->metrics, CACHE_M_memory_max_bytes, (int64_t)store.bytes_max);
        tk_metric_set(app->metrics, CACHE_M_redis_breaker_state,
                      *app->conf.redis_url ? atomic_load(&app->redis_breaker) : OFF);
        tk_metric_add(app->metrics, CACHE_M_evictions_total,
                      (int64_t)store.evictions - tk_metric_get(app->metrics, CACHE_M_evictions_total));
}

#define ACTORS(app) {(app)->load, (app)->invalidate}

static void metrics(struct tk_http_req *req, void *app_)
{
        struct cache_app *app = app_;
        struct tk_actor *actors[] = ACTORS(app);
        TK_AUTOBUF struct tk_buf buf = {.max = PAGE_MAX};
        refresh(app);
        tk_metrics_text_process(&buf, "cache", TASKER_VERSION);
        tk_metrics_text(app->metrics, &buf);
        tk_metrics_text_actors(&buf, actors, tk_countof(actors));
        tk_http_reply(req, 200, "text/plain; version=0.0.4; charset=utf-8", buf.data, buf.len);
}

void cache_runtime(void *app_, struct tk_buf *out)
{
        struct cache_app *app = app_;
        struct tk_actor *actors[] = ACTORS(app);
        refresh(app);
        tk_metrics_json_runtime(out, "cache", TASKER_VERSION, app->metrics, actors, tk_countof(actors));
}

static void runtime(struct tk_http_req *req, void *app)
{
        TK_AUTOBUF struct tk_buf buf = {.max = PAGE_MAX};
        cache_runtime(app, &buf);
        reply(req, 200, &buf);
}

static void config(struct tk_http_req *req, void *app_)
{
        struct cache_app *app = app_;
        TK_AUTOBUF struct tk_buf buf = {.max = PAGE_MAX};
        if (!app->conf.config_endpoint) {
                const char *body = cache_rest_error(req, 404, "Resource not found");
                tk_http_reply(req, 404, NULL, body, strlen(body));
                return;
        }
        tk_conf_dump_json(cache_conf_rows, cache_conf_rows_n, &app->conf, &buf);
        reply(req, 200, &buf);
}

const char *cache_rest_error(struct tk_http_req *req, int status, const char *message)
{
        static const struct {
                int status;
                const char *code;
        } codes[] = {{400, "BAD_REQUEST"},
                     {404, "NOT_FOUND"},
                     {405, "METHOD_NOT_ALLOWED"},
                     {413, "PAYLOAD_TOO_LARGE"},
                     {503, "SERVICE_UNAVAILABLE"}};
        const char *code = "INTERNAL_ERROR";
        TK_AUTOBUF struct tk_buf buf = {.max = 16384};
        for (size_t i = 0; i < tk_countof(codes); i++)
                if (codes[i].status == status)
                        code = codes[i].code;
        tk_buf_puts(&buf, "{\"error\":{");
        put_str(&buf, "code", code);
        tk_buf_putc(&buf, ',');
        put_str(&buf, "message", message);
        tk_buf_puts(&buf, "}}");
        return tk_arena_strdup(tk_http_req_arena(req), tk_buf_str(&buf));
}

const struct tk_http_route cache_routes[] = {
        {TK_HTTP_GET, "/health", health, 0, "The process answers."},
        {TK_HTTP_GET, "/health/live", live, 0, "Liveness probe."},
        {TK_HTTP_GET, "/health/ready", ready, 0, "Readiness probe: PostgreSQL or Redis answers."},
        {TK_HTTP_GET, "/health/detailed", detailed, 0, "All checks."},
        {TK_HTTP_GET, "/metrics", metrics, 0, "Prometheus text."},
        {TK_HTTP_GET, "/v1/debug/runtime", runtime, 0, "Actors, mailboxes, process and metrics as JSON: what tasker top shows."},
        {TK_HTTP_GET, "/config", config, 0, "The configuration in use, secrets masked."},
};
const size_t cache_routes_n = tk_countof(cache_routes);
