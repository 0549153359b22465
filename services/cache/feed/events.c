/* SPDX-License-Identifier: MIT */
/* cache/feed/events.c: see the header. After a reconnect anything may have been missed: all names are dropped. */
#include "cache/feed/events.h"
#include "base/mem.h"
#include "base/str.h"
#include "cache/actor/invalidate.h"
#include "kv/kv.h"
#include "pg/listen.h"
#include "tbl/channels.h"

struct cache_events {
        struct tk_kv_subscriber *kv;
        struct tk_pg_listener *pg;
};

static void from_redis(void *app, const char *channel, const void *data, size_t len)
{
        (void)channel;
        TK_AUTOFREE char *text = data ? tk_strndup(data, len) : NULL;
        if (text)
                cache_invalidate(app, text);
        else
                cache_invalidate_all(app);
}

static void from_postgres(void *app, const char *channel, const char *payload)
{
        from_redis(app, channel, payload, payload ? strlen(payload) : 0);
}

struct cache_events *cache_events_new(struct cache_app *app)
{
        static const char *const channels[] = {TK_CHANNEL_TEMPLATES, NULL};
        struct cache_events *events = TK_NEW(struct cache_events);
        const char *listen_url = *app->conf.database_listen_url ? app->conf.database_listen_url : app->conf.database_url;
        if (*app->conf.redis_url)
                events->kv = tk_kv_subscriber_new(&(struct tk_kv_conf){.url = app->conf.redis_url}, channels,
                                                  from_redis, app);
        events->pg = tk_pg_listener_new(listen_url, channels, from_postgres, app);
        return events;
}

struct cache_events *cache_events_free(struct cache_events *events)
{
        if (!events)
                return NULL;
        tk_kv_subscriber_free(events->kv);
        tk_pg_listener_free(events->pg);
        return tk_free(events);
}
