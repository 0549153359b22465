/* SPDX-License-Identifier: MIT */
/* cache/core/flights.c: see the header. */
#include "cache/core/flights.h"
#include "base/check.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"
#include "run/lock.h"

struct cache_flights {
        struct tk_lock lock;
        struct tk_map *open; /* key → flight that may be joined */
        unsigned n;          /* all that have not landed */
};

struct cache_flights *cache_flights_new(void)
{
        struct cache_flights *flights = TK_NEW(struct cache_flights);
        tk_lock_init(&flights->lock, "flights");
        flights->open = tk_map_new();
        return flights;
}

struct cache_flights *cache_flights_free(struct cache_flights *flights)
{
        if (!flights)
                return NULL;
        TK_CHECK(!flights->n);
        tk_map_free(flights->open);
        tk_lock_deinit(&flights->lock);
        return tk_free(flights);
}

struct cache_flight *cache_flights_join(struct cache_flights *flights, const struct cache_key *key,
                                        struct cache_waiter *waiter)
{
        TK_LOCKED(&flights->lock);
        struct cache_flight *flight = tk_map_gets(flights->open, key->text), *begun = NULL;
        if (!flight) {
                begun = flight = TK_NEW(struct cache_flight);
                flight->key = *key;
                flight->started_ns = tk_time_mono_ns();
                flight->listed = true;
                tk_list_init(&flight->waiters);
                (void)tk_map_puts(flights->open, key->text, flight);
                flights->n++;
        }
        tk_list_append(&flight->waiters, &waiter->link);
        return begun;
}

void cache_flights_land(struct cache_flights *flights, struct cache_flight *flight, struct tk_list *ret)
{
        tk_list_init(ret);
        TK_LOCKED(&flights->lock);
        if (flight->listed)
                (void)tk_map_dels(flights->open, flight->key.text);
        tk_list_splice(ret, &flight->waiters);
        flights->n--;
        tk_free(flight);
}

void cache_flights_forget(struct cache_flights *flights, const char *key)
{
        const void *at_key;
        size_t len;
        void *value;
        TK_LOCKED(&flights->lock);
        if (key) {
                struct cache_flight *flight = tk_map_dels(flights->open, key);
                if (flight)
                        flight->listed = false;
                return;
        }
        for (size_t at = 0; tk_map_next(flights->open, &at, &at_key, &len, &value);) {
                struct cache_flight *flight = value;
                flight->listed = false;
                (void)tk_map_dels(flights->open, flight->key.text);
        }
}
