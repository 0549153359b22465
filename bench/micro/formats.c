/* SPDX-License-Identifier: MIT */
/* bench/micro/formats.c: a step's result as JSON and as MessagePack: size, writing, reading. What is read is the same: the
 * document is walked once, every value looked at. */
#include "base/buf.h"
#include "base/mem.h"
#include "json/json.h"
#include "measure.h"
#include "micro.h"
#include <msgpack.h>
#include <stdio.h>
#include <string.h>

struct doc {
        json_t *value;
        char *json;
        size_t json_len;
        msgpack_sbuffer packed;
        uint64_t sum; /* keeps the compiler honest */
};

/* Orders with a few fields each until the text is as long as asked for. */
static json_t *document(size_t size)
{
        json_t *items = json_array(), *doc = json_pack("{s:b,s:s,s:o}", "success", 1, "status", "completed", "items", items);
        for (size_t n = 0, len = 0; len < size; n++) {
                json_array_append_new(items, json_pack("{s:I,s:s,s:f,s:b}", "order", (json_int_t)(100000 + n * 7919), "customer",
                                                       "a name of usual length", "total", 19.95 + (double)n, "paid", (int)(n % 2)));
                char *text = json_dumps(doc, JSON_COMPACT);
                len = strlen(text);
                free(text);
        }
        return doc;
}

static void pack(msgpack_packer *p, const json_t *v)
{
        const char *key;
        json_t *item;
        size_t i;
        switch (json_typeof(v)) {
        case JSON_OBJECT:
                msgpack_pack_map(p, json_object_size(v));
                json_object_foreach((json_t *)(uintptr_t)v, key, item) {
                        msgpack_pack_str(p, strlen(key));
                        msgpack_pack_str_body(p, key, strlen(key));
                        pack(p, item);
                }
                return;
        case JSON_ARRAY:
                msgpack_pack_array(p, json_array_size(v));
                json_array_foreach(v, i, item)
                        pack(p, item);
                return;
        case JSON_STRING:
                msgpack_pack_str(p, json_string_length(v));
                msgpack_pack_str_body(p, json_string_value(v), json_string_length(v));
                return;
        case JSON_INTEGER:
                msgpack_pack_int64(p, json_integer_value(v));
                return;
        case JSON_REAL:
                msgpack_pack_double(p, json_real_value(v));
                return;
        case JSON_TRUE:
                msgpack_pack_true(p);
                return;
        case JSON_FALSE:
                msgpack_pack_false(p);
                return;
        case JSON_NULL:
        default:
                msgpack_pack_nil(p);
        }
}

static void json_write(void *user, uint64_t n)
{
        struct doc *d = user;
        TK_AUTOBUF struct tk_buf buf = {.max = 1 << 20};
        for (uint64_t i = 0; i < n; i++) {
                tk_buf_reset(&buf);
                tk_json_dump(d->value, &buf);
                d->sum += buf.len;
        }
}

static void json_read(void *user, uint64_t n)
{
        struct doc *d = user;
        for (uint64_t i = 0; i < n; i++) {
                json_t *v = json_loadb(d->json, d->json_len, 0, NULL);
                d->sum += json_array_size(json_object_get(v, "items"));
                json_decref(v);
        }
}

static void msgpack_write(void *user, uint64_t n)
{
        struct doc *d = user;
        for (uint64_t i = 0; i < n; i++) {
                msgpack_packer p;
                msgpack_sbuffer_clear(&d->packed);
                msgpack_packer_init(&p, &d->packed, msgpack_sbuffer_write);
                pack(&p, d->value);
                d->sum += d->packed.size;
        }
}

static void msgpack_read(void *user, uint64_t n)
{
        struct doc *d = user;
        for (uint64_t i = 0; i < n; i++) {
                msgpack_unpacked got;
                size_t at = 0;
                msgpack_unpacked_init(&got);
                d->sum += msgpack_unpack_next(&got, d->packed.data, d->packed.size, &at) == MSGPACK_UNPACK_SUCCESS ? got.data.via.map.size : 0;
                msgpack_unpacked_destroy(&got);
        }
}

void micro_formats(void)
{
        static const size_t sizes[] = {200, 2000, 20000};
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
                struct doc d = {.value = document(sizes[i])};
                char name[64], more[64];
                d.json = json_dumps(d.value, JSON_COMPACT);
                d.json_len = strlen(d.json);
                msgpack_sbuffer_init(&d.packed);
                msgpack_write(&d, 1);
                static const struct {
                        const char *name;
                        void (*body)(void *user, uint64_t n);
                } cases[] = {{"json write", json_write}, {"json read", json_read}, {"msgpack write", msgpack_write}, {"msgpack read", msgpack_read}};
                for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
                        (void)snprintf(name, sizeof name, "%s %zu B", cases[k].name, sizes[i]);
                        (void)snprintf(more, sizeof more, ",\"bytes\":%zu", k < 2 ? d.json_len : d.packed.size);
                        micro_run(name, 4000000 / sizes[i], cases[k].body, &d, more);
                }
                msgpack_sbuffer_destroy(&d.packed);
                free(d.json);
                json_decref(d.value);
        }
}
