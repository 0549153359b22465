/* SPDX-License-Identifier: MIT */
/* worker/feed/links.c: see the header. */
#include "worker/feed/links.h"
#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "rpc/pack.h"
#include "tasker/dispatch/v1/dispatch.pb-c.h"
#include "worker/app.h"
#include "worker/feed/link.h"

enum { REPLY_MAX = 64 << 20, NEXT_MAX = 64 };
#define FETCH_TIMEOUT_NS (10 * TK_NS_PER_S)

struct work_links {
        struct work_app *app;
        unsigned n;
        struct work_link list[];
};

struct work_links *work_links_new(struct work_app *app)
{
        const struct tk_conf_list *addresses = &app->conf.orchestrators;
        struct work_links *links = tk_zalloc(sizeof *links + addresses->count * sizeof links->list[0]);
        links->app = app;
        links->n = (unsigned)addresses->count;
        for (unsigned i = 0; i < links->n; i++)
                work_link_init(&links->list[i], app, i, addresses->items[i]);
        return links;
}

struct work_links *work_links_free(struct work_links *links)
{
        if (!links)
                return NULL;
        for (unsigned i = 0; i < links->n; i++)
                work_link_deinit(&links->list[i]);
        return tk_free(links);
}

unsigned work_links_count(const struct work_links *links)
{
        return links->n;
}

unsigned work_links_up(struct work_links *links)
{
        unsigned up = 0;
        for (unsigned i = 0; i < links->n; i++)
                up += work_link_state(&links->list[i]) == WORK_LINK_UP;
        return up;
}

const char *work_links_address(const struct work_links *links, unsigned at)
{
        return links->list[at].address;
}

void work_links_wake(struct work_links *links, unsigned at)
{
        TK_CHECK(at < links->n);
        work_link_wake(&links->list[at]);
}

void work_links_wake_all(struct work_links *links)
{
        for (unsigned i = 0; i < links->n; i++)
                work_link_wake(&links->list[i]);
}

enum tk_rpc_status work_links_unary(struct work_links *links, unsigned preferred, const char *method,
                                    const ProtobufCMessage *request, int64_t timeout_ns, struct tk_buf *ret,
                                    struct tk_err *err)
{
        TK_AUTOBUF struct tk_buf bytes;
        enum tk_rpc_status status = TK_RPC_UNAVAILABLE;
        int64_t deadline_ns = tk_time_mono_ns() + timeout_ns;
        (void)TK_ERR(err, TK_RPC_UNAVAILABLE, "no orchestrator is connected");
        tk_buf_init(&bytes, REPLY_MAX);
        tk_rpc_pack(request, &bytes);
        for (unsigned i = 0; i < links->n; i++) {
                struct work_link *link = &links->list[(preferred + i) % links->n];
                int64_t left_ns = deadline_ns - tk_time_mono_ns();
                if (work_link_state(link) != WORK_LINK_UP || left_ns <= 0)
                        continue;
                tk_buf_reset(ret);
                status = tk_rpc_unary(link->channel, method, bytes.data, bytes.len, left_ns, ret, err);
                if (status != TK_RPC_UNAVAILABLE)
                        break;
        }
        return status;
}

/* Adds the results of a page to `into` and says where the next one begins ("": nowhere). False: it cannot be read. */
static bool take_page(const struct tk_buf *reply, json_t *into, char next[NEXT_MAX])
{
        static const struct tk_json_limits limits = {
                .bytes_max = REPLY_MAX, .depth_max = 128, .entries_max = 1000000, .string_max = REPLY_MAX};
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(4096, (size_t)2 * REPLY_MAX);
        const Tasker__Dispatch__V1__FetchResultsResponse *response =
                tk_rpc_unpack(&tasker__dispatch__v1__fetch_results_response__descriptor, arena, reply->data, reply->len);
        json_t *value = NULL;
        struct tk_err err = {0};
        if (!response)
                tk_log_error("results.fetch", "the answer is not a FetchResultsResponse");
        else if (tk_json_read((const char *)response->results_json.data, response->results_json.len, &limits,
                               &value, &err))
                tk_log_error("results.fetch", tk_err_text(&err));
        bool good = json_is_object(value) && !tk_str_copy(next, NEXT_MAX, response->next) && !json_object_update(into, value);
        json_decref(value);
        return good;
}

json_t *work_links_fetch(struct work_links *links, unsigned preferred, const ProtobufCBinaryData *task_uuid,
                         const char *const *names, size_t n, int64_t deadline_ns)
{
        Tasker__Dispatch__V1__FetchResultsRequest request = TASKER__DISPATCH__V1__FETCH_RESULTS_REQUEST__INIT;
        TK_AUTOBUF struct tk_buf reply;
        struct tk_err err = {0};
        char next[NEXT_MAX] = "";
        json_t *all = json_object();
        bool good;
        request.task_uuid = *task_uuid;
        request.n_step_names = n;
        request.step_names = (char **)(uintptr_t)names;
        tk_buf_init(&reply, REPLY_MAX);
        do {
                int64_t left_ns = deadline_ns - tk_time_mono_ns();
                request.after = next;
                work_count(links->app, results_fetched_total);
                enum tk_rpc_status status =
                        work_links_unary(links, preferred, "/tasker.dispatch.v1.Dispatch/FetchResults", &request.base,
                                         left_ns < FETCH_TIMEOUT_NS ? left_ns : FETCH_TIMEOUT_NS, &reply, &err);
                if (status != TK_RPC_OK)
                        tk_log_warn("results.fetch", tk_err_text(&err));
                good = status == TK_RPC_OK && take_page(&reply, all, next);
        } while (good && *next);
        return good ? all : (json_decref(all), NULL);
}

bool work_links_drain(struct work_links *links, int64_t deadline_ns)
{
        bool all = true;
        for (unsigned i = 0; i < links->n; i++)
                work_link_leave(&links->list[i]);
        for (unsigned i = 0; i < links->n; i++)
                all &= work_link_wait_idle(&links->list[i], deadline_ns);
        return all;
}

void work_links_close(struct work_links *links)
{
        for (unsigned i = 0; i < links->n; i++)
                work_link_cut(&links->list[i]);
        for (unsigned i = 0; i < links->n; i++)
                (void)work_link_wait_idle(&links->list[i], TK_TIME_NEVER);
}

/* ---- the connect actor ---- */

static int start(void *self, void *app)
{
        *(struct work_app **)self = app;
        return 0;
}

/* Nothing is ever posted. */
static int handle(void *self, struct tk_list *msgs, unsigned n)
{
        (void)self;
        (void)n;
        for (struct tk_list *node; (node = tk_list_pop(msgs));)
                tk_msg_done(tk_list_entry(node, struct tk_msg, link), 0);
        return 0;
}

/* What has waited for a permit too long goes back. Returns when to look again. */
static int64_t give_back(struct work_app *app, int64_t now_ns)
{
        int64_t oldest_ns;
        unsigned n = work_ledger_give_back(app->ledger, now_ns - WORK_PACE_PATIENCE_NS, &oldest_ns);
        if (n) {
                work_ledger_set_total(app->ledger, work_pace_stalled(app->pace));
                tk_metric_add(app->metrics, WORK_M_steps_given_back_total, n);
                tk_log_info("steps.given_back", "They waited for a permit while handlers took longer than those before.", TK_INT("steps", n));
        }
        if (oldest_ns == TK_TIME_NEVER)
                return TK_TIME_NEVER;
        int64_t due_ns = oldest_ns + WORK_PACE_PATIENCE_NS;
        return due_ns > now_ns ? due_ns : now_ns + WORK_PACE_PATIENCE_NS;
}

/* Woken when a link changed: what one link lost, another may have to send; shares of credit change too. And when a step has to wait. */
static int64_t tick(void *self, int64_t now_ns)
{
        struct work_app *app = *(struct work_app **)self;
        struct work_links *links = app->links;
        if (!atomic_load(&app->started))
                return TK_TIME_NEVER;
        int64_t next_ns = give_back(app, now_ns);
        for (unsigned i = 0; i < links->n; i++) {
                int64_t at_ns = work_link_tick(&links->list[i], now_ns);
                next_ns = at_ns < next_ns ? at_ns : next_ns;
        }
        work_links_wake_all(links);
        return next_ns;
}

const struct tk_actor_type work_connect_actor = {
        .name = "connect", .state_size = sizeof(struct work_app *), .mailbox_max = 1, .threads = 1, .batch_max = 1,
        .start = start, .handle = handle, .tick = tick,
};
