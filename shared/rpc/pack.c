/* SPDX-License-Identifier: MIT */
/* rpc/pack.c: see the header. */
#include "rpc/pack.h"
#include "rpc/rpc.h"

enum { REPLY_MAX = 64 * 1024 * 1024 };

void tk_rpc_pack(const ProtobufCMessage *message, struct tk_buf *buf)
{
        size_t len = protobuf_c_message_get_packed_size(message);
        uint8_t *at = tk_buf_grow(buf, len);
        if (at)
                protobuf_c_message_pack(message, at);
}

static void *allocate(void *arena, size_t size)
{
        return tk_arena_try(arena, size);
}

static void forget(void *arena, void *memory)
{
        (void)arena;
        (void)memory;
}

void *tk_rpc_unpack(const ProtobufCMessageDescriptor *type, struct tk_arena *arena, const void *data, size_t len)
{
        ProtobufCAllocator allocator = {.alloc = allocate, .free = forget, .allocator_data = arena};
        return protobuf_c_message_unpack(type, &allocator, len, data);
}

void tk_rpc_reply_message(struct tk_rpc_call *call, const ProtobufCMessage *message)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, REPLY_MAX);
        tk_rpc_pack(message, &buf);
        if (tk_buf_failed(&buf))
                tk_rpc_reply(call, TK_RPC_RESOURCE_EXHAUSTED, "the reply is larger than 64 MiB", NULL, 0);
        else
                tk_rpc_reply(call, TK_RPC_OK, NULL, buf.data, buf.len);
}
