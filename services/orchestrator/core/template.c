/* SPDX-License-Identifier: MIT */
/* orchestrator/core/template.c: see the header. */
#include "orchestrator/core/template.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "json/json.h"
#include "model/template.h"
#include "orchestrator/app.h"
#include "rpc/pack.h"
#include "run/lock.h"
#include "tasker/cache/v1/cache.pb-c.h"
#include "tk_sql.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

enum { ENTRIES_MAX = 10000, KEY_MAX = 512 };
#define CACHE_TIMEOUT_NS (500 * TK_NS_PER_MS)
#define CACHE_REST_NS TK_NS_PER_S /* after a failure the cache service is left alone this long */

struct entry {
        struct orch_template_ref ref;
        int64_t expires_ns;
};

struct orch_templates {
        struct tk_lock lock;
        struct tk_map *entries; /* "ns/name/version" → struct entry */
        int64_t ttl_ns;
        uint64_t drops;         /* a load that began before a drop must not store what it read */
        _Atomic int64_t cache_rest_until_ns;
};

static void entry_free(struct entry *entry)
{
        if (entry)
                orch_template_ref_deinit(&entry->ref);
        tk_free(entry);
}

struct orch_templates *orch_templates_new(int64_t ttl_ns)
{
        struct orch_templates *t = TK_NEW(struct orch_templates);
        tk_lock_init(&t->lock, "templates");
        t->entries = tk_map_new();
        t->ttl_ns = ttl_ns;
        return t;
}

/* Under the lock. */
static void clear(struct orch_templates *t)
{
        const void *key;
        size_t len;
        void *value;
        for (size_t at = 0; tk_map_next(t->entries, &at, &key, &len, &value);)
                entry_free(value);
        tk_map_free(t->entries);
        t->entries = tk_map_new();
}

struct orch_templates *orch_templates_free(struct orch_templates *t)
{
        if (!t)
                return NULL;
        clear(t);
        tk_map_free(t->entries);
        tk_lock_deinit(&t->lock);
        return tk_free(t);
}

bool orch_templates_get(struct orch_templates *t, const char *ns, const char *name, const char *version,
                        struct orch_template_ref *ret)
{
        char key[KEY_MAX];
        snprintf(key, sizeof key, "%s/%s/%s", ns, name, version);
        TK_LOCKED(&t->lock);
        struct entry *entry = tk_map_gets(t->entries, key);
        if (!entry || entry->expires_ns <= tk_time_mono_ns())
                return false;
        *ret = entry->ref;
        ret->input_schema = tk_schema_ref(entry->ref.input_schema);
        return true;
}

void orch_templates_drop(struct orch_templates *t, const char *key)
{
        TK_LOCKED(&t->lock);
        t->drops++;
        if (key)
                entry_free(tk_map_dels(t->entries, key));
        else
                clear(t);
}

static uint64_t drops(struct orch_templates *t)
{
        TK_LOCKED(&t->lock);
        return t->drops;
}

static void put(struct orch_templates *t, const char *ns, const char *name, const char *version,
                const struct orch_template_ref *ref, uint64_t drops_before)
{
        char key[KEY_MAX];
        if (snprintf(key, sizeof key, "%s/%s/%s", ns, name, version) >= (int)sizeof key)
                return;
        TK_LOCKED(&t->lock);
        if (t->drops != drops_before)
                return;
        if (tk_map_count(t->entries) >= ENTRIES_MAX)
                clear(t);
        struct entry *entry = TK_NEW(struct entry);
        entry->ref = *ref;
        entry->ref.input_schema = tk_schema_ref(ref->input_schema);
        entry->expires_ns = tk_time_mono_ns() + t->ttl_ns;
        entry_free(tk_map_puts(t->entries, key, entry));
}

static enum tk_rpc_status call(struct orch_app *app, const char *method, const ProtobufCMessage *request,
                               struct tk_buf *ret)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, 4096);
        tk_rpc_pack(request, &buf);
        tk_buf_reset(ret);
        return tk_rpc_unary(app->cache, method, buf.data, buf.len, CACHE_TIMEOUT_NS, ret, NULL);
}

/* 0, E_UNKNOWN, or negative: the cache service cannot say. */
static int load_cached(struct orch_app *app, const char *ns, const char *name, const char *version,
                       struct orch_template_ref *ret)
{
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(65536, 64u << 20);
        TK_AUTOBUF struct tk_buf reply;
        tk_buf_init(&reply, 16u << 20);

        Tasker__Cache__V1__GetNamedTaskRequest by_name = TASKER__CACHE__V1__GET_NAMED_TASK_REQUEST__INIT;
        by_name.namespace_ = tk_str_unconst(ns);
        by_name.name = tk_str_unconst(name);
        by_name.version = tk_str_unconst(version);
        enum tk_rpc_status status = call(app, "/tasker.cache.v1.TemplateCache/GetNamedTask", &by_name.base, &reply);
        if (status)
                return status == TK_RPC_NOT_FOUND ? ORCH_TEMPLATE_E_UNKNOWN : -EIO;
        const Tasker__Cache__V1__NamedTask *named =
                tk_rpc_unpack(&tasker__cache__v1__named_task__descriptor, arena, reply.data, reply.len);
        if (!named || named->named_task_uuid.len != sizeof ret->named_task.b ||
            strlen(named->digest) != sizeof ret->digest - 1)
                return -EPROTO;

        struct orch_template_ref ref = {0};
        memcpy(ref.named_task.b, named->named_task_uuid.data, sizeof ref.named_task.b);
        (void)tk_str_copy(ref.digest, sizeof ref.digest, named->digest);
        (void)tk_str_copy(ref.identity, sizeof ref.identity, named->identity_strategy);

        Tasker__Cache__V1__GetTemplateRequest by_digest = TASKER__CACHE__V1__GET_TEMPLATE_REQUEST__INIT;
        by_digest.digest = ref.digest;
        if (call(app, "/tasker.cache.v1.TemplateCache/GetTemplate", &by_digest.base, &reply))
                return -EIO;
        const Tasker__Cache__V1__Template *body =
                tk_rpc_unpack(&tasker__cache__v1__template__descriptor, arena, reply.data, reply.len);
        TK_CLEANUP(tk_template_free) struct tk_template *tpl = NULL;
        if (!body || tk_template_parse_json(body->body_json.data, body->body_json.len, &tpl, NULL))
                return -EPROTO;
        ref.steps_at_start = tpl->at_start_n;
        ref.input_schema = tk_schema_ref(tpl->input_schema);
        *ret = ref;
        return 0;
}

/* NULL where there is none, or one that was stored before anybody looked at it and does not compile. */
static struct tk_schema *stored_schema(const struct tk_pg_result *res, int column)
{
        static const struct tk_json_limits limits = {.bytes_max = 64u << 20, .depth_max = 128, .entries_max = 1000000, .string_max = 4u << 20};
        TK_AUTOJSON json_t *document = NULL;
        struct tk_schema *schema = NULL;
        if (tk_pg_is_null(res, 0, column) || tk_json_parse(tk_pg_str(res, 0, column), tk_pg_len(res, 0, column), &limits, &document, NULL) ||
            tk_schema_compile(document, &schema, NULL, NULL))
                return NULL;
        return schema;
}

static int load_stored(struct tk_pg *pg, const char *ns, const char *name, const char *version,
                       struct orch_template_ref *ret, struct tk_err *err)
{
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(4096, 1u << 20);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_text(&args, ns);
        tk_pg_arg_text(&args, name);
        tk_pg_arg_text(&args, version);
        int r = tk_pg_query(pg, &tk_sql_template_resolve, &args, &res, err);
        if (r)
                return r;
        if (!tk_pg_rows(res))
                return ORCH_TEMPLATE_E_UNKNOWN;
        struct orch_template_ref ref = {.named_task = tk_pg_uuid(res, 0, tk_pg_column(res, "named_task_uuid"))};
        (void)tk_str_copy(ref.digest, sizeof ref.digest, tk_pg_str(res, 0, tk_pg_column(res, "digest")));
        (void)tk_str_copy(ref.identity, sizeof ref.identity, tk_pg_str(res, 0, tk_pg_column(res, "identity_strategy")));
        ref.steps_at_start = (uint32_t)tk_pg_i64(res, 0, tk_pg_column(res, "steps_at_start"));
        ref.input_schema = stored_schema(res, tk_pg_column(res, "input_schema"));
        *ret = ref;
        return 0;
}

int orch_template_load(struct orch_app *app, struct tk_pg *pg, const char *ns, const char *name, const char *version,
                       bool fresh, struct orch_template_ref *ret, struct tk_err *err)
{
        struct orch_templates *t = app->templates;
        uint64_t before = drops(t);
        int r = -EIO;
        if (!fresh && app->cache && tk_time_mono_ns() >= atomic_load(&t->cache_rest_until_ns)) {
                r = load_cached(app, ns, name, version, ret);
                if (r < 0)
                        atomic_store(&t->cache_rest_until_ns, tk_time_mono_ns() + CACHE_REST_NS);
        }
        /* A cached "unknown" may be seconds old; the truth is asked before a client is refused. */
        if (r)
                r = load_stored(pg, ns, name, version, ret, err);
        if (!r)
                put(t, ns, name, version, ret, before);
        return r;
}

bool orch_template_fits(const struct orch_template_ref *ref, const char *text, const json_t *value, struct tk_err *err)
{
        TK_AUTOJSON json_t *read = NULL;
        if (!ref->input_schema)
                return true;
        if (!value && tk_json_parse(text, strlen(text), &tk_json_limits_default, &read, err))
                return false;
        return tk_schema_check(ref->input_schema, value ? value : read, err);
}

bool orch_templates_cache_rests(struct orch_templates *templates)
{
        return tk_time_mono_ns() < atomic_load(&templates->cache_rest_until_ns);
}
