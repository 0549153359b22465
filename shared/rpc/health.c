/* SPDX-License-Identifier: MIT */
/* rpc/health.c: the standard health protocol: Check answers once, Watch answers at once and on every change. */
#include "base/arena.h"
#include "base/mem.h"
#include "base/str.h"
#include "grpc/health/v1/health.pb-c.h"
#include "rpc/internal.h"
#include "rpc/pack.h"

typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus serving_status;
#define UNKNOWN_SERVICE GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN
#define SERVING GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
#define NOT_SERVING GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
enum { REQUEST_ARENA = 4096, SERVICE_MAX = 256 };

struct tk_rpc_health {
        struct tk_lock lock;
        const char *const *services; /* NULL-terminated; static storage of the server's owner */
        bool serving;
        struct tk_list watchers;
};

struct watcher {
        struct tk_list link;
        struct tk_rpc_health *health;
        struct tk_rpc_stream *stream;
        bool asked;         /* its request has come */
        bool known;
        int told;           /* the last status sent; -1: none */
};

struct tk_rpc_health *tk_rpc_health_new(const char *const *services)
{
        struct tk_rpc_health *health = TK_NEW(struct tk_rpc_health);
        tk_lock_init(&health->lock, "rpc-health");
        tk_list_init(&health->watchers);
        health->services = services;
        return health;
}

struct tk_rpc_health *tk_rpc_health_free(struct tk_rpc_health *health)
{
        tk_lock_deinit(&health->lock);
        return tk_free(health);
}

static bool is_known(const struct tk_rpc_health *health, const char *service)
{
        if (!*service)
                return true;
        for (size_t i = 0; health->services && health->services[i]; i++)
                if (tk_streq(health->services[i], service))
                        return true;
        return false;
}

/* The service a request names; false: not a request. */
static bool requested(const void *data, size_t len, char service[SERVICE_MAX])
{
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(REQUEST_ARENA, 16 * REQUEST_ARENA);
        const Grpc__Health__V1__HealthCheckRequest *request =
                tk_rpc_unpack(&grpc__health__v1__health_check_request__descriptor, arena, data, len);
        return request && !tk_str_copy(service, SERVICE_MAX, request->service);
}

static void check(struct tk_rpc_call *call, void *app, const void *data, size_t len)
{
        struct tk_rpc_health *health = app;
        char service[SERVICE_MAX];
        Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
        if (!requested(data, len, service)) {
                tk_rpc_reply(call, TK_RPC_INVALID_ARGUMENT, "not a HealthCheckRequest", NULL, 0);
                return;
        }
        if (!is_known(health, service)) {
                tk_rpc_reply(call, TK_RPC_NOT_FOUND, "unknown service", NULL, 0);
                return;
        }
        tk_lock_take(&health->lock);
        response.status = health->serving ? SERVING : NOT_SERVING;
        tk_lock_give(&health->lock);
        tk_rpc_reply_message(call, &response.base);
}

static bool watch_message(struct tk_rpc_stream *stream, void *user, const void *data, size_t len)
{
        struct watcher *w = user;
        char service[SERVICE_MAX];
        if (!requested(data, len, service)) {
                tk_rpc_stream_close(stream, TK_RPC_INVALID_ARGUMENT, "not a HealthCheckRequest");
                return false;
        }
        tk_lock_take(&w->health->lock);
        w->asked = true;
        w->known = is_known(w->health, service);
        tk_lock_give(&w->health->lock);
        tk_rpc_stream_wake(stream);
        return false; /* there is only one request; the end of the call tells the rest */
}

static bool watch_frame(struct tk_rpc_stream *stream, void *user, struct tk_buf *buf)
{
        struct watcher *w = user;
        (void)stream;
        tk_lock_take(&w->health->lock);
        serving_status status = !w->known ? UNKNOWN_SERVICE : w->health->serving ? SERVING : NOT_SERVING;
        bool news = w->asked && (int)status != w->told;
        if (news)
                w->told = (int)status;
        tk_lock_give(&w->health->lock);
        if (!news)
                return false;
        Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
        response.status = status;
        tk_rpc_pack(&response.base, buf);
        return true;
}

static void watch_closed(struct tk_rpc_stream *stream, void *user, enum tk_rpc_status status, const char *message)
{
        struct watcher *w = user;
        (void)status;
        (void)message;
        tk_lock_take(&w->health->lock);
        tk_list_remove(&w->link);
        tk_lock_give(&w->health->lock);
        tk_rpc_stream_unref(stream);
        tk_free(w);
}

static const struct tk_rpc_stream_ops watch_ops = {
        .message = watch_message, .next_frame = watch_frame, .closed = watch_closed};

static enum tk_rpc_status watch(struct tk_rpc_stream *stream, void *app, const struct tk_rpc_stream_ops **ret_ops,
                                void **ret_user)
{
        struct tk_rpc_health *health = app;
        struct watcher *w = TK_NEW(struct watcher);
        w->health = health;
        w->stream = stream;
        w->told = -1;
        tk_rpc_stream_ref(stream);
        tk_lock_take(&health->lock);
        tk_list_append(&health->watchers, &w->link);
        tk_lock_give(&health->lock);
        *ret_ops = &watch_ops;
        *ret_user = w;
        return TK_RPC_OK;
}

void tk_rpc_health_set(struct tk_rpc_health *health, bool serving)
{
        struct tk_rpc_stream *streams[64];
        size_t n = 0;
        tk_lock_take(&health->lock);
        bool changed = health->serving != serving;
        health->serving = serving;
        tk_list_each(node, &health->watchers) {
                struct watcher *w = tk_list_entry(node, struct watcher, link);
                if (changed && n < tk_countof(streams)) {
                        streams[n] = w->stream;
                        tk_rpc_stream_ref(streams[n++]);
                }
        }
        tk_lock_give(&health->lock);
        for (size_t i = 0; i < n; i++) { /* outside of the lock: waking asks for the frame at once */
                tk_rpc_stream_wake(streams[i]);
                tk_rpc_stream_unref(streams[i]);
        }
}

const struct tk_rpc_method tk_rpc_health_methods[2] = {
        {.path = "/grpc.health.v1.Health/Check", .unary = check},
        {.path = "/grpc.health.v1.Health/Watch", .stream = watch},
};
