/* SPDX-License-Identifier: MIT */
/* orchestrator/app.c: order of start and stop. Start: memory → actors → servers. Stop: feeds and servers first, then the
 * actors that work for them, then memory; what was promised to a worker or a client is finished or given back. */
#include "orchestrator/app.h"
#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "orchestrator/actor/dispatch.h"
#include "orchestrator/actor/hint.h"
#include "orchestrator/actor/intake.h"
#include "orchestrator/actor/query.h"
#include "orchestrator/actor/show.h"
#include "orchestrator/actor/results.h"
#include "orchestrator/actor/sweeper.h"
#include "orchestrator/actor/timers.h"
#include "orchestrator/api/probes.h"
#include "orchestrator/api/reply.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/api/rpc_dispatch.h"
#include "orchestrator/core/after.h"
#include "orchestrator/core/sessions.h"
#include "orchestrator/core/template.h"
#include "orchestrator/core/wait_look.h"
#include "orchestrator/core/waiters.h"
#include "orchestrator/feed/events.h"
#include <stdio.h>

const struct tk_conf_row orch_conf_rows[] = {
#define CONF(...) TK_CONF_ROW(struct orch_conf, __VA_ARGS__)
#include "orchestrator/tbl/conf.h"
#undef CONF
};
const size_t orch_conf_rows_n = tk_countof(orch_conf_rows);

static const struct tk_metric_row metric_rows[] = {
#define METRIC(id, kind, label, help) {"tasker_orchestrator_" #id, TK_METRIC_##kind, label, help},
#include "orchestrator/tbl/metrics.h"
#undef METRIC
};
_Static_assert(tk_countof(metric_rows) == ORCH_METRICS, "one row per metric");

static const struct orch_after after = {
        .release = orch_dispatch_release,
        .queued = orch_hint_queue,
        .rests = orch_hint_done,
        .relatives = orch_timers_relatives,
        .unchecked = orch_timers_unchecked,
        .timer = orch_timers_due,
        .renamed = orch_hint_template,
};

static void relatives(void *user)
{
        orch_timers_relatives(user);
}

static void want_work(void *user)
{
        struct orch_app *app = user;
        if (app->dispatch)
                tk_actor_wake(app->dispatch);
}

static void look_at_waits(void *user)
{
        struct orch_app *app = user;
        if (orch_query_post(app, orch_wait_look, NULL))
                orch_waiters_looked(app->waiters); /* full: the next one */
}

static void observe_http(void *user, const struct tk_http_route *route, int status, int64_t ns)
{
        struct orch_app *app = user;
        (void)route;
        orch_count_l(app, http_requests_total, tk_http_status_class(status));
        tk_metric_observe(app->metrics, ORCH_M_http_request_seconds, ns);
}

static void observe_grpc(void *user, const char *method, enum tk_rpc_status status, int64_t ns)
{
        struct orch_app *app = user;
        (void)method;
        (void)ns;
        orch_count_l(app, grpc_requests_total, tk_rpc_status_name(status));
}

static void identity(struct orch_app *app)
{
        char id[TK_UUID_TEXT];
        tk_uuid_v7(&app->processor);
        tk_uuid_format(&app->processor, id);
        if (*app->conf.instance_id)
                (void)tk_str_copy(app->instance_id, sizeof app->instance_id, app->conf.instance_id);
        else
                snprintf(app->instance_id, sizeof app->instance_id, "orchestrator-%s", id);
}

static void session_options(struct orch_app *app)
{
        snprintf(app->session_options, sizeof app->session_options,
                 " -c tasker.aging=%.3f -c tasker.turn=%.3f -c tasker.turn_steps=%u -c tasker.events_bytes_max=%llu",
                 (double)app->conf.aging / TK_NS_PER_S, (double)app->conf.turn / TK_NS_PER_S, app->conf.turn_steps,
                 (unsigned long long)app->conf.events_bytes_max);
}

static void start_actors(struct orch_app *app)
{
        const struct orch_conf *conf = &app->conf;
        app->hint = tk_actor_new(&orch_hint_actor, app, 0, 0);
        app->events = orch_events_new(app);
        app->timers = tk_actor_new(&orch_timers_actor, app, 0, 0);
        app->dispatch = tk_actor_new(&orch_dispatch_actor, app, 0, 0);
        app->results = tk_actor_new(&orch_results_actor, app, conf->results_mailbox_max, conf->results_threads);
        app->intake_type = orch_intake_actor;
        app->intake_type.batch_max = conf->intake_batch_max;
        app->intake = tk_actor_new(&app->intake_type, app, conf->intake_mailbox_max, 0);
        app->query = tk_actor_new(&orch_query_actor, app, conf->query_mailbox_max, conf->query_threads);
        app->show = tk_actor_new(&orch_show_actor, app, conf->query_mailbox_max, 0);
        app->sweeper = tk_actor_new(&orch_sweeper_actor, app, 0, 0);
        orch_waiters_watch(app->waiters, conf->wait_look, look_at_waits, app);
}

static int start_servers(struct orch_app *app, struct tk_err *err)
{
        static const char *const services[] = {"tasker.dispatch.v1.Dispatch", NULL};
        int r = tk_rpc_server_new(app->rpc, &(struct tk_rpc_server_conf){
                .bind = app->conf.grpc_bind, .methods = orch_rpc_methods, .methods_n = orch_rpc_methods_n, .app = app,
                .message_max = 64u << 20, .services = services, .observe = observe_grpc,
        }, &app->rpc_server, err);
        if (r)
                return r;
        return tk_http_new(
                &(struct tk_http_conf){
                        .bind = app->conf.rest_bind,
                        .threads = app->conf.rest_threads,
                        .connections_max = app->conf.rest_connections_max,
                        .body_max = app->conf.body_max,
                        .routes = orch_routes,
                        .routes_n = orch_routes_n,
                        .error = orch_reply_server_error,
                        .request_ids = true,
                        .app = app,
                        .observe = observe_http,
                },
                &app->http, err);
}

int orch_app_new(struct orch_conf *conf, struct orch_app **ret, struct tk_err *err)
{
        struct orch_app *app = TK_NEW(struct orch_app);
        app->conf = *conf;
        *conf = (struct orch_conf){0};
        app->started_ns = tk_time_wall_ns();
        app->after = &after;
        tk_list_init(&app->unreleased);
        identity(app);
        session_options(app);
        app->metrics = tk_metrics_new(metric_rows, ORCH_METRICS);
        app->sessions = orch_sessions_new(&(struct orch_sessions_ops){.user = app, .want_work = want_work});
        app->waiters = orch_waiters_new();
        orch_waiters_on_related(app->waiters, relatives, app);
        app->templates = orch_templates_new(app->conf.template_ttl);
        app->rpc = tk_rpc_new();
        if (*app->conf.cache_address)
                app->cache = tk_rpc_channel_new(app->rpc, app->conf.cache_address);
        start_actors(app);
        int r = start_servers(app, err);
        if (r) {
                orch_app_free(app);
                return r;
        }
        *ret = app;
        return 0;
}

bool orch_app_ready(struct orch_app *app)
{
        struct orch_probe probes[ORCH_PROBES];
        return orch_probes(app, probes);
}

struct orch_app *orch_app_free(struct orch_app *app)
{
        if (!app)
                return NULL;
        int64_t deadline = tk_time_mono_ns() + app->conf.shutdown_grace;
        atomic_store(&app->stopping, true);
        if (app->rpc_server)
                tk_rpc_server_set_serving(app->rpc_server, false);
        /* No new work in; what is inside is finished: waits are answered as they stand, workers hand in what they have. */
        orch_sessions_drain(app->sessions);
        orch_waiters_notify_all(app->waiters);
        if (app->http)
                tk_http_quiesce(app->http, deadline);
        app->events = orch_events_free(app->events);
        app->intake = tk_actor_stop_free(app->intake);
        app->sweeper = tk_actor_stop_free(app->sweeper);
        if (app->rpc_server)
                app->rpc_server = tk_rpc_server_free(app->rpc_server, deadline); /* streams end: results come in, leases are released */
        app->results = tk_actor_stop_free(app->results);
        app->timers = tk_actor_stop_free(app->timers); /* results tell it about retries */
        app->dispatch = tk_actor_stop_free(app->dispatch);
        orch_waiters_stop(app->waiters);
        app->query = tk_actor_stop_free(app->query);
        app->show = tk_actor_stop_free(app->show);
        app->hint = tk_actor_stop_free(app->hint);
        app->waiters = orch_waiters_free(app->waiters);
        app->http = tk_http_free(app->http);
        app->cache = tk_rpc_channel_free(app->cache);
        app->rpc = tk_rpc_free(app->rpc);
        app->templates = orch_templates_free(app->templates);
        app->sessions = orch_sessions_free(app->sessions);
        app->metrics = tk_metrics_free(app->metrics);
        tk_conf_deinit(orch_conf_rows, orch_conf_rows_n, &app->conf);
        return tk_free(app);
}
