/* SPDX-License-Identifier: MIT */
/* worker/app.h: owns everything in the process and is the only place that knows the order of start and stop. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include "conf/rows.h"
#include "http/http.h"
#include "metric/metric.h"
#include "rpc/rpc.h"
#include "run/actor.h"
#include "run/permit.h"
#include "worker/core/ledger.h"
#include "worker/core/pace.h"
#include "worker/core/sources.h"
#include "worker/core/templates.h"
#include "worker/handler/registry.h"
#include <stdatomic.h>

struct work_conf {
#define CONF TK_CONF_FIELD
#include "worker/tbl/conf.h"
#undef CONF
};
extern const struct tk_conf_row work_conf_rows[];
extern const size_t work_conf_rows_n;

enum work_metric {
#define METRIC(id, kind, label, help) WORK_M_##id,
#include "worker/tbl/metrics.h"
#undef METRIC
        WORK_METRICS
};

struct work_bus;
struct work_links;
struct work_watch;

struct work_app {
        struct work_conf conf;
        char worker_id[65];             /* one identity: stream, results, health, logs */
        char hostname[256];
        int64_t started_ns;             /* wall clock */
        atomic_bool started;            /* everything below exists: links may open */
        atomic_bool stopping;           /* TERM was seen: not ready, nothing new */
        atomic_bool giving_up;          /* the grace time is nearly over: what did not start will not */
        atomic_int_fast64_t cache_rest_until_ns; /* monotonic; the cache service failed and is left alone */
        atomic_int_fast64_t slow_until_ns;       /* monotonic; results were slow to be acknowledged */
        atomic_uint in_hand;            /* steps without a result (core/together.h) */
        atomic_bool enlisted;           /* templates are registered */

        struct tk_metrics *metrics;
        struct work_registry *registry; /* handlers by name */
        struct work_parties *parties;   /* publishers and subscribers of domain events */
        struct work_bus *bus;           /* events to subscribers */
        struct work_sources sources;    /* own template files */
        struct work_templates *templates; /* templates by digest */
        struct work_ledger *ledger;     /* attempts in this process, credit */
        struct work_pace *pace;         /* how many of them at once */
        struct work_watch *watch;       /* handlers that run, by deadline */
        struct tk_permits *permits;

        struct tk_actor *execute, *timer, *connect, *enlist;
        struct work_links *links;
        struct tk_rpc *rpc;
        struct tk_rpc_channel *cache;   /* NULL: no cache service configured */
        struct tk_rpc_server *rpc_server;
        struct tk_http *http;
};

/* Starts everything that `conf` describes; connections are made and repaired in the background. `module` and `events`
 * may be NULL. 0, or negative with err (handlers that cannot be loaded, an address that cannot be bound). conf is moved into the app. */
TK_MUST int work_app_new(struct work_conf *conf, const struct tkw_module *module, const struct tkw_events *events, struct work_app **ret,
                         struct tk_err *err);
/* Connected to an orchestrator, templates registered, not stopping. */
bool work_app_ready(struct work_app *app);
/* Drains within shutdown.grace and frees. Returns NULL. Ends the process with status 1 when a handler does not return. */
struct work_app *work_app_free(struct work_app *app);

#define work_count(app, id) tk_metric_add((app)->metrics, WORK_M_##id, 1)
#define work_count_l(app, id, label) tk_metric_add_l((app)->metrics, WORK_M_##id, (label), 1)
