/* SPDX-License-Identifier: MIT */
/* pg/lazy.c: see the header. */
#include "pg/lazy.h"
#include "base/rand.h"
#include "base/time.h"

#define BACKOFF_MIN_NS (100 * TK_NS_PER_MS)
#define BACKOFF_MAX_NS (2 * TK_NS_PER_S)

int tk_pg_lazy_get(struct tk_pg_lazy *lazy, struct tk_pg **ret, struct tk_err *err)
{
        if (lazy->pg && !tk_pg_usable(lazy->pg))
                lazy->pg = tk_pg_close(lazy->pg);
        if (!lazy->pg) {
                if (tk_time_mono_ns() < lazy->retry_ns)
                        return TK_ERR(err, TK_PG_E_DOWN, "the database could not be reached a moment ago");
                int r = tk_pg_open(&lazy->conf, &lazy->pg, err);
                if (r) {
                        lazy->retry_ns = tk_time_mono_ns() +
                                         tk_rand_backoff(lazy->failures++, BACKOFF_MIN_NS, BACKOFF_MAX_NS);
                        return r;
                }
                lazy->failures = 0;
        }
        *ret = lazy->pg;
        return 0;
}

void tk_pg_lazy_close(struct tk_pg_lazy *lazy)
{
        lazy->pg = tk_pg_close(lazy->pg);
}
