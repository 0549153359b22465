/* SPDX-License-Identifier: MIT */
/* cache/actor/load.h: lands flights: Redis first, then PostgreSQL, then everybody who waits is answered. */
#pragma once
#include "cache/app.h"

extern const struct tk_actor_type cache_load_actor;
enum { CACHE_ANSWER_MAX = 16 << 20 };

/* One question: answered from memory at once, or after a load. `call` is replied to exactly once. */
void cache_ask(struct cache_app *app, const struct cache_key *key, struct tk_rpc_call *call);
