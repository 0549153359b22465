/* SPDX-License-Identifier: MIT */
/* tasker-orchestrator: arguments, configuration, app, wait, stop. */
#include "base/log.h"
#include "base/time.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/app.h"
#include "service/service.h"

static int service_new(void *conf, void **ret_app, struct tk_err *err)
{
        struct orch_app *app = NULL;
        int r = orch_app_new(conf, &app, err);
        *ret_app = app;
        return r;
}

static bool service_ready(void *app_, struct tk_service_ports *ret)
{
        struct orch_app *app = app_;
        *ret = (struct tk_service_ports){
                .rest = tk_http_port(app->http), .grpc = tk_rpc_server_port(app->rpc_server), .instance_id = app->instance_id};
        if (!orch_app_ready(app))
                return false;
        tk_rpc_server_set_serving(app->rpc_server, true);
        return true;
}

static void service_free(void *app)
{
        orch_app_free(app);
}

int main(int argc, char **argv)
{
        static const struct tk_service service = {
                .name = "tasker-orchestrator",
                .summary = "Accepts tasks over REST, advances their graphs in PostgreSQL and hands steps to "
                           "workers over gRPC.",
                .rows = orch_conf_rows,
                .rows_n = &orch_conf_rows_n,
                .conf_size = sizeof(struct orch_conf),
                .log_level = offsetof(struct orch_conf, log_level),
                .log_format = offsetof(struct orch_conf, log_format),
                .routes = orch_routes,
                .routes_n = &orch_routes_n,
                .create = service_new,
                .ready = service_ready,
                .runtime = orch_runtime,
                .destroy = service_free,
        };
        return tk_service_main(&service, argc, argv);
}
