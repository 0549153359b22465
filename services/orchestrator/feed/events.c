/* SPDX-License-Identifier: MIT */
/* orchestrator/feed/events.c: see the header. After a reconnect anything may have been missed: queues are marked, waiters
 * read once, names of templates are asked for again. */
#include "orchestrator/feed/events.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"
#include "kv/kv.h"
#include "orchestrator/actor/hint.h"
#include "orchestrator/app.h"
#include "orchestrator/core/sessions.h"
#include "orchestrator/core/template.h"
#include "orchestrator/core/waiters.h"
#include "pg/listen.h"
#include <stdatomic.h>

#define PEER_SILENCE_NS (20 * TK_NS_PER_S)

struct orch_events {
        struct orch_app *app;
        struct tk_kv_subscriber *kv;
        struct tk_pg_listener *pg;
        _Atomic int64_t peer_seen_ns; /* monotonic; at first when it began to listen: others say only now and then that they are there */
};

static void missed(struct orch_events *events)
{
        char ns[ORCH_SESSION_NAMESPACES_MAX][ORCH_NAMESPACE_MAX];
        size_t n = orch_sessions_namespaces(events->app->sessions, ns, ORCH_SESSION_NAMESPACES_MAX);
        for (size_t i = 0; i < n; i++)
                orch_queue_mark(events->app->sessions, ns[i]);
        orch_waiters_notify_all(events->app->waiters);
        orch_templates_drop(events->app->templates, NULL);
}

/* "d <uuid> <uuid> …" after the "d " */
static void tasks_done(struct orch_events *events, const char *text)
{
        for (struct tk_uuid task; strlen(text) >= TK_UUID_TEXT - 1 && !tk_uuid_parse_n(text, TK_UUID_TEXT - 1, &task);) {
                orch_waiters_notify(events->app->waiters, &task);
                text += TK_UUID_TEXT - 1;
                text += *text == ' ';
        }
}

static void heard(struct orch_events *events, const char *channel, const char *text)
{
        orch_count_l(events->app, hints_total, "received");
        if (tk_streq(channel, TK_CHANNEL_TEMPLATES))
                orch_templates_drop(events->app->templates, text);
        else if (tk_str_starts(text, "q "))
                orch_queue_mark(events->app->sessions, text + 2);
        else if (tk_str_starts(text, "d "))
                tasks_done(events, text + 2);
        else if (tk_str_starts(text, "o ") && !tk_streq(text + 2, events->app->instance_id))
                atomic_store(&events->peer_seen_ns, tk_time_mono_ns());
}

static void from_redis(void *user, const char *channel, const void *data, size_t len)
{
        if (!data) {
                missed(user);
                return;
        }
        TK_AUTOFREE char *text = tk_strndup(data, len);
        heard(user, channel, text);
}

static void from_postgres(void *user, const char *channel, const char *payload)
{
        if (payload)
                heard(user, channel, payload);
        else
                missed(user);
}

struct orch_events *orch_events_new(struct orch_app *app)
{
        static const char *const channels[] = {TK_CHANNEL_HINT, TK_CHANNEL_TEMPLATES, NULL};
        struct orch_events *events = TK_NEW(struct orch_events);
        events->app = app;
        events->peer_seen_ns = tk_time_mono_ns();
        if (*app->conf.redis_url)
                events->kv = tk_kv_subscriber_new(&(struct tk_kv_conf){.url = app->conf.redis_url}, channels,
                                                  from_redis, events);
        const char *url = *app->conf.database_listen_url ? app->conf.database_listen_url : app->conf.database_url;
        events->pg = tk_pg_listener_new(url, channels, from_postgres, events);
        return events;
}

struct orch_events *orch_events_free(struct orch_events *events)
{
        if (!events)
                return NULL;
        tk_kv_subscriber_free(events->kv);
        tk_pg_listener_free(events->pg);
        return tk_free(events);
}

bool orch_events_alone(struct orch_events *events)
{
        if (!events)
                return true;
        return tk_time_mono_ns() - atomic_load_explicit(&events->peer_seen_ns, memory_order_relaxed) > PEER_SILENCE_NS;
}
