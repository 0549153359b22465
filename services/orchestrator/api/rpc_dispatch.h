/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rpc_dispatch.h: the gRPC methods of tasker.dispatch.v1. */
#pragma once
#include "rpc/rpc.h"

extern const struct tk_rpc_method orch_rpc_methods[];
extern const size_t orch_rpc_methods_n;
