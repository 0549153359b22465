/* SPDX-License-Identifier: MIT */
/* rpc/rpc.h: gRPC over the core C surface: unary calls and bidirectional streams, server and client, on one completion
 * queue thread per process. The only folder that includes gRPC. Messages are plain bytes here; rpc/pack.h turns
 * protobuf-c messages into them.
 *
 * Callbacks run on the completion-queue thread and must not block: post to an actor and return.
 * Stream sending is pull: tk_rpc_stream_wake() says "I have something"; when no send is outstanding, next_frame is called,
 * which packs *everything that waits* into one frame. So nothing queues inside rpc, and what waits while a frame is on its
 * way leaves together with the next. next_frame runs in the thread that woke the stream (no hop on the hot path) or on the
 * completion-queue thread, never in two at once: wake and close must not be called under a lock that next_frame takes. */
#pragma once
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* gRPC status codes, by their standard numbers. */
enum tk_rpc_status {
        TK_RPC_OK = 0, TK_RPC_CANCELLED = 1, TK_RPC_UNKNOWN = 2, TK_RPC_INVALID_ARGUMENT = 3, TK_RPC_DEADLINE_EXCEEDED = 4,
        TK_RPC_NOT_FOUND = 5, TK_RPC_ALREADY_EXISTS = 6, TK_RPC_PERMISSION_DENIED = 7, TK_RPC_RESOURCE_EXHAUSTED = 8,
        TK_RPC_FAILED_PRECONDITION = 9, TK_RPC_ABORTED = 10, TK_RPC_OUT_OF_RANGE = 11, TK_RPC_UNIMPLEMENTED = 12,
        TK_RPC_INTERNAL = 13, TK_RPC_UNAVAILABLE = 14, TK_RPC_DATA_LOSS = 15, TK_RPC_UNAUTHENTICATED = 16,
};
const char *tk_rpc_status_name(enum tk_rpc_status status);

/* The runtime: owns the completion queue and its thread. After any fork, never before. */
struct tk_rpc;
TK_MUST struct tk_rpc *tk_rpc_new(void);
struct tk_rpc *tk_rpc_free(struct tk_rpc *rpc); /* servers and channels must be gone */

/* Streams, either side. A stream is used by callbacks and by wake/close from any thread between open and closed;
 * hold a reference (ref/unref) to use it elsewhere. */
struct tk_rpc_stream;
struct tk_rpc_stream_ops {
        /* Bytes of one message, borrowed. Return false to pause reading: the next message comes after tk_rpc_stream_resume. */
        bool (*message)(struct tk_rpc_stream *stream, void *user, const void *data, size_t len);
        /* Appends the next frame to buf and returns true, or returns false when nothing waits. */
        bool (*next_frame)(struct tk_rpc_stream *stream, void *user, struct tk_buf *buf);
        /* Once, last: the peer or we ended it, or the connection broke. `user` is not used afterwards. */
        void (*closed)(struct tk_rpc_stream *stream, void *user, enum tk_rpc_status status, const char *message);
};
void tk_rpc_stream_wake(struct tk_rpc_stream *stream);
void tk_rpc_stream_resume(struct tk_rpc_stream *stream);
/* Ends it: a server stream with this status (after frames that wait were sent when status is OK), a client stream by
 * half-close (OK) or cancellation (otherwise). Idempotent; an error cuts short a good end that is not out yet. */
void tk_rpc_stream_close(struct tk_rpc_stream *stream, enum tk_rpc_status status, const char *message);
void tk_rpc_stream_ref(struct tk_rpc_stream *stream); /* NULL is fine, here and there */
void tk_rpc_stream_unref(struct tk_rpc_stream *stream);
const char *tk_rpc_stream_peer(const struct tk_rpc_stream *stream); /* "ipv4:127.0.0.1:5000" */

/* Server. */
struct tk_rpc_call; /* one unary call waiting for its reply */
struct tk_rpc_method {
        const char *path; /* "/tasker.cache.v1.TemplateCache/GetTemplate" */
        /* exactly one of the two */
        void (*unary)(struct tk_rpc_call *call, void *app, const void *data, size_t len); /* reply now or later, from any thread */
        /* Accept by setting *ret_ops and *ret_user and returning OK; any other status refuses. */
        enum tk_rpc_status (*stream)(struct tk_rpc_stream *stream, void *app,
                                     const struct tk_rpc_stream_ops **ret_ops, void **ret_user);
};
struct tk_rpc_server_conf {
        const char *bind;        /* "127.0.0.1:9190", ":9190", port 0 = any free */
        const struct tk_rpc_method *methods;
        size_t methods_n;
        void *app;
        size_t message_max;      /* bytes received; 0: 16 MiB */
        const char *const *services; /* names reported by grpc.health.v1 (besides ""); NULL-terminated */
        void (*observe)(void *app, const char *method, enum tk_rpc_status status, int64_t ns); /* unary calls; may be NULL */
};
struct tk_rpc_server;
/* Serves the methods, and grpc.health.v1.Health (Check and Watch) built in. Unknown methods: UNIMPLEMENTED. */
TK_MUST int tk_rpc_server_new(struct tk_rpc *rpc, const struct tk_rpc_server_conf *conf, struct tk_rpc_server **ret,
                              struct tk_err *err);
uint16_t tk_rpc_server_port(const struct tk_rpc_server *server);
void tk_rpc_server_set_serving(struct tk_rpc_server *server, bool serving); /* what health answers; starts as false */
/* No new calls; open streams get `closed` after the deadline at the latest; returns when all calls are gone. */
struct tk_rpc_server *tk_rpc_server_free(struct tk_rpc_server *server, int64_t deadline_ns);
void tk_rpc_reply(struct tk_rpc_call *call, enum tk_rpc_status status, const char *message, const void *data, size_t len);
const char *tk_rpc_call_metadata(const struct tk_rpc_call *call, const char *key); /* request metadata; NULL when absent */

/* Client. One channel per address; reconnects by itself inside gRPC. */
struct tk_rpc_channel;
TK_MUST struct tk_rpc_channel *tk_rpc_channel_new(struct tk_rpc *rpc, const char *target /* "host:port" */);
struct tk_rpc_channel *tk_rpc_channel_free(struct tk_rpc_channel *channel); /* streams must be closed */
/* Blocking unary call (not from callbacks). ret holds the reply message. err names method, target, status and message. */
TK_MUST enum tk_rpc_status tk_rpc_unary(struct tk_rpc_channel *channel, const char *method, const void *data, size_t len,
                                        int64_t timeout_ns, struct tk_buf *ret, struct tk_err *err);
/* Opens a bidirectional stream; returns at once. closed is called if it cannot connect (no waiting for ready).
 * The caller holds one reference and must unref it. */
TK_MUST struct tk_rpc_stream *tk_rpc_stream_open(struct tk_rpc_channel *channel, const char *method,
                                                 const struct tk_rpc_stream_ops *ops, void *user);
