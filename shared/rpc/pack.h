/* SPDX-License-Identifier: MIT */
/* rpc/pack.h: protobuf-c messages to bytes and back, with memory from arenas. */
#pragma once
#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include <protobuf-c/protobuf-c.h>

/* Appends the packed message. */
void tk_rpc_pack(const ProtobufCMessage *message, struct tk_buf *buf);
/* Unpacks into the arena (nothing to free); NULL when the bytes are not such a message, or nothing is left in the arena. */
TK_MUST void *tk_rpc_unpack(const ProtobufCMessageDescriptor *type, struct tk_arena *arena, const void *data, size_t len);
/* Packs and replies. */
struct tk_rpc_call;
void tk_rpc_reply_message(struct tk_rpc_call *call, const ProtobufCMessage *message);
