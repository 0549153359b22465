/* SPDX-License-Identifier: MIT */
/* pg/listen.h: LISTEN on one connection of its own (the only session feature we use, so it has its own URL under
 * PgBouncer). One thread inside; reconnects with jitter; the callback runs in that thread and must be short. */
#pragma once
#include "base/attr.h"

struct tk_pg_listener;
typedef void tk_pg_notify_fn(void *user, const char *channel, const char *payload);
/* payload NULL: the connection was (re-)established, so anything may have been missed. */
TK_MUST struct tk_pg_listener *tk_pg_listener_new(const char *url, const char *const *channels, tk_pg_notify_fn *fn,
                                                  void *user);
struct tk_pg_listener *tk_pg_listener_free(struct tk_pg_listener *listener);
