/* SPDX-License-Identifier: MIT */
/* worker/feed/hydrate.c: see the header. Whatever the source, the digest of what was parsed must be the one asked for. */
#include "worker/feed/hydrate.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "rpc/pack.h"
#include "tasker/cache/v1/cache.pb-c.h"
#include "worker/app.h"
#include <errno.h>

enum { REPLY_MAX = 64 << 20 };
#define CACHE_REST_NS TK_NS_PER_S /* after a failure the cache service is left alone this long */
#define CACHE_TIMEOUT_NS (2 * TK_NS_PER_S)

static int checked(struct tk_template *tpl, const char *digest, const char *source, struct tk_template **ret,
                   struct tk_err *err)
{
        if (tk_streq(tpl->digest, digest)) {
                *ret = tpl;
                return 0;
        }
        int r = TK_ERR(err, -EINVAL, "%s: asked for template %.12s, got %.12s", source, digest, tpl->digest);
        tk_template_free(tpl);
        return r;
}

static int parse_reply(const char *digest, const struct tk_buf *reply, struct tk_template **ret, struct tk_err *err)
{
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(64 * 1024, (size_t)2 * REPLY_MAX);
        const Tasker__Cache__V1__Template *answer =
                tk_rpc_unpack(&tasker__cache__v1__template__descriptor, arena, reply->data, reply->len);
        struct tk_template *tpl;
        if (!answer)
                return TK_ERR(err, -EINVAL, "the cache answered something that is not a Template");
        if (tk_template_parse_json(answer->body_json.data, answer->body_json.len, &tpl, err))
                return -EINVAL;
        return checked(tpl, digest, "cache", ret, err);
}

static int from_cache(struct work_app *app, const char *digest, int64_t deadline_ns, struct tk_template **ret,
                      struct tk_err *err)
{
        int64_t now_ns = tk_time_mono_ns(), left_ns = deadline_ns - now_ns;
        if (now_ns < atomic_load(&app->cache_rest_until_ns))
                return TK_ERR(err, -EIO, "the cache service failed a moment ago and is left alone");
        TK_AUTOBUF struct tk_buf bytes, reply;
        Tasker__Cache__V1__GetTemplateRequest request = TASKER__CACHE__V1__GET_TEMPLATE_REQUEST__INIT;
        request.digest = (char *)(uintptr_t)digest;
        tk_buf_init(&bytes, 1024);
        tk_buf_init(&reply, REPLY_MAX);
        tk_rpc_pack(&request.base, &bytes);
        enum tk_rpc_status status =
                tk_rpc_unary(app->cache, "/tasker.cache.v1.TemplateCache/GetTemplate", bytes.data, bytes.len,
                             left_ns < CACHE_TIMEOUT_NS ? left_ns : CACHE_TIMEOUT_NS, &reply, err);
        if (status == TK_RPC_NOT_FOUND)
                return WORK_TEMPLATE_E_UNKNOWN;
        atomic_store(&app->cache_rest_until_ns, status == TK_RPC_OK ? 0 : tk_time_mono_ns() + CACHE_REST_NS);
        return status == TK_RPC_OK ? parse_reply(digest, &reply, ret, err) : -EIO;
}

static int from_files(struct work_app *app, const char *digest, struct tk_template **ret, struct tk_err *err)
{
        const struct work_source *source = work_sources_by_digest(&app->sources, digest);
        struct tk_template *tpl;
        if (!source)
                return TK_ERR(err, WORK_TEMPLATE_E_UNKNOWN,
                              "template %.12s is neither in the cache nor among this worker's files", digest);
        if (tk_template_parse_yaml(source->file, source->yaml, source->len, app->conf.environment, &tpl, err))
                return -EINVAL;
        return checked(tpl, digest, source->file, ret, err);
}

int work_hydrate(void *user, const char *digest, int64_t deadline_ns, struct tk_template **ret, struct tk_err *err)
{
        struct work_app *app = user;
        struct tk_err cache_err = {0};
        int64_t started_ns = tk_time_mono_ns();
        int r = app->cache ? from_cache(app, digest, deadline_ns, ret, &cache_err) : WORK_TEMPLATE_E_UNKNOWN;
        if (r && !from_files(app, digest, ret, err))
                r = 0;
        else if (r < 0) {
                tk_log_warn("template.load", tk_err_text(&cache_err), TK_STR("digest", digest));
                (void)TK_ERR(err, r, "template %.12s: %s", digest, tk_err_text(&cache_err));
        }
        tk_metric_observe(app->metrics, WORK_M_template_load_seconds, tk_time_mono_ns() - started_ns);
        return r;
}
