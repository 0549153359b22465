/* SPDX-License-Identifier: MIT */
/* cache/feed/events.h: hears which template versions changed, from Redis and from PostgreSQL (publishers use one of them). */
#pragma once
#include "cache/app.h"

TK_MUST struct cache_events *cache_events_new(struct cache_app *app);
struct cache_events *cache_events_free(struct cache_events *events);
