/* SPDX-License-Identifier: MIT */
/* kv/kv.h: Redis as a cache and a whisper, never as truth. The only folder that includes hiredis.
 * Every call is bounded in time; after `failures` in a row the breaker opens and calls return TK_KV_E_DOWN at once until
 * a probe succeeds. Not thread-safe: one tk_kv per actor thread. */
#pragma once
#include "base/attr.h"
#include "base/buf.h"
#include <stdbool.h>
#include <stdint.h>

enum { TK_KV_OK, TK_KV_E_ABSENT, TK_KV_E_DOWN };
enum tk_kv_breaker { TK_KV_CLOSED, TK_KV_OPEN, TK_KV_HALF_OPEN };
const char *tk_kv_breaker_name(enum tk_kv_breaker state); /* closed, open, half_open */

struct tk_kv_conf {
        const char *url;       /* redis://[:password@]host:port[/db], unix:///path; "" = no Redis: always DOWN */
        int64_t timeout_ns;    /* per call and connect; 0: 200 ms */
        unsigned failures;     /* to open the breaker; 0: 5 */
        int64_t open_ns;       /* how long it stays open; 0: 5 s */
};
struct tk_kv;
TK_MUST struct tk_kv *tk_kv_new(const struct tk_kv_conf *conf); /* connects on first use */
struct tk_kv *tk_kv_free(struct tk_kv *kv);
TK_MUST int tk_kv_get(struct tk_kv *kv, const char *key, struct tk_buf *ret_value);
TK_MUST int tk_kv_set(struct tk_kv *kv, const char *key, const void *value, size_t len, int64_t ttl_ms);
TK_MUST int tk_kv_del(struct tk_kv *kv, const char *key);
TK_MUST int tk_kv_publish(struct tk_kv *kv, const char *channel, const void *data, size_t len);
TK_MUST int tk_kv_ping(struct tk_kv *kv);
enum tk_kv_breaker tk_kv_breaker(const struct tk_kv *kv);

/* Subscriptions: one thread and connection of its own; reconnects with jitter. fn runs in that thread.
 * data NULL: (re-)connected, so anything may have been missed. */
struct tk_kv_subscriber;
typedef void tk_kv_message_fn(void *user, const char *channel, const void *data, size_t len);
TK_MUST struct tk_kv_subscriber *tk_kv_subscriber_new(const struct tk_kv_conf *conf, const char *const *channels,
                                                      tk_kv_message_fn *fn, void *user);
struct tk_kv_subscriber *tk_kv_subscriber_free(struct tk_kv_subscriber *sub);
bool tk_kv_subscriber_connected(struct tk_kv_subscriber *sub);
