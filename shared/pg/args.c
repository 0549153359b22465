/* SPDX-License-Identifier: MIT */
/* pg/args.c: parameters in PostgreSQL's binary wire format, big endian, in arena memory.
 *
 * An array is: dimensions, has-null flag, element type, length, lower bound, then per element its length (-1: NULL) and
 * its bytes. Type numbers are those of the catalog, fixed since ever. */
#include "base/check.h"
#include "base/time.h"
#include "pg/pg.h"
#include <endian.h>

enum {
        OID_BOOL = 16,
        OID_BYTEA = 17,
        OID_INT8 = 20,
        OID_INT4 = 23,
        OID_TEXT = 25,
        OID_TIMESTAMPTZ = 1184,
        OID_UUID = 2950,
        OID_JSONB = 3802,
        OID_BOOL_ARRAY = 1000,
        OID_BYTEA_ARRAY = 1001,
        OID_INT4_ARRAY = 1007,
        OID_TEXT_ARRAY = 1009,
        OID_INT8_ARRAY = 1016,
        OID_TIMESTAMPTZ_ARRAY = 1185,
        OID_UUID_ARRAY = 2951
};
enum { ARGS_MAX = 32, ARRAY_HEAD = 20 };
/* PostgreSQL counts microseconds from 2000-01-01. */
#define EPOCH_2000_US INT64_C(946684800000000)

void tk_pg_args_init(struct tk_pg_args *args, struct tk_arena *arena)
{
        *args = (struct tk_pg_args){
                .arena = arena, .cap = ARGS_MAX,
                .values = TK_ARENA_ARRAY(arena, const char *, ARGS_MAX),
                .lengths = TK_ARENA_ARRAY(arena, int, ARGS_MAX),
                .formats = TK_ARENA_ARRAY(arena, int, ARGS_MAX),
                .types = TK_ARENA_ARRAY(arena, unsigned, ARGS_MAX),
        };
}

static void add(struct tk_pg_args *args, unsigned type, const void *value, size_t len)
{
        TK_CHECK(args->n < args->cap && len <= INT32_MAX);
        args->values[args->n] = value;
        args->lengths[args->n] = (int)len;
        args->formats[args->n] = 1;
        args->types[args->n] = type;
        args->n++;
}

static char *put32(char *at, uint32_t value)
{
        uint32_t wire = htobe32(value);
        memcpy(at, &wire, sizeof wire);
        return at + sizeof wire;
}

static char *put64(char *at, int64_t value)
{
        uint64_t wire = htobe64((uint64_t)value);
        memcpy(at, &wire, sizeof wire);
        return at + sizeof wire;
}

static int64_t wire_time(int64_t wall_ns)
{
        return wall_ns / TK_NS_PER_US - EPOCH_2000_US;
}

void tk_pg_arg_null(struct tk_pg_args *args)
{
        add(args, 0, NULL, 0);
}

static const void *copy(struct tk_pg_args *args, const void *data, size_t len)
{
        char *at = tk_arena_alloc(args->arena, len + 1); /* never NULL, which would mean SQL NULL */
        if (len)
                memcpy(at, data, len);
        return at;
}

void tk_pg_arg_text(struct tk_pg_args *args, const char *text)
{
        if (text)
                tk_pg_arg_text_n(args, text, strlen(text));
        else
                add(args, OID_TEXT, NULL, 0);
}

void tk_pg_arg_text_n(struct tk_pg_args *args, const char *text, size_t len)
{
        add(args, OID_TEXT, copy(args, text, len), len);
}

void tk_pg_arg_jsonb(struct tk_pg_args *args, const char *text)
{
        size_t len = strlen(text);
        char *at = tk_arena_alloc(args->arena, len + 2);
        at[0] = 1; /* version of the binary form: the text follows */
        memcpy(at + 1, text, len);
        add(args, OID_JSONB, at, len + 1);
}

void tk_pg_arg_bytea(struct tk_pg_args *args, const void *data, size_t len)
{
        add(args, OID_BYTEA, copy(args, data, len), len);
}

void tk_pg_arg_i32(struct tk_pg_args *args, int32_t value)
{
        char *at = tk_arena_alloc(args->arena, 4);
        put32(at, (uint32_t)value);
        add(args, OID_INT4, at, 4);
}

void tk_pg_arg_i64(struct tk_pg_args *args, int64_t value)
{
        char *at = tk_arena_alloc(args->arena, 8);
        put64(at, value);
        add(args, OID_INT8, at, 8);
}

void tk_pg_arg_bool(struct tk_pg_args *args, bool value)
{
        char *at = tk_arena_alloc(args->arena, 1);
        *at = value;
        add(args, OID_BOOL, at, 1);
}

void tk_pg_arg_uuid(struct tk_pg_args *args, const struct tk_uuid *uuid)
{
        add(args, OID_UUID, uuid ? copy(args, uuid->b, sizeof uuid->b) : NULL, uuid ? sizeof uuid->b : 0);
}

void tk_pg_arg_time(struct tk_pg_args *args, int64_t wall_ns)
{
        char *at = tk_arena_alloc(args->arena, 8);
        put64(at, wire_time(wall_ns));
        add(args, OID_TIMESTAMPTZ, at, 8);
}

/* Memory for an array of n elements with `bytes` of content; the head is written. An empty one has no dimension. */
static char *array_begin(struct tk_pg_args *args, unsigned array_type, unsigned element_type, size_t n,
                         size_t bytes, bool nulls)
{
        size_t len = n ? ARRAY_HEAD + 4 * n + bytes : 12;
        char *at = tk_arena_alloc(args->arena, len);
        add(args, array_type, at, len);
        at = put32(at, n ? 1 : 0);
        at = put32(at, nulls);
        at = put32(at, element_type);
        if (n) {
                at = put32(at, (uint32_t)n);
                at = put32(at, 1);
        }
        return at;
}

static void uuid_array(struct tk_pg_args *args, const struct tk_uuid *items, size_t n, bool nil_is_null)
{
        size_t nulls = 0;
        for (size_t i = 0; nil_is_null && i < n; i++)
                nulls += tk_uuid_is_nil(&items[i]);
        char *at = array_begin(args, OID_UUID_ARRAY, OID_UUID, n, sizeof items->b * (n - nulls), nulls);
        for (size_t i = 0; i < n; i++) {
                if (nil_is_null && tk_uuid_is_nil(&items[i])) {
                        at = put32(at, UINT32_MAX);
                        continue;
                }
                at = put32(at, sizeof items->b);
                memcpy(at, items[i].b, sizeof items->b);
                at += sizeof items->b;
        }
}

void tk_pg_arg_uuid_array(struct tk_pg_args *args, const struct tk_uuid *items, size_t n)
{
        uuid_array(args, items, n, false);
}

void tk_pg_arg_uuid_opt_array(struct tk_pg_args *args, const struct tk_uuid *items, size_t n)
{
        uuid_array(args, items, n, true);
}

void tk_pg_arg_i32_array(struct tk_pg_args *args, const int32_t *items, size_t n)
{
        char *at = array_begin(args, OID_INT4_ARRAY, OID_INT4, n, 4 * n, false);
        for (size_t i = 0; i < n; i++)
                at = put32(put32(at, 4), (uint32_t)items[i]);
}

void tk_pg_arg_i64_array(struct tk_pg_args *args, const int64_t *items, size_t n)
{
        char *at = array_begin(args, OID_INT8_ARRAY, OID_INT8, n, 8 * n, false);
        for (size_t i = 0; i < n; i++)
                at = put64(put32(at, 8), items[i]);
}

void tk_pg_arg_time_array(struct tk_pg_args *args, const int64_t *wall_ns, size_t n)
{
        char *at = array_begin(args, OID_TIMESTAMPTZ_ARRAY, OID_TIMESTAMPTZ, n, 8 * n, false);
        for (size_t i = 0; i < n; i++)
                at = put64(put32(at, 8), wire_time(wall_ns[i]));
}

void tk_pg_arg_time_opt_array(struct tk_pg_args *args, const int64_t *wall_ns, size_t n)
{
        size_t given = 0;
        for (size_t i = 0; i < n; i++)
                given += wall_ns[i] != 0;
        char *at = array_begin(args, OID_TIMESTAMPTZ_ARRAY, OID_TIMESTAMPTZ, n, 8 * given, given < n);
        for (size_t i = 0; i < n; i++)
                at = wall_ns[i] ? put64(put32(at, 8), wire_time(wall_ns[i])) : put32(at, UINT32_MAX);
}

void tk_pg_arg_bool_array(struct tk_pg_args *args, const bool *items, size_t n)
{
        char *at = array_begin(args, OID_BOOL_ARRAY, OID_BOOL, n, n, false);
        for (size_t i = 0; i < n; i++) {
                at = put32(at, 1);
                *at++ = items[i];
        }
}

static void bytes_array(struct tk_pg_args *args, unsigned array_type, unsigned type,
                        const struct tk_pg_bytes *items, size_t n)
{
        size_t bytes = 0;
        bool nulls = false;
        for (size_t i = 0; i < n; i++) {
                bytes += items[i].data ? items[i].len : 0;
                nulls |= !items[i].data;
        }
        char *at = array_begin(args, array_type, type, n, bytes, nulls);
        for (size_t i = 0; i < n; i++) {
                at = put32(at, items[i].data ? (uint32_t)items[i].len : UINT32_MAX);
                if (!items[i].data)
                        continue;
                memcpy(at, items[i].data, items[i].len);
                at += items[i].len;
        }
}

void tk_pg_arg_text_array(struct tk_pg_args *args, const char *const *items, size_t n)
{
        struct tk_pg_bytes *bytes = TK_ARENA_ARRAY(args->arena, struct tk_pg_bytes, n + 1);
        for (size_t i = 0; i < n; i++)
                bytes[i] = (struct tk_pg_bytes){items[i], items[i] ? strlen(items[i]) : 0};
        bytes_array(args, OID_TEXT_ARRAY, OID_TEXT, bytes, n);
}

void tk_pg_arg_text_n_array(struct tk_pg_args *args, const struct tk_pg_bytes *items, size_t n)
{
        bytes_array(args, OID_TEXT_ARRAY, OID_TEXT, items, n);
}

void tk_pg_arg_bytea_array(struct tk_pg_args *args, const struct tk_pg_bytes *items, size_t n)
{
        bytes_array(args, OID_BYTEA_ARRAY, OID_BYTEA, items, n);
}
