/* SPDX-License-Identifier: MIT */
/* kv/kv.c: commands behind a breaker. Closed: calls go through; `failures` in a row open it. Open: calls return at once until
 * open_ns have passed. Half open: one call goes through and decides. */
#include "base/mem.h"
#include "base/time.h"
#include "kv/internal.h"
#include <stdarg.h>
#include <stdatomic.h>

enum { FAILURES_DEFAULT = 5 };
#define OPEN_DEFAULT_NS (5 * TK_NS_PER_S)

struct tk_kv {
        char *url;
        int64_t timeout_ns, open_ns, open_until_ns;
        unsigned failures_max, failures;
        atomic_int state; /* enum tk_kv_breaker; read by others for metrics */
        redisContext *redis;
};

const char *tk_kv_breaker_name(enum tk_kv_breaker state)
{
        static const char *const names[] = {"closed", "open", "half_open"};
        return names[state];
}

struct tk_kv *tk_kv_new(const struct tk_kv_conf *conf)
{
        struct tk_kv *kv = TK_NEW(struct tk_kv);
        kv->url = tk_strdup(conf->url ? conf->url : "");
        kv->timeout_ns = conf->timeout_ns;
        kv->failures_max = conf->failures ? conf->failures : FAILURES_DEFAULT;
        kv->open_ns = conf->open_ns ? conf->open_ns : OPEN_DEFAULT_NS;
        return kv;
}

static void disconnect(struct tk_kv *kv)
{
        if (kv->redis)
                redisFree(kv->redis);
        kv->redis = NULL;
}

struct tk_kv *tk_kv_free(struct tk_kv *kv)
{
        if (!kv)
                return NULL;
        disconnect(kv);
        tk_free(kv->url);
        return tk_free(kv);
}

enum tk_kv_breaker tk_kv_breaker(const struct tk_kv *kv)
{
        return (enum tk_kv_breaker)atomic_load(&kv->state);
}

static void failed(struct tk_kv *kv)
{
        disconnect(kv);
        if (++kv->failures < kv->failures_max && tk_kv_breaker(kv) == TK_KV_CLOSED)
                return;
        atomic_store(&kv->state, TK_KV_OPEN);
        kv->open_until_ns = tk_time_mono_ns() + kv->open_ns;
}

static void succeeded(struct tk_kv *kv)
{
        kv->failures = 0;
        atomic_store(&kv->state, TK_KV_CLOSED);
}

/* Whether a call may be tried; connects when needed. */
static bool admitted(struct tk_kv *kv)
{
        if (!*kv->url)
                return false;
        if (tk_kv_breaker(kv) == TK_KV_OPEN) {
                if (tk_time_mono_ns() < kv->open_until_ns)
                        return false;
                atomic_store(&kv->state, TK_KV_HALF_OPEN);
        }
        if (!kv->redis)
                kv->redis = tk_kv_connect(kv->url, kv->timeout_ns);
        if (!kv->redis)
                failed(kv);
        return kv->redis;
}

/* The reply, or NULL: not admitted, failed, or refused by Redis. */
static redisReply *call(struct tk_kv *kv, const char *format, ...)
{
        if (!admitted(kv))
                return NULL;
        va_list ap;
        va_start(ap, format);
        redisReply *reply = redisvCommand(kv->redis, format, ap);
        va_end(ap);
        if (!reply) {
                failed(kv);
                return NULL;
        }
        succeeded(kv);
        if (reply->type != REDIS_REPLY_ERROR)
                return reply;
        freeReplyObject(reply);
        return NULL;
}

static int done(redisReply *reply)
{
        if (!reply)
                return TK_KV_E_DOWN;
        freeReplyObject(reply);
        return TK_KV_OK;
}

int tk_kv_get(struct tk_kv *kv, const char *key, struct tk_buf *ret_value)
{
        redisReply *reply = call(kv, "GET %s", key);
        bool present = reply && reply->type == REDIS_REPLY_STRING;
        if (present)
                tk_buf_put(ret_value, reply->str, (size_t)reply->len);
        if (!reply)
                return TK_KV_E_DOWN;
        freeReplyObject(reply);
        return present ? TK_KV_OK : TK_KV_E_ABSENT;
}

int tk_kv_set(struct tk_kv *kv, const char *key, const void *value, size_t len, int64_t ttl_ms)
{
        return done(call(kv, "SET %s %b PX %lld", key, value, len, (long long)ttl_ms));
}

int tk_kv_del(struct tk_kv *kv, const char *key)
{
        return done(call(kv, "DEL %s", key));
}

int tk_kv_publish(struct tk_kv *kv, const char *channel, const void *data, size_t len)
{
        return done(call(kv, "PUBLISH %s %b", channel, data, len));
}

int tk_kv_ping(struct tk_kv *kv)
{
        return done(call(kv, "PING"));
}
