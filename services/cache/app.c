/* SPDX-License-Identifier: MIT */
/* cache/app.c: order of start and stop. Start: memory → actors → events → servers. Stop: the reverse; questions that are
 * inside are answered. */
#include "cache/app.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"
#include "cache/actor/invalidate.h"
#include "cache/actor/load.h"
#include "cache/api/rest.h"
#include "cache/api/rpc.h"
#include "cache/feed/events.h"
#include "kv/kv.h"
#include <stdio.h>

const struct tk_conf_row cache_conf_rows[] = {
#define CONF(...) TK_CONF_ROW(struct cache_conf, __VA_ARGS__)
#include "cache/tbl/conf.h"
#undef CONF
};
const size_t cache_conf_rows_n = tk_countof(cache_conf_rows);

static const struct tk_metric_row metric_rows[] = {
#define METRIC(id, kind, label, help) {"tasker_cache_" #id, TK_METRIC_##kind, label, help},
#include "cache/tbl/metrics.h"
#undef METRIC
};
_Static_assert(tk_countof(metric_rows) == CACHE_METRICS, "one row per metric");

static void observe_http(void *app, const struct tk_http_route *route, int status, int64_t ns)
{
        (void)route;
        (void)ns;
        cache_count_l((struct cache_app *)app, http_requests_total, tk_http_status_class(status));
}

static void observe_grpc(void *user, const char *method, enum tk_rpc_status status, int64_t ns)
{
        struct cache_app *app = user;
        (void)method;
        cache_count_l(app, grpc_requests_total, tk_rpc_status_name(status));
        tk_metric_observe(app->metrics, CACHE_M_grpc_request_seconds, ns);
}

static void identity(struct cache_app *app)
{
        struct tk_uuid uuid;
        char text[TK_UUID_TEXT];
        tk_uuid_v7(&uuid);
        tk_uuid_format(&uuid, text);
        if (*app->conf.instance_id)
                (void)tk_str_copy(app->instance_id, sizeof app->instance_id, app->conf.instance_id);
        else
                snprintf(app->instance_id, sizeof app->instance_id, "cache-%s", text);
}

static int start_servers(struct cache_app *app, struct tk_err *err)
{
        static const char *const services[] = {"tasker.cache.v1.TemplateCache", NULL};
        int r = tk_rpc_server_new(app->rpc, &(struct tk_rpc_server_conf){
                .bind = app->conf.grpc_bind, .methods = cache_rpc_methods, .methods_n = cache_rpc_methods_n, .app = app,
                .message_max = 65536, .services = services, .observe = observe_grpc,
        }, &app->rpc_server, err);
        if (r)
                return r;
        return tk_http_new(
                &(struct tk_http_conf){
                        .bind = app->conf.rest_bind,
                        .threads = 1,
                        .connections_max = 256,
                        .routes = cache_routes,
                        .routes_n = cache_routes_n,
                        .error = cache_rest_error,
                        .app = app,
                        .observe = observe_http,
                },
                &app->http, err);
}

int cache_app_new(struct cache_conf *conf, struct cache_app **ret, struct tk_err *err)
{
        struct cache_app *app = TK_NEW(struct cache_app);
        app->conf = *conf;
        *conf = (struct cache_conf){0};
        app->started_ns = tk_time_wall_ns();
        identity(app);
        app->metrics = tk_metrics_new(metric_rows, CACHE_METRICS);
        app->store = cache_store_new(app->conf.memory_max);
        app->flights = cache_flights_new();
        app->invalidate = tk_actor_new(&cache_invalidate_actor, app, 0, 0);
        app->load = tk_actor_new(&cache_load_actor, app, app->conf.load_mailbox_max, app->conf.load_threads);
        app->events = cache_events_new(app);
        app->rpc = tk_rpc_new();
        int r = start_servers(app, err);
        if (r) {
                cache_app_free(app);
                return r;
        }
        *ret = app;
        return 0;
}

const char *cache_app_breaker(struct cache_app *app)
{
        return *app->conf.redis_url ? tk_kv_breaker_name((enum tk_kv_breaker)atomic_load(&app->redis_breaker)) : "off";
}

bool cache_app_ready(struct cache_app *app)
{
        return !atomic_load(&app->stopping) && tk_actor_ready(app->load) &&
               (atomic_load(&app->database_up) || tk_streq(cache_app_breaker(app), "closed"));
}

struct cache_app *cache_app_free(struct cache_app *app)
{
        if (!app)
                return NULL;
        int64_t deadline = tk_time_mono_ns() + app->conf.shutdown_grace;
        atomic_store(&app->stopping, true);
        if (app->rpc_server) {
                tk_rpc_server_set_serving(app->rpc_server, false);
                app->rpc_server = tk_rpc_server_free(app->rpc_server, deadline);
        }
        app->events = cache_events_free(app->events);
        tk_actor_stop(app->load);
        tk_actor_stop(app->invalidate);
        if (app->http) /* up to here whoever looks sees it come to rest */
                tk_http_quiesce(app->http, deadline);
        app->http = tk_http_free(app->http);
        app->load = tk_actor_stop_free(app->load);
        app->invalidate = tk_actor_stop_free(app->invalidate);
        app->rpc = tk_rpc_free(app->rpc);
        app->flights = cache_flights_free(app->flights);
        app->store = cache_store_free(app->store);
        app->metrics = tk_metrics_free(app->metrics);
        tk_conf_deinit(cache_conf_rows, cache_conf_rows_n, &app->conf);
        return tk_free(app);
}
