/* SPDX-License-Identifier: MIT */
/* orchestrator/feed/stream.h: the worker streams: frames become sessions, credit and result messages. */
#pragma once
#include "rpc/rpc.h"

/* The stream handler of tasker.dispatch.v1.Dispatch/Connect; app is struct orch_app. */
enum tk_rpc_status orch_stream_accept(struct tk_rpc_stream *stream, void *app,
                                      const struct tk_rpc_stream_ops **ret_ops, void **ret_user);
