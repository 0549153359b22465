/* SPDX-License-Identifier: MIT */
/* cache/core/query.h: what the truth says about a key, as the bytes of the gRPC answer. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cache/core/key.h"
#include "pg/pg.h"

enum { CACHE_QUERY_E_NONE = 100 }; /* beside the outcomes of pg/pg.h: there is no such row */
TK_MUST int cache_query(struct tk_pg *pg, struct tk_arena *arena, const struct cache_key *key, struct tk_buf *ret,
                        struct tk_err *err);
/* Whether bytes (from Redis) are an answer to this key. */
bool cache_query_valid(struct tk_arena *arena, const struct cache_key *key, const void *data, size_t len);
