/* SPDX-License-Identifier: MIT */
/* cache/app.h: owns everything in the process and is the only place that knows the order of start and stop.
 *
 * A question goes: gRPC thread → store (hit: answered at once) → flights → load actor (Redis, then PostgreSQL) → answer to
 * all who wait. Invalidations go through one actor, so that Redis, store and flights are dropped in one order everywhere. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include "cache/core/flights.h"
#include "cache/core/store.h"
#include "conf/rows.h"
#include "http/http.h"
#include "metric/metric.h"
#include "rpc/rpc.h"
#include "run/actor.h"
#include <stdatomic.h>

struct cache_conf {
#define CONF TK_CONF_FIELD
#include "cache/tbl/conf.h"
#undef CONF
};
extern const struct tk_conf_row cache_conf_rows[];
extern const size_t cache_conf_rows_n;

enum cache_metric {
#define METRIC(id, kind, label, help) CACHE_M_##id,
#include "cache/tbl/metrics.h"
#undef METRIC
        CACHE_METRICS
};

struct cache_events;

struct cache_app {
        struct cache_conf conf;
        char instance_id[65];
        int64_t started_ns;        /* wall clock */
        atomic_bool stopping;
        atomic_bool database_up;   /* the last attempt to use PostgreSQL succeeded */
        _Atomic int redis_breaker; /* enum tk_kv_breaker of the loader that used Redis last */

        struct tk_metrics *metrics;
        struct cache_store *store;
        struct cache_flights *flights;
        struct cache_events *events;
        struct tk_actor *load, *invalidate;
        struct tk_rpc *rpc;
        struct tk_rpc_server *rpc_server;
        struct tk_http *http;
};

TK_MUST int cache_app_new(struct cache_conf *conf, struct cache_app **ret, struct tk_err *err); /* conf is moved into the app */
/* Listening, and PostgreSQL or Redis answers. */
bool cache_app_ready(struct cache_app *app);
/* "closed", "open", "half_open", or "off" without Redis. */
const char *cache_app_breaker(struct cache_app *app);
struct cache_app *cache_app_free(struct cache_app *app);

#define cache_count(app, id) tk_metric_add((app)->metrics, CACHE_M_##id, 1)
#define cache_count_l(app, id, label) tk_metric_add_l((app)->metrics, CACHE_M_##id, (label), 1)
