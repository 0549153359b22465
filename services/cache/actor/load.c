/* SPDX-License-Identifier: MIT */
/* cache/actor/load.c: see the header. A dead Redis costs a load its timeout at most `breaker_failures` times, then nothing. */
#include "cache/actor/load.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/probe.h"
#include "base/str.h"
#include "base/time.h"
#include "cache/core/query.h"
#include "kv/kv.h"
#include "pg/lazy.h"
#include <stdio.h>

enum { ARENA_BLOCK = 65536, REDIS_KEY_MAX = CACHE_KEY_MAX + sizeof CACHE_REDIS_PREFIX };
#define ARENA_MAX ((size_t)4 * CACHE_ANSWER_MAX)

struct asker {
        struct cache_waiter waiter;
        struct tk_rpc_call *call;
};
struct load_msg {
        struct tk_msg msg;
        struct cache_flight *flight;
};
struct load_state {
        struct cache_app *app;
        struct tk_kv *kv;
        struct tk_pg_lazy db;
        struct tk_arena *arena;
};

/* What everybody who waits is told. */
struct answer {
        enum tk_rpc_status status;
        const char *message;
        const void *data;
        size_t len;
};

static void land(struct cache_app *app, struct cache_flight *flight, const struct answer *answer)
{
        struct tk_list waiters;
        tk_metric_observe(app->metrics, CACHE_M_load_seconds, tk_time_mono_ns() - flight->started_ns);
        cache_flights_land(app->flights, flight, &waiters);
        for (struct tk_list *node; (node = tk_list_pop(&waiters));) {
                struct asker *asker = (struct asker *)tk_list_entry(node, struct cache_waiter, link);
                tk_rpc_reply(asker->call, answer->status, answer->message, answer->data, answer->len);
                tk_free(asker);
        }
}

static void none(struct answer *answer)
{
        *answer = (struct answer){.status = TK_RPC_NOT_FOUND, .message = "there is none"};
}

void cache_ask(struct cache_app *app, const struct cache_key *key, struct tk_rpc_call *call)
{
        TK_AUTOBUF struct tk_buf buf = {.max = CACHE_ANSWER_MAX};
        struct answer answer;
        switch (cache_store_get(app->store, key->text, tk_time_mono_ns(), &buf)) {
        case CACHE_HIT:
                cache_count_l(app, hits_total, "memory");
                TK_PROBE(cache_found, key->text, "memory");
                tk_rpc_reply(call, TK_RPC_OK, "", buf.data, buf.len);
                return;
        case CACHE_NEGATIVE:
                cache_count_l(app, hits_total, "negative");
                cache_count(app, misses_total);
                none(&answer);
                tk_rpc_reply(call, answer.status, answer.message, NULL, 0);
                return;
        case CACHE_MISS:
                break;
        }
        struct asker *asker = TK_NEW(struct asker);
        asker->call = call;
        struct cache_flight *flight = cache_flights_join(app->flights, key, &asker->waiter);
        if (!flight) {
                cache_count(app, shared_loads_total);
                return;
        }
        struct load_msg *load = TK_NEW(struct load_msg);
        load->flight = flight;
        if (tk_actor_post(app->load, &load->msg)) {
                tk_free(load);
                cache_count_l(app, load_errors_total, "mailbox");
                land(app, flight,
                     &(struct answer){.status = TK_RPC_RESOURCE_EXHAUSTED, .message = "mailbox 'load' is full"});
        }
}

static int64_t ttl(const struct cache_app *app, const struct cache_key *key)
{
        return cache_key_changes(key) ? app->conf.names_ttl : app->conf.templates_ttl;
}

static void redis_key(const struct cache_key *key, char ret[REDIS_KEY_MAX])
{
        snprintf(ret, REDIS_KEY_MAX, CACHE_REDIS_PREFIX "%s", key->text);
}

static void note_breaker(struct load_state *state)
{
        atomic_store_explicit(&state->app->redis_breaker, (int)tk_kv_breaker(state->kv), memory_order_relaxed);
}

static bool from_redis(struct load_state *state, const struct cache_key *key, struct tk_buf *ret)
{
        char name[REDIS_KEY_MAX];
        redis_key(key, name);
        int r = tk_kv_get(state->kv, name, ret);
        note_breaker(state);
        if (r == TK_KV_E_DOWN && *state->app->conf.redis_url)
                cache_count_l(state->app, load_errors_total, "redis");
        if (!r && cache_query_valid(state->arena, key, ret->data, ret->len)) {
                cache_count_l(state->app, hits_total, "redis");
                TK_PROBE(cache_found, key->text, "redis");
                return true;
        }
        tk_buf_reset(ret); /* foreign bytes under our name count as absent and are written over */
        return false;
}

/* An invalidation that came while we read has deleted the key before we write it: then it is deleted again. */
static void to_redis(struct load_state *state, const struct cache_key *key, const struct tk_buf *value, uint64_t generation)
{
        char name[REDIS_KEY_MAX];
        redis_key(key, name);
        (void)!tk_kv_set(state->kv, name, value->data, value->len, ttl(state->app, key) / TK_NS_PER_MS);
        if (cache_key_changes(key) && cache_store_generation(state->app->store) != generation)
                (void)!tk_kv_del(state->kv, name);
        note_breaker(state);
}

static int from_database(struct load_state *state, const struct cache_key *key, struct tk_buf *ret, struct tk_err *err)
{
        struct tk_pg *pg;
        int r = tk_pg_lazy_get(&state->db, &pg, err);
        if (!r) {
                cache_count(state->app, loads_total);
                r = cache_query(pg, state->arena, key, ret, err);
                TK_PROBE(cache_found, key->text, "database");
        }
        atomic_store(&state->app->database_up, !r || r == CACHE_QUERY_E_NONE);
        return r;
}

static void load(struct load_state *state, struct cache_flight *flight)
{
        struct cache_app *app = state->app;
        const struct cache_key *key = &flight->key;
        TK_AUTOBUF struct tk_buf value = {.max = CACHE_ANSWER_MAX};
        struct tk_err err = {0};
        struct answer answer = {.status = TK_RPC_UNAVAILABLE, .message = "the database cannot be reached"};
        uint64_t generation = cache_store_generation(app->store);
        int64_t now = tk_time_mono_ns();
        bool cached = from_redis(state, key, &value);
        int r = cached ? 0 : from_database(state, key, &value, &err);
        if (!r) {
                answer = (struct answer){.status = TK_RPC_OK, .message = "", .data = value.data, .len = value.len};
                (void)cache_store_put(app->store, key->text, value.len ? value.data : "", value.len,
                                      now + ttl(app, key), cache_key_changes(key), generation);
                if (!cached)
                        to_redis(state, key, &value, generation);
        } else if (r == CACHE_QUERY_E_NONE) {
                none(&answer);
                cache_count(app, misses_total);
                (void)cache_store_put(app->store, key->text, NULL, 0, now + app->conf.negative_ttl, true, generation);
        } else {
                cache_count_l(app, load_errors_total, "database");
                tk_log_warn("load.failed", tk_err_text(&err), TK_STR("key", key->text),
                            TK_STR("outcome", tk_pg_outcome_name(r)));
        }
        land(app, flight, &answer);
}

static int start(void *self, void *app_)
{
        struct load_state *state = self;
        struct cache_app *app = app_;
        struct tk_pg *pg;
        state->app = app;
        state->arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        state->kv = tk_kv_new(&(struct tk_kv_conf){.url = app->conf.redis_url, .timeout_ns = app->conf.redis_timeout,
                                                   .failures = app->conf.redis_failures, .open_ns = app->conf.redis_open});
        state->db.conf = (struct tk_pg_conf){.url = app->conf.database_url, .application_name = "tasker-cache",
                                             .statement_timeout_ns = app->conf.database_statement_timeout};
        if (!tk_pg_lazy_get(&state->db, &pg, NULL))
                atomic_store(&app->database_up, true);
        return 0;
}

static int handle(void *self, struct tk_list *msgs, unsigned n)
{
        struct load_state *state = self;
        (void)n;
        for (struct tk_list *node; (node = tk_list_pop(msgs));) {
                struct load_msg *msg = (struct load_msg *)tk_list_entry(node, struct tk_msg, link);
                load(state, msg->flight);
                tk_arena_reset(state->arena);
                tk_msg_done(&msg->msg, 0);
        }
        return 0;
}

/* Without questions too, so that a cache that lost its database becomes ready again. */
static int64_t tick(void *self, int64_t now_ns)
{
        struct load_state *state = self;
        struct tk_pg *pg;
        if (atomic_load(&state->app->database_up))
                return TK_TIME_NEVER;
        if (!tk_pg_lazy_get(&state->db, &pg, NULL)) {
                atomic_store(&state->app->database_up, true);
                return TK_TIME_NEVER;
        }
        return now_ns + TK_NS_PER_S;
}

static void stop(void *self)
{
        struct load_state *state = self;
        tk_pg_lazy_close(&state->db);
        tk_kv_free(state->kv);
        tk_arena_free(state->arena);
}

const struct tk_actor_type cache_load_actor = {
        .name = "load", .state_size = sizeof(struct load_state), .mailbox_max = 4096, .threads = 2, .batch_max = 1,
        TK_ACTOR_MESSAGES("lookup"),
        .start = start, .handle = handle, .tick = tick, .stop = stop,
};
