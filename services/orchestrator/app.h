/* SPDX-License-Identifier: MIT */
/* orchestrator/app.h: owns everything in the process and is the only place that knows the order of start and stop. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include "base/uuid.h"
#include "conf/rows.h"
#include "http/http.h"
#include "metric/metric.h"
#include "rpc/rpc.h"
#include "run/actor.h"
#include <stdatomic.h>

struct orch_conf {
#define CONF TK_CONF_FIELD
#include "orchestrator/tbl/conf.h"
#undef CONF
};
extern const struct tk_conf_row orch_conf_rows[];
extern const size_t orch_conf_rows_n;

enum orch_metric {
#define METRIC(id, kind, label, help) ORCH_M_##id,
#include "orchestrator/tbl/metrics.h"
#undef METRIC
        ORCH_METRICS
};

struct orch_after;
struct orch_sessions;
struct orch_waiters;
struct orch_templates;
struct orch_events;

struct orch_app {
        struct orch_conf conf;
        char instance_id[65];
        char session_options[192];      /* what the SQL functions want to know of conf: tasker._pace */
        struct tk_uuid processor;       /* this process in the history tables */
        int64_t started_ns;             /* wall clock */
        atomic_bool pressed;            /* a mailbox is past shedding.warn_percent */
        _Atomic int64_t permits_told_ns; /* when it was last told that permits are past shedding.permits_warn_percent; monotonic */
        atomic_bool intake_up;          /* intake has its connection */
        atomic_bool redis_rests;        /* the last hint was not offered to Redis: its breaker is open */
        atomic_bool stopping;           /* TERM was seen: not ready, nothing new */

        const struct orch_after *after; /* what follows a commit */
        struct tk_metrics *metrics;
        struct orch_sessions *sessions; /* worker streams, credit, steps in flight */
        struct orch_waiters *waiters;   /* requests that wait for a task */
        struct orch_templates *templates; /* name and version → digest, in memory */
        struct orch_events *events;     /* hints from other orchestrators */

        struct tk_actor_type intake_type; /* with the batch size of the configuration */
        struct tk_list unreleased;      /* by dispatch after its mailbox was closed: its thread alone; given back as it ends */
        struct tk_actor *intake, *results, *dispatch, *timers, *sweeper, *query, *show, *hint;
        struct tk_rpc *rpc;
        struct tk_rpc_channel *cache;   /* NULL: no cache service configured */
        struct tk_rpc_server *rpc_server;
        struct tk_http *http;
};

/* Starts everything that `conf` describes; the actors connect by themselves and retry. 0, or negative with err
 * (an address that cannot be bound). conf is moved into the app. */
TK_MUST int orch_app_new(struct orch_conf *conf, struct orch_app **ret, struct tk_err *err);
/* All actors have their connection and both servers listen. */
bool orch_app_ready(struct orch_app *app);
/* Drains within shutdown.grace, releases what is left, frees. Returns NULL. */
struct orch_app *orch_app_free(struct orch_app *app);

#define orch_count(app, id) tk_metric_add((app)->metrics, ORCH_M_##id, 1)
#define orch_count_l(app, id, label) tk_metric_add_l((app)->metrics, ORCH_M_##id, (label), 1)
