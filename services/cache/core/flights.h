/* SPDX-License-Identifier: MIT */
/* cache/core/flights.h: single flight: of all that ask for one key at a time, the first one loads and the others wait for
 * its answer. After an invalidation newcomers start a flight of their own, so that nobody who asked after a change hears
 * what was before it. Thread-safe. */
#pragma once
#include "base/attr.h"
#include "base/list.h"
#include "cache/core/key.h"
#include <stdbool.h>
#include <stdint.h>

struct cache_waiter { /* embedded in whatever waits */
        struct tk_list link;
};
struct cache_flight {
        struct cache_key key;
        int64_t started_ns;
        bool listed;             /* newcomers may join */
        struct tk_list waiters;
};
struct cache_flights;
TK_MUST struct cache_flights *cache_flights_new(void);
struct cache_flights *cache_flights_free(struct cache_flights *flights); /* none may be open */

/* Adds the waiter. Returns the new flight when there was none: the caller must see that it lands. NULL: joined another. */
struct cache_flight *cache_flights_join(struct cache_flights *flights, const struct cache_key *key,
                                        struct cache_waiter *waiter);
/* Ends it: its waiters are moved to ret (initialised here), the flight is freed. */
void cache_flights_land(struct cache_flights *flights, struct cache_flight *flight, struct tk_list *ret);
/* Newcomers of this key (NULL: of any) no longer join flights that are under way. */
void cache_flights_forget(struct cache_flights *flights, const char *key);
