/* SPDX-License-Identifier: MIT */
/* rpc/runtime.c: the completion queue and its thread. */
#include "base/mem.h"
#include "base/time.h"
#include "rpc/internal.h"
#include "run/spread.h"

static void run(void *arg)
{
        struct tk_rpc *rpc = arg;
        struct tk_spread *turns = tk_spread_get(TK_SPREAD_LOOP, "rpc");
        for (;;) {
                grpc_event event = grpc_completion_queue_next(rpc->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
                if (event.type == GRPC_QUEUE_SHUTDOWN)
                        return;
                struct tk_rpc_tag *tag = tk_rpc_tag_in(event.tag);
                int64_t begin_ns = tk_time_mono_ns();
                tag->fn(tag, event.success);
                tk_spread_observe(turns, tk_time_mono_ns() - begin_ns);
        }
}

struct tk_rpc *tk_rpc_new(void)
{
        struct tk_rpc *rpc = TK_NEW(struct tk_rpc);
        grpc_init();
        rpc->cq = grpc_completion_queue_create_for_next(NULL);
        tk_thread_start(&rpc->thread, "rpc", run, rpc);
        return rpc;
}

struct tk_rpc *tk_rpc_free(struct tk_rpc *rpc)
{
        if (!rpc)
                return NULL;
        grpc_completion_queue_shutdown(rpc->cq);
        tk_thread_join(&rpc->thread);
        grpc_completion_queue_destroy(rpc->cq);
        grpc_shutdown();
        return tk_free(rpc);
}
