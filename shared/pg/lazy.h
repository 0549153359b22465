/* SPDX-License-Identifier: MIT */
/* pg/lazy.h: a connection for an actor that goes on living without one: opened on use, not tried again before a jittered
 * backoff has passed, closed when it broke. One thread at a time. */
#pragma once
#include "pg/pg.h"

struct tk_pg_lazy {
        struct tk_pg_conf conf; /* set by the owner; texts must outlive it */
        struct tk_pg *pg;
        unsigned failures;
        int64_t retry_ns;       /* monotonic; not before this */
};
/* 0 and *ret, borrowed until the next call; TK_PG_E_DOWN or TK_PG_E_SERVER, err says why (also while it rests). */
TK_MUST int tk_pg_lazy_get(struct tk_pg_lazy *lazy, struct tk_pg **ret, struct tk_err *err);
void tk_pg_lazy_close(struct tk_pg_lazy *lazy);
