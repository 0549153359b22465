/* SPDX-License-Identifier: MIT */
/* kv/internal.h: connecting, shared by commands and subscriptions. */
#pragma once
#include "kv/kv.h"
#include <hiredis/hiredis.h>

enum { TK_KV_TIMEOUT_MS = 200, TK_KV_URL_MAX = 512 };
/* Connects, authenticates and selects the database as the URL says; NULL when that fails. */
redisContext *tk_kv_connect(const char *url, int64_t timeout_ns);
