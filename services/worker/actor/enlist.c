/* SPDX-License-Identifier: MIT */
/* worker/actor/enlist.c: see the header. All orchestrators share one database, so one of them is told, and told again until
 * it has answered. A template it refuses is reported and does not stop the others, nor the worker. */
#include "worker/actor/enlist.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/time.h"
#include "rpc/pack.h"
#include "tasker/dispatch/v1/dispatch.pb-c.h"
#include "worker/app.h"
#include "worker/feed/links.h"

enum { REPLY_MAX = 16 << 20, CALL_TEMPLATES_MAX = 100, CALL_BYTES_MAX = 4 << 20 };
#define CALL_TIMEOUT_NS (60 * TK_NS_PER_S)
#define RETRY_BASE_NS (200 * TK_NS_PER_MS)
#define RETRY_MAX_NS (5 * TK_NS_PER_S)

struct enlist {
        struct work_app *app;
        size_t done;            /* sources told so far */
        unsigned failures;
        int64_t retry_ns;
};

static void tell(struct work_app *app, const struct work_source *source,
                 const Tasker__Dispatch__V1__TemplateOutcome *outcome)
{
        static const char *const kinds[] = {"unspecified", "registered", "unchanged", "replaced", "conflict", "invalid"};
        const char *kind = (size_t)outcome->kind < tk_countof(kinds) ? kinds[outcome->kind] : "unknown";
        bool refused = outcome->kind == TASKER__DISPATCH__V1__TEMPLATE_OUTCOME__KIND__KIND_CONFLICT ||
                       outcome->kind == TASKER__DISPATCH__V1__TEMPLATE_OUTCOME__KIND__KIND_INVALID;
        work_count_l(app, registrations_total, kind);
        tk_log(refused ? TK_LOG_WARN : TK_LOG_INFO, "template.registered", *outcome->message ? outcome->message : NULL,
               TK_STR("outcome", kind), TK_STR("namespace", outcome->namespace_), TK_STR("name", outcome->name),
               TK_STR("version", outcome->version), TK_STR("file", source->file));
}

static bool read_reply(struct work_app *app, const struct tk_buf *reply, const struct work_source *const *sources, size_t n)
{
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(64 * 1024, (size_t)4 * REPLY_MAX);
        const Tasker__Dispatch__V1__RegisterTemplatesResponse *response = tk_rpc_unpack(
                &tasker__dispatch__v1__register_templates_response__descriptor, arena, reply->data, reply->len);
        if (!response || response->n_outcomes != n) {
                tk_log_error("template.register", "the orchestrator's answer does not fit the request");
                return false;
        }
        for (size_t i = 0; i < n; i++)
                tell(app, sources[i], response->outcomes[i]);
        return true;
}

/* The next files that fit one call; returns where to go on. */
static size_t pick(const struct work_sources *sources, size_t at, const struct work_source **ret, size_t *ret_n)
{
        size_t bytes = 0;
        *ret_n = 0;
        for (; at < sources->n && *ret_n < CALL_TEMPLATES_MAX; at++) {
                const struct work_source *source = &sources->list[at];
                if (!source->tpl)
                        continue;
                if (*ret_n && bytes + source->len > CALL_BYTES_MAX)
                        break;
                bytes += source->len;
                ret[(*ret_n)++] = source;
        }
        return at;
}

static bool tell_orchestrator(struct work_app *app, const struct work_source *const *sources, size_t n)
{
        Tasker__Dispatch__V1__RegisterTemplatesRequest request = TASKER__DISPATCH__V1__REGISTER_TEMPLATES_REQUEST__INIT;
        Tasker__Dispatch__V1__TemplateSource messages[CALL_TEMPLATES_MAX], *list[CALL_TEMPLATES_MAX];
        for (size_t i = 0; i < n; i++) {
                tasker__dispatch__v1__template_source__init(&messages[i]);
                messages[i].file = sources[i]->file;
                messages[i].yaml = (ProtobufCBinaryData){sources[i]->len, (uint8_t *)sources[i]->yaml};
                messages[i].replace = app->conf.templates_replace;
                list[i] = &messages[i];
        }
        request.n_templates = n;
        request.templates = list;
        TK_AUTOBUF struct tk_buf reply;
        struct tk_err err = {0};
        tk_buf_init(&reply, REPLY_MAX);
        if (work_links_unary(app->links, 0, "/tasker.dispatch.v1.Dispatch/RegisterTemplates", &request.base,
                             CALL_TIMEOUT_NS, &reply, &err) == TK_RPC_OK)
                return read_reply(app, &reply, sources, n);
        tk_log_warn("template.register", tk_err_text(&err));
        return false;
}

/* The next time to look. */
static int64_t tick(void *self, int64_t now_ns)
{
        struct enlist *enlist = self;
        struct work_app *app = enlist->app;
        const struct work_source *sources[CALL_TEMPLATES_MAX];
        size_t n;
        if (atomic_load(&app->enlisted) || !work_links_up(app->links))
                return TK_TIME_NEVER; /* a link that comes up wakes us */
        if (now_ns < enlist->retry_ns)
                return enlist->retry_ns;
        while (enlist->done < app->sources.n && !atomic_load(&app->stopping)) {
                size_t next = pick(&app->sources, enlist->done, sources, &n);
                if (n && !tell_orchestrator(app, sources, n))
                        return enlist->retry_ns = tk_time_mono_ns() +
                                                  tk_rand_backoff(enlist->failures++, RETRY_BASE_NS, RETRY_MAX_NS);
                enlist->done = next;
        }
        atomic_store(&app->enlisted, true);
        return TK_TIME_NEVER;
}

static int start(void *self, void *app)
{
        ((struct enlist *)self)->app = app;
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

const struct tk_actor_type work_enlist_actor = {
        .name = "enlist", .state_size = sizeof(struct enlist), .mailbox_max = 1, .threads = 1, .batch_max = 1,
        .start = start, .handle = handle, .tick = tick,
};
