/* SPDX-License-Identifier: MIT */
/* rpc/bytes.c: messages between our buffers and gRPC's. */
#include "base/mem.h"
#include "rpc/internal.h"
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>
#include <string.h>

static void release(void *memory)
{
        tk_free(memory);
}

grpc_byte_buffer *tk_rpc_bytes_take(struct tk_buf *buf)
{
        size_t len = buf->len;
        grpc_slice slice = grpc_slice_new(tk_buf_take(buf), len, release);
        grpc_byte_buffer *bytes = grpc_raw_byte_buffer_create(&slice, 1);
        grpc_slice_unref(slice);
        return bytes;
}

grpc_byte_buffer *tk_rpc_bytes_copy(const void *data, size_t len)
{
        grpc_slice slice = grpc_slice_from_copied_buffer(len ? data : "", len);
        grpc_byte_buffer *bytes = grpc_raw_byte_buffer_create(&slice, 1);
        grpc_slice_unref(slice);
        return bytes;
}

bool tk_rpc_view_open(grpc_byte_buffer *bytes, struct tk_rpc_view *ret)
{
        grpc_byte_buffer_reader reader;
        if (!grpc_byte_buffer_reader_init(&reader, bytes))
                return false;
        ret->slice = grpc_byte_buffer_reader_readall(&reader); /* no copy when it came in one piece */
        grpc_byte_buffer_reader_destroy(&reader);
        ret->data = GRPC_SLICE_START_PTR(ret->slice);
        ret->len = GRPC_SLICE_LENGTH(ret->slice);
        return true;
}

void tk_rpc_view_close(struct tk_rpc_view *view)
{
        grpc_slice_unref(view->slice);
}

void tk_rpc_slice_text(grpc_slice slice, char *ret, size_t size)
{
        size_t len = GRPC_SLICE_LENGTH(slice);
        if (len >= size)
                len = size - 1;
        memcpy(ret, GRPC_SLICE_START_PTR(slice), len);
        ret[len] = '\0';
}
