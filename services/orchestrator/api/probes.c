/* SPDX-License-Identifier: MIT */
/* orchestrator/api/probes.c: see the header. */
#include "orchestrator/api/probes.h"
#include "orchestrator/app.h"
#include "orchestrator/core/pressure.h"
#include "orchestrator/core/sessions.h"
#include "orchestrator/core/template.h"
#include <stdio.h>

void orch_actors(struct orch_app *app, struct tk_actor *ret[ORCH_ACTORS])
{
        struct tk_actor *all[ORCH_ACTORS] = {app->intake,  app->results, app->dispatch, app->timers,
                                             app->sweeper, app->query,   app->show,  app->hint};
        for (size_t i = 0; i < ORCH_ACTORS; i++)
                ret[i] = all[i];
}

static struct orch_probe connected(const char *name, bool yes)
{
        struct orch_probe probe = {.name = name, .for_readiness = true, .healthy = yes};
        snprintf(probe.message, sizeof probe.message, probe.healthy ? "connected" : "no connection to the database");
        return probe;
}

/* Intake tries a database that is away only after a backoff, and refuses at once meanwhile: an open breaker. */
static struct orch_probe breaker(struct orch_app *app)
{
        struct orch_probe probe = {
                .name = "circuit_breaker", .for_readiness = true, .healthy = atomic_load(&app->intake_up)};
        /* The others cost latency, not readiness: told, no more. */
        bool cache = app->cache && orch_templates_cache_rests(app->templates);
        bool redis = atomic_load_explicit(&app->redis_rests, memory_order_relaxed);
        snprintf(probe.message, sizeof probe.message, "%s%s%s", probe.healthy ? "closed" : "open", cache ? ", cache service: open" : "",
                 redis ? ", Redis: open" : "");
        return probe;
}

static struct orch_probe saturation(struct orch_app *app)
{
        struct orch_probe probe = {.name = "channel_saturation", .healthy = true, .message = "all mailboxes have room"};
        struct orch_pressure full;
        char text[ORCH_PRESSURE_TEXT];
        bool sheds = orch_mailboxes_shed(app, &full);
        probe.healthy = !sheds && !full.high;
        if (probe.healthy) {
                sheds = orch_permits_shed(app, NULL, &full); /* only high, they are workers at work */
                probe.healthy = !sheds;
        }
        if (probe.healthy)
                return probe;
        orch_pressure_text(&full, text);
        snprintf(probe.message, sizeof probe.message, "%s%s", text, sheds ? ": new tasks are refused" : "");
        return probe;
}

static struct orch_probe queue_depth(struct orch_app *app)
{
        struct orch_probe probe = {.name = "queue_depth", .healthy = true};
        struct orch_sessions_numbers numbers;
        orch_sessions_numbers(app->sessions, &numbers);
        snprintf(probe.message, sizeof probe.message, "%u workers, credit for %u steps, %u in flight",
                 numbers.sessions, numbers.credit, numbers.held);
        return probe;
}

bool orch_probes(struct orch_app *app, struct orch_probe ret[ORCH_PROBES])
{
        bool running = !atomic_load(&app->stopping);
        size_t n = 0;
        /* Names after the wire contract; the query actor keeps no readiness of its own: it answers 503 by itself. */
        ret[n++] = connected("web_database", atomic_load(&app->intake_up));
        ret[n++] = connected("orchestration_database", tk_actor_ready(app->results));
        ret[n++] = breaker(app);
        ret[n++] = (struct orch_probe){.name = "orchestration_system", .for_readiness = true, .healthy = running};
        snprintf(ret[n - 1].message, sizeof ret[n - 1].message, running ? "running" : "stopping");
        ret[n++] = connected("command_processor", tk_actor_ready(app->dispatch));
        ret[n++] = (struct orch_probe){
                .name = "pool_utilization", .healthy = true, .message = "one connection per actor thread"};
        ret[n++] = queue_depth(app);
        ret[n++] = saturation(app);
        bool ready = true;
        for (size_t i = 0; i < n; i++)
                ready &= !ret[i].for_readiness || ret[i].healthy;
        return ready;
}
