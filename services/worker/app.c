/* SPDX-License-Identifier: MIT */
/* worker/app.c: order of start and stop. Start: handlers and templates → memory → executors → connections → servers.
 * Stop: not ready → no more credit → what is here is finished and acknowledged, each orchestrator gets a goodbye → near the
 * end of the grace time what did not finish fails as worker_shutdown → executors → servers → memory. */
#include "worker/app.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"
#include "worker/actor/bus.h"
#include "worker/actor/enlist.h"
#include "worker/actor/execute.h"
#include "worker/actor/watch.h"
#include "worker/api/reply.h"
#include "worker/api/routes.h"
#include "worker/feed/hydrate.h"
#include "worker/feed/links.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* The end of the grace time that is kept for handing in what had to be given up. */
#define GIVE_UP_NS (2 * TK_NS_PER_S)
enum { EXIT_STUCK = 1 };

const struct tk_conf_row work_conf_rows[] = {
#define CONF(...) TK_CONF_ROW(struct work_conf, __VA_ARGS__)
#include "worker/tbl/conf.h"
#undef CONF
};
const size_t work_conf_rows_n = tk_countof(work_conf_rows);

static const struct tk_metric_row metric_rows[] = {
#define METRIC(id, kind, label, help) {"tasker_worker_" #id, TK_METRIC_##kind, label, help},
#include "worker/tbl/metrics.h"
#undef METRIC
};
_Static_assert(tk_countof(metric_rows) == WORK_METRICS, "one row per metric");

static void observe_http(void *user, const struct tk_http_route *route, int status, int64_t ns)
{
        struct work_app *app = user;
        (void)route;
        (void)ns;
        work_count_l(app, http_requests_total, tk_http_status_class(status));
}

static void identity(struct work_app *app)
{
        struct tk_uuid id;
        char text[TK_UUID_TEXT];
        const char *name = *app->conf.worker_id ? app->conf.worker_id : app->conf.instance_id;
        tk_uuid_v7(&id);
        tk_uuid_format(&id, text);
        if (*name)
                (void)tk_str_copy(app->worker_id, sizeof app->worker_id, name);
        else
                snprintf(app->worker_id, sizeof app->worker_id, "worker-%s", text);
        if (gethostname(app->hostname, sizeof app->hostname - 1))
                (void)tk_str_copy(app->hostname, sizeof app->hostname, "unknown");
}

static int load_handlers(struct work_app *app, const struct tkw_module *module, const struct tkw_events *events, struct tk_err *err)
{
        app->registry = work_registry_new();
        app->parties = work_parties_new();
        int r = module ? work_registry_add(app->registry, module, err) : 0;
        if (!r && events)
                r = work_parties_add(app->parties, events, "the program", err);
        if (!r)
                r = work_registry_load(app->registry, app->parties, &app->conf.handlers, err);
        if (!r)
                r = work_parties_add_log(app->parties, &app->conf.events_log, err);
        if (!r && !work_registry_count(app->registry))
                tk_log_warn("handlers.none", "No handlers: every step will fail. Name shared objects under `handlers`.");
        return r;
}

/* Such events are published with the payload nobody made. */
static void tell_publishers(const struct work_app *app, const struct work_source *source)
{
        for (uint32_t i = 0; i < source->tpl->steps_n; i++)
                for (uint32_t k = 0; k < source->tpl->steps[i].events_n; k++) {
                        const struct tk_template_event *event = &source->tpl->steps[i].events[k];
                        if (event->publisher && !work_parties_publisher(app->parties, event->publisher))
                                tk_log_warn("publisher.unknown", "no publisher of this name is registered", TK_STR("publisher", event->publisher),
                                            TK_STR("event", event->name), TK_STR("file", source->file));
                }
}

static int load_sources(struct work_app *app, struct tk_err *err)
{
        int r = work_sources_load(&app->sources, app->conf.templates_path, app->conf.environment,
                                  &app->conf.namespaces, err);
        if (r)
                return r;
        for (size_t i = 0; i < app->sources.n; i++) {
                const struct work_source *source = &app->sources.list[i];
                if (source->problem)
                        tk_log_error("template.invalid", source->problem, TK_STR("file", source->file));
                for (uint32_t w = 0; source->tpl && w < source->tpl->warnings_n; w++)
                        tk_log_warn("template.warning", source->tpl->warnings[w], TK_STR("file", source->file));
                if (source->tpl)
                        tell_publishers(app, source);
        }
        if (!app->sources.namespaces_n)
                return TK_ERR(err, -EINVAL,
                              "no namespace to serve: templates.path (%s) holds no valid template and "
                              "worker.namespaces is empty",
                              *app->conf.templates_path ? app->conf.templates_path : "not set");
        return 0;
}

static void start_work(struct work_app *app)
{
        const struct work_conf *conf = &app->conf;
        unsigned links = (unsigned)conf->orchestrators.count;
        app->pace = work_pace_new(conf->permits, conf->prefetch);
        app->ledger = work_ledger_new(links, conf->permits, work_pace_max(app->pace), conf->unacked_max);
        work_ledger_set_total(app->ledger, work_pace_now(app->pace));
        app->templates = work_templates_new(conf->templates_max, work_hydrate, app);
        app->permits = tk_permits_new("handlers", conf->permits);
        app->watch = work_watch_new(app);
        app->bus = work_bus_new(app);
        app->links = work_links_new(app);
        app->timer = tk_actor_new(&work_timer_actor, app, 0, 0);
        app->execute = tk_actor_new(&work_execute_actor, app, work_pace_max(app->pace) * (links + 1), conf->permits);
        app->enlist = tk_actor_new(&work_enlist_actor, app, 0, 0);
        app->connect = tk_actor_new(&work_connect_actor, app, 0, 0);
}

static int start_servers(struct work_app *app, struct tk_err *err)
{
        int r = tk_rpc_server_new(app->rpc, &(struct tk_rpc_server_conf){.bind = app->conf.grpc_bind, .app = app},
                                  &app->rpc_server, err);
        if (r)
                return r;
        return tk_http_new(
                &(struct tk_http_conf){
                        .bind = app->conf.rest_bind,
                        .threads = app->conf.rest_threads,
                        .routes = work_routes,
                        .routes_n = work_routes_n,
                        .error = work_reply_server_error,
                        .app = app,
                        .observe = observe_http,
                },
                &app->http, err);
}

static int start(struct work_app *app, const struct tkw_module *module, const struct tkw_events *events, struct tk_err *err)
{
        int r = load_handlers(app, module, events, err);
        if (!r)
                r = load_sources(app, err);
        if (r)
                return r;
        app->rpc = tk_rpc_new();
        if (*app->conf.cache_address)
                app->cache = tk_rpc_channel_new(app->rpc, app->conf.cache_address);
        start_work(app);
        r = start_servers(app, err);
        if (!r) { /* from here on work may arrive */
                atomic_store(&app->started, true);
                tk_actor_wake(app->connect);
        }
        return r;
}

int work_app_new(struct work_conf *conf, const struct tkw_module *module, const struct tkw_events *events, struct work_app **ret,
                 struct tk_err *err)
{
        struct work_app *app = TK_NEW(struct work_app);
        app->conf = *conf;
        *conf = (struct work_conf){0};
        app->started_ns = tk_time_wall_ns();
        identity(app);
        app->metrics = tk_metrics_new(metric_rows, WORK_METRICS);
        int r = start(app, module, events, err);
        if (r)
                work_app_free(app);
        else
                *ret = app;
        return r;
}

bool work_app_ready(struct work_app *app)
{
        return !atomic_load(&app->stopping) && atomic_load(&app->enlisted) && work_links_up(app->links) > 0;
}

/* The links come to rest: with all results handed in, or near the deadline with failures for what did not finish. */
static void drain_links(struct work_app *app, int64_t deadline_ns)
{
        struct work_ledger_numbers numbers;
        work_ledger_stop_credit(app->ledger);
        if (work_links_drain(app->links, deadline_ns - GIVE_UP_NS))
                return;
        work_ledger_numbers(app->ledger, &numbers);
        tk_log_warn("worker.giving_up", "The grace time is nearly over; what did not finish will run elsewhere.",
                    TK_INT("running", numbers.running), TK_INT("queued", numbers.queued));
        atomic_store(&app->giving_up, true);
        work_templates_close(app->templates);
        work_watch_expire_all(app->watch);
        (void)work_links_drain(app->links, deadline_ns);
}

/* Without links nobody would take a result: what still runs is told to stop, and waited for. */
static void drain(struct work_app *app, int64_t deadline_ns)
{
        struct work_ledger_numbers numbers;
        drain_links(app, deadline_ns);
        work_links_close(app->links);
        tk_actor_stop(app->connect);
        atomic_store(&app->giving_up, true);
        work_templates_close(app->templates);
        work_ledger_numbers(app->ledger, &numbers);
        if (numbers.unacknowledged)
                tk_log_warn("worker.results_lost", "Results that no orchestrator acknowledged; their steps run again.",
                            TK_INT("results", numbers.unacknowledged));
        work_watch_expire_all(app->watch);
        if (!work_watch_wait_empty(app->watch, deadline_ns)) { /* threads that cannot be joined */
                tk_log_error("worker.stuck", "Handlers did not return within the grace time.");
                _exit(EXIT_STUCK);
        }
}

/* Subscribers get what was acknowledged, for a while. */
static void drain_bus(struct work_app *app, int64_t deadline_ns)
{
        int64_t until_ns = tk_time_mono_ns() + app->conf.events_drain;
        if (work_bus_drain(app->bus, until_ns < deadline_ns ? until_ns : deadline_ns))
                return;
        tk_log_error("worker.stuck", "A subscriber of domain events did not return within the grace time.");
        _exit(EXIT_STUCK);
}

struct work_app *work_app_free(struct work_app *app)
{
        if (!app)
                return NULL;
        int64_t deadline = tk_time_mono_ns() + app->conf.shutdown_grace;
        atomic_store(&app->stopping, true);
        if (app->rpc_server)
                tk_rpc_server_set_serving(app->rpc_server, false);
        if (app->connect)
                drain(app, deadline);
        tk_actor_stop(app->enlist);
        tk_actor_stop(app->execute);
        tk_actor_stop(app->timer);
        if (app->bus)
                drain_bus(app, deadline);
        if (app->http) /* up to here whoever looks sees it come to rest */
                tk_http_quiesce(app->http, deadline);
        app->http = tk_http_free(app->http);
        if (app->rpc_server)
                app->rpc_server = tk_rpc_server_free(app->rpc_server, deadline);
        app->bus = work_bus_free(app->bus);
        app->connect = tk_actor_stop_free(app->connect);
        app->enlist = tk_actor_stop_free(app->enlist);
        app->execute = tk_actor_stop_free(app->execute);
        app->timer = tk_actor_stop_free(app->timer);
        app->links = work_links_free(app->links);
        app->cache = tk_rpc_channel_free(app->cache);
        if (app->rpc)
                app->rpc = tk_rpc_free(app->rpc);
        app->watch = work_watch_free(app->watch);
        app->permits = tk_permits_free(app->permits);
        app->templates = work_templates_free(app->templates);
        app->ledger = work_ledger_free(app->ledger);
        app->pace = work_pace_free(app->pace);
        app->parties = work_parties_free(app->parties);
        app->registry = work_registry_free(app->registry);
        work_sources_free(&app->sources);
        app->metrics = tk_metrics_free(app->metrics);
        tk_conf_deinit(work_conf_rows, work_conf_rows_n, &app->conf);
        return tk_free(app);
}
