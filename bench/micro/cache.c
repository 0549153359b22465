/* SPDX-License-Identifier: MIT */
/* bench/micro/cache.c: how long a template takes from a cache service, call by call, as a worker asks. */
#include "base/arena.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "measure.h"
#include "micro.h"
#include "rpc/pack.h"
#include "rpc/rpc.h"
#include "tasker/cache/v1/cache.pb-c.h"
#include <stdio.h>
#include <string.h>

enum { TIMEOUT_NS = 2000000000, PARTS = 64 };
#define SERVICE "/tasker.cache.v1.TemplateCache/"

static int64_t call(struct tk_rpc_channel *channel, const char *method, const ProtobufCMessage *message)
{
        TK_AUTOBUF struct tk_buf bytes = {.max = 1 << 16}, reply = {.max = 16 << 20};
        struct tk_err err = {0};
        tk_rpc_pack(message, &bytes);
        int64_t begin_ns = tk_time_mono_ns();
        if (tk_rpc_unary(channel, method, bytes.data, bytes.len, TIMEOUT_NS, &reply, &err) != TK_RPC_OK) {
                (void)fprintf(stderr, "tasker-micro: %s\n", tk_err_text(&err));
                return -1;
        }
        return tk_time_mono_ns() - begin_ns;
}

static size_t split(char *text, char by, char **ret)
{
        size_t n = 0;
        for (char *save, *part = strtok_r(text, (char[]){by, 0}, &save); part && n < PARTS; part = strtok_r(NULL, (char[]){by, 0}, &save))
                ret[n++] = part;
        return n;
}

int micro_cache(const char *address, const char *digests, const char *forget, const char *name, uint64_t n)
{
        TK_AUTOFREE char *list = tk_strdup(forget ? forget : digests);
        char *parts[PARTS];
        size_t parts_n = split(list, forget ? '/' : ',', parts);
        struct tk_rpc *rpc = tk_rpc_new();
        struct tk_rpc_channel *channel = tk_rpc_channel_new(rpc, address);
        int64_t *ns = tk_calloc(n, sizeof *ns);
        bool good = parts_n >= (forget ? 3 : 1);
        for (uint64_t i = 0; good && i < n; i++) {
                if (forget) {
                        Tasker__Cache__V1__InvalidateRequest gone = TASKER__CACHE__V1__INVALIDATE_REQUEST__INIT;
                        Tasker__Cache__V1__GetNamedTaskRequest get = TASKER__CACHE__V1__GET_NAMED_TASK_REQUEST__INIT;
                        gone.namespace_ = get.namespace_ = parts[0];
                        gone.name = get.name = parts[1];
                        gone.version = get.version = parts[2];
                        good = call(channel, SERVICE "Invalidate", &gone.base) >= 0;
                        ns[i] = call(channel, SERVICE "GetNamedTask", &get.base);
                } else {
                        Tasker__Cache__V1__GetTemplateRequest get = TASKER__CACHE__V1__GET_TEMPLATE_REQUEST__INIT;
                        get.digest = parts[i % parts_n];
                        ns[i] = call(channel, SERVICE "GetTemplate", &get.base);
                }
                good &= ns[i] >= 0;
        }
        if (good)
                micro_times(name, ns, n);
        tk_free(ns);
        tk_rpc_channel_free(channel);
        tk_rpc_free(rpc);
        return good ? 0 : 1;
}
