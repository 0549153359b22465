/* SPDX-License-Identifier: MIT */
/* cache/api/rpc.c: see the header. Runs in the gRPC thread: memory only, everything slower is an actor's. */
#include "cache/api/rpc.h"
#include "base/str.h"
#include "cache/actor/invalidate.h"
#include "cache/actor/load.h"
#include "rpc/pack.h"
#include "tasker/cache/v1/cache.pb-c.h"

enum { REQUEST_ARENA = 4096, REQUEST_MAX = 64 * 1024 };

/* Replies by itself when the bytes are no such message. */
#define READ(type, descriptor) \
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(REQUEST_ARENA, REQUEST_MAX); \
        const type *request = tk_rpc_unpack(&(descriptor), arena, data, len); \
        if (!request) { \
                tk_rpc_reply(call, TK_RPC_INVALID_ARGUMENT, "the bytes are not a " #type ", or larger than 64 KiB", NULL, 0); \
                return; \
        }

static void ask(struct cache_app *app, struct tk_rpc_call *call, const struct cache_key *key, int r, const char *wanted)
{
        if (r)
                tk_rpc_reply(call, TK_RPC_INVALID_ARGUMENT, wanted, NULL, 0);
        else
                cache_ask(app, key, call);
}

static void get_named_task(struct tk_rpc_call *call, void *app, const void *data, size_t len)
{
        struct cache_key key;
        READ(Tasker__Cache__V1__GetNamedTaskRequest, tasker__cache__v1__get_named_task_request__descriptor)
        ask(app, call, &key, cache_key_named(&key, request->namespace_, request->name, request->version),
            "namespace and name must be 1 to 128 bytes without '/', version at most 128");
}

static void get_template(struct tk_rpc_call *call, void *app, const void *data, size_t len)
{
        struct cache_key key;
        READ(Tasker__Cache__V1__GetTemplateRequest, tasker__cache__v1__get_template_request__descriptor)
        ask(app, call, &key, cache_key_template(&key, request->digest),
            "digest must be 64 hexadecimal digits in lower case");
}

static void list_templates(struct tk_rpc_call *call, void *app, const void *data, size_t len)
{
        struct cache_key key;
        READ(Tasker__Cache__V1__ListTemplatesRequest, tasker__cache__v1__list_templates_request__descriptor)
        ask(app, call, &key, cache_key_list(&key, request->namespace_), "namespace must be at most 128 bytes without '/'");
}

static void invalidate(struct tk_rpc_call *call, void *app, const void *data, size_t len)
{
        READ(Tasker__Cache__V1__InvalidateRequest, tasker__cache__v1__invalidate_request__descriptor)
        cache_invalidate_call(app, request->namespace_, request->name, request->version, call);
}

static void stats(struct tk_rpc_call *call, void *app_, const void *data, size_t len)
{
        struct cache_app *app = app_;
        struct cache_store_stats store;
        Tasker__Cache__V1__StatsResponse answer = TASKER__CACHE__V1__STATS_RESPONSE__INIT;
        (void)data;
        (void)len;
        cache_store_stats(app->store, &store);
        answer.l1_entries = store.entries;
        answer.l1_bytes = store.bytes;
        answer.l1_bytes_max = store.bytes_max;
        answer.evictions = store.evictions;
        answer.l1_hits = (uint64_t)tk_metric_get_l(app->metrics, CACHE_M_hits_total, "memory");
        answer.l2_hits = (uint64_t)tk_metric_get_l(app->metrics, CACHE_M_hits_total, "redis");
        answer.negative_hits = (uint64_t)tk_metric_get_l(app->metrics, CACHE_M_hits_total, "negative");
        answer.loads = (uint64_t)tk_metric_get(app->metrics, CACHE_M_loads_total);
        answer.misses = (uint64_t)tk_metric_get(app->metrics, CACHE_M_misses_total);
        answer.shared_flights = (uint64_t)tk_metric_get(app->metrics, CACHE_M_shared_loads_total);
        answer.invalidations = (uint64_t)tk_metric_get(app->metrics, CACHE_M_invalidations_total);
        answer.redis_breaker = tk_str_unconst(cache_app_breaker(app));
        tk_rpc_reply_message(call, &answer.base);
}

#define SERVICE "/tasker.cache.v1.TemplateCache/"
const struct tk_rpc_method cache_rpc_methods[] = {
        {.path = SERVICE "GetNamedTask", .unary = get_named_task},
        {.path = SERVICE "GetTemplate", .unary = get_template},
        {.path = SERVICE "ListTemplates", .unary = list_templates},
        {.path = SERVICE "Invalidate", .unary = invalidate},
        {.path = SERVICE "Stats", .unary = stats},
};
const size_t cache_rpc_methods_n = tk_countof(cache_rpc_methods);
