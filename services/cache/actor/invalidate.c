/* SPDX-License-Identifier: MIT */
/* cache/actor/invalidate.c: see the header. */
#include "cache/actor/invalidate.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "kv/kv.h"
#include "rpc/pack.h"
#include "tasker/cache/v1/cache.pb-c.h"
#include "tbl/channels.h"
#include <stdio.h>

enum { MAILBOX_MAX = 4096 };

struct drop_msg {
        struct tk_msg msg;
        struct tk_rpc_call *call; /* NULL: nobody waits */
        struct cache_key keys[CACHE_DEPENDENTS];
};
struct drop_state {
        struct cache_app *app;
        struct tk_kv *kv;
};

static void drop_all(struct cache_app *app)
{
        (void)cache_store_drop_changing(app->store);
        cache_flights_forget(app->flights, NULL);
}

void cache_invalidate_all(struct cache_app *app)
{
        drop_all(app);
        cache_count_l(app, invalidations_total, "reconnect");
}

static int post(struct cache_app *app, const char *ns, const char *name, const char *version, struct tk_rpc_call *call)
{
        struct drop_msg *drop = TK_NEW(struct drop_msg);
        drop->call = call;
        int r = cache_key_dependents(ns, name, version, drop->keys);
        if (!r)
                r = tk_actor_post(app->invalidate, &drop->msg);
        if (r)
                tk_free(drop);
        return r;
}

void cache_invalidate(struct cache_app *app, const char *text)
{
        char copy[CACHE_KEY_MAX], *name, *version;
        if (tk_str_copy(copy, sizeof copy, text) || !(name = strchr(copy, '/')) || !(version = strchr(name + 1, '/'))) {
                tk_log_warn("invalidation.unreadable", "expected <namespace>/<name>/<version>", TK_STR("message", text));
                return;
        }
        *name++ = *version++ = '\0';
        if (!post(app, copy, name, version, NULL))
                return;
        drop_all(app);
        cache_count_l(app, invalidations_total, "message");
}

void cache_invalidate_call(struct cache_app *app, const char *ns, const char *name, const char *version,
                           struct tk_rpc_call *call)
{
        int r = post(app, ns, name, version, call);
        if (r < 0)
                tk_rpc_reply(
                        call, TK_RPC_INVALID_ARGUMENT,
                        "namespace, name and version must be 1 to 128 bytes without '/' (version may be empty)",
                        NULL, 0);
        else if (r)
                tk_rpc_reply(call, TK_RPC_RESOURCE_EXHAUSTED, "mailbox 'invalidate' is full", NULL, 0);
}

static int start(void *self, void *app_)
{
        struct drop_state *state = self;
        state->app = app_;
        state->kv = tk_kv_new(&(struct tk_kv_conf){.url = state->app->conf.redis_url,
                                                   .timeout_ns = state->app->conf.redis_timeout,
                                                   .failures = state->app->conf.redis_failures,
                                                   .open_ns = state->app->conf.redis_open});
        return 0;
}

static unsigned drop(struct drop_state *state, const struct drop_msg *msg)
{
        unsigned dropped = 0;
        for (size_t i = 0; i < CACHE_DEPENDENTS; i++) {
                char name[CACHE_KEY_MAX + sizeof CACHE_REDIS_PREFIX];
                snprintf(name, sizeof name, CACHE_REDIS_PREFIX "%s", msg->keys[i].text);
                (void)!tk_kv_del(state->kv, name);
                dropped += cache_store_drop(state->app->store, msg->keys[i].text);
                cache_flights_forget(state->app->flights, msg->keys[i].text);
        }
        return dropped;
}

static void answer(struct drop_state *state, const struct drop_msg *msg, unsigned dropped)
{
        Tasker__Cache__V1__InvalidateResponse response = TASKER__CACHE__V1__INVALIDATE_RESPONSE__INIT;
        const char *text = strchr(msg->keys[0].text, ':') + 1;
        (void)!tk_kv_publish(state->kv, TK_CHANNEL_TEMPLATES, text, strlen(text));
        response.dropped = dropped;
        tk_rpc_reply_message(msg->call, &response.base);
}

static int handle(void *self, struct tk_list *msgs, unsigned n)
{
        struct drop_state *state = self;
        (void)n;
        for (struct tk_list *node; (node = tk_list_pop(msgs));) {
                struct drop_msg *msg = (struct drop_msg *)tk_list_entry(node, struct tk_msg, link);
                unsigned dropped = drop(state, msg);
                cache_count_l(state->app, invalidations_total, msg->call ? "call" : "message"); /* after it has taken effect */
                if (msg->call)
                        answer(state, msg, dropped);
                tk_msg_done(&msg->msg, 0);
        }
        return 0;
}

static void stop(void *self)
{
        struct drop_state *state = self;
        tk_kv_free(state->kv);
}

const struct tk_actor_type cache_invalidate_actor = {
        .name = "invalidate",
        .state_size = sizeof(struct drop_state),
        .mailbox_max = MAILBOX_MAX,
        .threads = 1,
        .batch_max = 64,
        TK_ACTOR_MESSAGES("invalidation"),
        .start = start,
        .handle = handle,
        .stop = stop,
};
