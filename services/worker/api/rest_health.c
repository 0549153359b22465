/* SPDX-License-Identifier: MIT */
/* worker/api/rest_health.c: health from figures that are kept anyway.
 *
 * The names of the checks are those of the wire contract, made for a worker with a database of its own. This one has none:
 * `database` tells whether an orchestrator is connected, `command_processor` whether templates are registered,
 * `queue_processing` whether assignments find room. */
#include "base/str.h"
#include "base/time.h"
#include "worker/api/reply.h"
#include "worker/api/routes.h"
#include "worker/app.h"
#include "worker/feed/links.h"
#include <stdio.h>

enum { READY_CHECKS = 3, CHECKS = 6, PAGE_MAX = 256 * 1024 };

struct check {
        const char *name;
        bool healthy;
        char message[160];
};

static void basic(struct tk_http_req *req, struct work_app *app, const char *status)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, 4096);
        tk_buf_printf(&buf, "{\"status\":\"%s\",\"timestamp\":", status);
        work_put_now(&buf);
        tk_buf_puts(&buf, ",\"worker_id\":");
        work_put_str(&buf, app->worker_id);
        tk_buf_putc(&buf, '}');
        work_reply_json(req, &buf);
}

void work_rest_health(struct tk_http_req *req, void *app)
{
        basic(req, app, "healthy");
}

void work_rest_health_live(struct tk_http_req *req, void *app)
{
        basic(req, app, "alive");
}

/* Readiness first, then the rest. True: ready. */
static bool look(struct work_app *app, struct check ret[CHECKS])
{
        struct work_ledger_numbers numbers;
        unsigned up = work_links_up(app->links);
        bool enlisted = atomic_load(&app->enlisted), running = !atomic_load(&app->stopping);
        size_t handlers = work_registry_count(app->registry);
        work_ledger_numbers(app->ledger, &numbers);
        ret[0] = (struct check){.name = "database", .healthy = up > 0};
        snprintf(ret[0].message, sizeof ret[0].message, "%u of %u orchestrators connected (they own the database)",
                 up, work_links_count(app->links));
        ret[1] = (struct check){.name = "command_processor", .healthy = enlisted && running};
        snprintf(ret[1].message, sizeof ret[1].message, "%s",
                 !running   ? "stopping"
                 : enlisted ? "templates are registered"
                            : "templates are not registered yet");
        ret[2] = (struct check){.name = "queue_processing", .healthy = numbers.unacknowledged < app->conf.unacked_max};
        snprintf(ret[2].message, sizeof ret[2].message, "%u queued, %u results unacknowledged (at most %u)",
                 numbers.queued, numbers.unacknowledged, app->conf.unacked_max);
        ret[3] = (struct check){.name = "event_system", .healthy = up == work_links_count(app->links)};
        snprintf(ret[3].message, sizeof ret[3].message, "%u streams open", up);
        ret[4] = (struct check){.name = "step_processing", .healthy = numbers.overruns < app->conf.permits && handlers > 0};
        snprintf(ret[4].message, sizeof ret[4].message,
                 "%zu handlers, %u of %u permits in use, %u past their deadline", handlers,
                 numbers.running + numbers.overruns, app->conf.permits, numbers.overruns);
        int64_t now_ns = tk_time_mono_ns();
        bool cache_rests = now_ns < atomic_load(&app->cache_rest_until_ns), slow = now_ns < atomic_load(&app->slow_until_ns);
        ret[5] = (struct check){.name = "circuit_breakers", .healthy = !cache_rests && !slow};
        snprintf(ret[5].message, sizeof ret[5].message, "%s",
                 cache_rests ? "the cache service is left alone after a failure"
                 : slow      ? "results took more than 100 ms to be stored"
                             : "none is open");
        return ret[0].healthy && ret[1].healthy && ret[2].healthy;
}

static void put_checks(struct tk_buf *buf, const struct check *checks, size_t n)
{
        tk_buf_puts(buf, ",\"checks\":{");
        for (size_t i = 0; i < n; i++) {
                tk_buf_printf(buf, "%s\"%s\":{\"status\":\"%s\",\"message\":", i ? "," : "", checks[i].name,
                              checks[i].healthy ? "healthy" : "unhealthy");
                work_put_str(buf, checks[i].message);
                tk_buf_puts(buf, ",\"duration_ms\":0,\"last_checked\":");
                work_put_now(buf);
                tk_buf_putc(buf, '}');
        }
        tk_buf_putc(buf, '}');
}

static void put_system(struct tk_buf *buf, struct work_app *app)
{
        tk_buf_puts(buf, ",\"system_info\":{\"version\":\"" TASKER_VERSION "\",\"environment\":");
        work_put_str(buf, app->conf.environment);
        tk_buf_printf(buf,
                      ",\"uptime_seconds\":%lld,\"worker_type\":\"command_processor\",\"database_pool_size\":0,"
                      "\"command_processor_active\":%s,"
                      "\"supported_namespaces\":[",
                      (long long)((tk_time_wall_ns() - app->started_ns) / TK_NS_PER_S),
                      atomic_load(&app->stopping) ? "false" : "true");
        for (size_t i = 0; i < app->sources.namespaces_n; i++) {
                tk_buf_puts(buf, i ? "," : "");
                work_put_str(buf, app->sources.namespaces[i]);
        }
        tk_buf_puts(buf, "]}");
}

static void detailed(struct tk_http_req *req, struct work_app *app, const char *status, const struct check *checks,
                     size_t n)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, PAGE_MAX);
        tk_buf_printf(&buf, "{\"status\":\"%s\",\"timestamp\":", status);
        work_put_now(&buf);
        tk_buf_puts(&buf, ",\"worker_id\":");
        work_put_str(&buf, app->worker_id);
        put_checks(&buf, checks, n);
        put_system(&buf, app);
        tk_buf_putc(&buf, '}');
        work_reply_json(req, &buf);
}

void work_rest_health_ready(struct tk_http_req *req, void *app)
{
        struct check checks[CHECKS];
        if (look(app, checks))
                detailed(req, app, "ready", checks, READY_CHECKS);
        else
                work_reply_error(req, 503, "service_unavailable", "Worker is not ready to process steps");
}

void work_rest_health_detailed(struct tk_http_req *req, void *app)
{
        struct check checks[CHECKS];
        bool healthy = look(app, checks);
        for (size_t i = 0; i < CHECKS; i++)
                healthy &= checks[i].healthy;
        detailed(req, app, healthy ? "healthy" : "degraded", checks, CHECKS);
}
