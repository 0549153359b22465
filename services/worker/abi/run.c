/* SPDX-License-Identifier: MIT */
/* worker/abi/run.c: tkw_worker_run, tkw_worker_run_events: the worker service as a function. */
#include "base/check.h"
#include "service/service.h"
#include "worker/abi/tasker_worker.h"
#include "worker/api/routes.h"
#include "worker/app.h"

/* The one piece of state outside the app: what was linked in, set before anything starts. */
static const struct tkw_module *linked_module;
static const struct tkw_events *linked_events;

static int service_new(void *conf, void **ret_app, struct tk_err *err)
{
        struct work_app *app = NULL;
        int r = work_app_new(conf, linked_module, linked_events, &app, err);
        *ret_app = app;
        return r;
}

static bool service_ready(void *app_, struct tk_service_ports *ret)
{
        struct work_app *app = app_;
        *ret = (struct tk_service_ports){
                .rest = tk_http_port(app->http), .grpc = tk_rpc_server_port(app->rpc_server), .instance_id = app->worker_id};
        if (!work_app_ready(app))
                return false;
        tk_rpc_server_set_serving(app->rpc_server, true);
        return true;
}

static void service_free(void *app)
{
        work_app_free(app);
}

int tkw_worker_run_events(int argc, char **argv, const struct tkw_module *module, const struct tkw_events *events)
{
        static const struct tk_service service = {
                .name = "tasker-worker",
                .summary = "Takes steps from orchestrators over gRPC and runs their handlers.",
                .rows = work_conf_rows,
                .rows_n = &work_conf_rows_n,
                .conf_size = sizeof(struct work_conf),
                .log_level = offsetof(struct work_conf, log_level),
                .log_format = offsetof(struct work_conf, log_format),
                .routes = work_routes,
                .routes_n = &work_routes_n,
                .create = service_new,
                .ready = service_ready,
                .runtime = work_runtime,
                .destroy = service_free,
        };
        linked_module = module;
        linked_events = events;
        return tk_service_main(&service, argc, argv);
}

int tkw_worker_run(int argc, char **argv, const struct tkw_module *module)
{
        return tkw_worker_run_events(argc, argv, module, NULL);
}
