/* SPDX-License-Identifier: MIT */
/* tasker-cache: arguments, configuration, app, wait, stop. */
#include "cache/api/rest.h"
#include "cache/app.h"
#include "service/service.h"

static int service_new(void *conf, void **ret_app, struct tk_err *err)
{
        struct cache_app *app = NULL;
        int r = cache_app_new(conf, &app, err);
        *ret_app = app;
        return r;
}

static bool service_ready(void *app_, struct tk_service_ports *ret)
{
        struct cache_app *app = app_;
        *ret = (struct tk_service_ports){
                .rest = tk_http_port(app->http), .grpc = tk_rpc_server_port(app->rpc_server), .instance_id = app->instance_id};
        if (!cache_app_ready(app))
                return false;
        tk_rpc_server_set_serving(app->rpc_server, true);
        return true;
}

static void service_free(void *app)
{
        cache_app_free(app);
}

int main(int argc, char **argv)
{
        static const struct tk_service service = {
                .name = "tasker-cache",
                .summary = "Serves named tasks and templates from memory, Redis and PostgreSQL over gRPC.",
                .rows = cache_conf_rows,
                .rows_n = &cache_conf_rows_n,
                .conf_size = sizeof(struct cache_conf),
                .log_level = offsetof(struct cache_conf, log_level),
                .log_format = offsetof(struct cache_conf, log_format),
                .routes = cache_routes,
                .routes_n = &cache_routes_n,
                .create = service_new,
                .ready = service_ready,
                .runtime = cache_runtime,
                .destroy = service_free,
        };
        return tk_service_main(&service, argc, argv);
}
