/* SPDX-License-Identifier: MIT */
/* cache/actor/invalidate.h: forgets what a changed template version makes wrong, in one order: Redis, memory, flights. So a
 * question that comes after reads neither of them. */
#pragma once
#include "cache/app.h"

extern const struct tk_actor_type cache_invalidate_actor;

/* "<namespace>/<name>/<version>", as heard on the channel. Never blocks; when the mailbox is full, all names are dropped. */
void cache_invalidate(struct cache_app *app, const char *text);
/* All names, when messages may have been missed. */
void cache_invalidate_all(struct cache_app *app);
/* On behalf of a call: also tells the other instances, then replies with InvalidateResponse. */
void cache_invalidate_call(struct cache_app *app, const char *ns, const char *name, const char *version,
                           struct tk_rpc_call *call);
