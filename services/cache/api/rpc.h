/* SPDX-License-Identifier: MIT */
/* cache/api/rpc.h: tasker.cache.v1.TemplateCache: decode, check, ask. */
#pragma once
#include "rpc/rpc.h"

extern const struct tk_rpc_method cache_rpc_methods[];
extern const size_t cache_rpc_methods_n;
