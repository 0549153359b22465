/* SPDX-License-Identifier: MIT */
/* rpc/internal.h: what the files of this folder share. gRPC stays in here. */
#pragma once
#include "base/list.h"
#include "rpc/rpc.h"
#include "run/lock.h"
#include "run/thread.h"
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdatomic.h>

/* What a completion-queue event points at. fn runs on the completion-queue thread, once per started operation. */
struct tk_rpc_tag {
        void (*fn)(struct tk_rpc_tag *tag, bool ok);
};

/* A tag goes out with an operation and comes back from the completion queue, in another thread. That gRPC orders the two, the
 * thread sanitizer cannot see: the distribution's library is not instrumented. So it is told. */
#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void *at);
void __tsan_release(void *at);
#else
#define __tsan_acquire(at) ((void)(at))
#define __tsan_release(at) ((void)(at))
#endif
static inline void *tk_rpc_tag_out(struct tk_rpc_tag *tag)
{
        __tsan_release(tag);
        return tag;
}
static inline struct tk_rpc_tag *tk_rpc_tag_in(void *tag)
{
        __tsan_acquire(tag);
        return tag;
}

struct tk_rpc {
        grpc_completion_queue *cq;
        struct tk_thread thread;
};

enum { TK_RPC_MESSAGE_MAX = 16 * 1024 * 1024, TK_RPC_TEXT_MAX = 256 };

/* bytes.c */
TK_MUST grpc_byte_buffer *tk_rpc_bytes_take(struct tk_buf *buf);            /* the buffer's memory moves over, no copy */
TK_MUST grpc_byte_buffer *tk_rpc_bytes_copy(const void *data, size_t len);
struct tk_rpc_view { /* contiguous view of a received message */
        const void *data;
        size_t len;
        grpc_slice slice; /* keeps the memory */
};
TK_MUST bool tk_rpc_view_open(grpc_byte_buffer *bytes, struct tk_rpc_view *ret); /* false: undecodable */
void tk_rpc_view_close(struct tk_rpc_view *view);
void tk_rpc_slice_text(grpc_slice slice, char *ret, size_t size);

/* stream.c: a stream over an accepted call (server) or a fresh one (client). */
struct tk_rpc_stream *tk_rpc_stream_new(grpc_call *call, bool server, const char *name); /* name: of its meter */
void tk_rpc_stream_start(struct tk_rpc_stream *stream, const struct tk_rpc_stream_ops *ops, void *user,
                         void (*gone)(void *owner), void *owner); /* gone: after `closed`, the owner may forget it */
/* A server call that is refused before it became a stream. */
void tk_rpc_call_refuse(grpc_call *call, enum tk_rpc_status status, const char *message);

/* health.c */
struct tk_rpc_health;
TK_MUST struct tk_rpc_health *tk_rpc_health_new(const char *const *services);
struct tk_rpc_health *tk_rpc_health_free(struct tk_rpc_health *health);
void tk_rpc_health_set(struct tk_rpc_health *health, bool serving);
extern const struct tk_rpc_method tk_rpc_health_methods[2]; /* their app is the health object */
