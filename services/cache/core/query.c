/* SPDX-License-Identifier: MIT */
/* cache/core/query.c: see the header. */
#include "cache/core/query.h"
#include "base/str.h"
#include "rpc/pack.h"
#include "tasker/cache/v1/cache.pb-c.h"
#include "tk_sql.h"

static void bytes_of(ProtobufCBinaryData *to, struct tk_arena *arena, const struct tk_uuid *uuid)
{
        to->len = sizeof uuid->b;
        to->data = tk_arena_alloc(arena, to->len);
        memcpy(to->data, uuid->b, to->len);
}

static void read_named(const struct tk_pg_result *res, int row, struct tk_arena *arena, Tasker__Cache__V1__NamedTask *ret)
{
        struct tk_uuid uuid = tk_pg_uuid(res, row, tk_pg_column(res, "named_task_uuid"));
        tasker__cache__v1__named_task__init(ret);
        bytes_of(&ret->named_task_uuid, arena, &uuid);
        ret->namespace_ = tk_str_unconst(tk_pg_str(res, row, tk_pg_column(res, "namespace")));
        ret->name = tk_str_unconst(tk_pg_str(res, row, tk_pg_column(res, "name")));
        ret->version = tk_str_unconst(tk_pg_str(res, row, tk_pg_column(res, "version")));
        ret->description = tk_str_unconst(tk_pg_str(res, row, tk_pg_column(res, "description")));
        ret->digest = tk_str_unconst(tk_pg_str(res, row, tk_pg_column(res, "digest")));
        ret->identity_strategy = tk_str_unconst(tk_pg_str(res, row, tk_pg_column(res, "identity_strategy")));
}

static void pack_named(const struct tk_pg_result *res, struct tk_arena *arena, struct tk_buf *ret)
{
        Tasker__Cache__V1__NamedTask named;
        read_named(res, 0, arena, &named);
        tk_rpc_pack(&named.base, ret);
}

static void pack_list(const struct tk_pg_result *res, struct tk_arena *arena, struct tk_buf *ret)
{
        Tasker__Cache__V1__ListTemplatesResponse list = TASKER__CACHE__V1__LIST_TEMPLATES_RESPONSE__INIT;
        size_t n = (size_t)tk_pg_rows(res);
        Tasker__Cache__V1__NamedTask *named = TK_ARENA_ARRAY(arena, Tasker__Cache__V1__NamedTask, n + 1);
        list.n_named_tasks = n;
        list.named_tasks = TK_ARENA_ARRAY(arena, Tasker__Cache__V1__NamedTask *, n + 1);
        for (size_t i = 0; i < n; i++) {
                read_named(res, (int)i, arena, &named[i]);
                list.named_tasks[i] = &named[i];
        }
        tk_rpc_pack(&list.base, ret);
}

static void pack_template(const struct tk_pg_result *res, const struct cache_key *key, struct tk_arena *arena,
                          struct tk_buf *ret)
{
        Tasker__Cache__V1__Template tpl = TASKER__CACHE__V1__TEMPLATE__INIT;
        int body = tk_pg_column(res, "body");
        struct tk_uuid uuid = tk_pg_uuid(res, 0, tk_pg_column(res, "named_task_uuid"));
        tpl.digest = tk_str_unconst(key->parts[0]);
        tpl.body_json.data = (uint8_t *)tk_str_unconst(tk_pg_str(res, 0, body));
        tpl.body_json.len = tk_pg_len(res, 0, body);
        bytes_of(&tpl.named_task_uuid, arena, &uuid);
        tk_rpc_pack(&tpl.base, ret);
}

static const struct {
        const struct tk_sql *sql;
        unsigned params;
        const ProtobufCMessageDescriptor *answer;
} queries[] = {
        [CACHE_NAMED] = {&tk_sql_cache_named_task, 3, &tasker__cache__v1__named_task__descriptor},
        [CACHE_TEMPLATE] = {&tk_sql_cache_template, 1, &tasker__cache__v1__template__descriptor},
        [CACHE_LIST] = {&tk_sql_cache_list, 1, &tasker__cache__v1__list_templates_response__descriptor},
};

int cache_query(struct tk_pg *pg, struct tk_arena *arena, const struct cache_key *key, struct tk_buf *ret,
                struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        for (unsigned i = 0; i < queries[key->kind].params; i++)
                tk_pg_arg_text(&args, key->parts[i]);
        int r = tk_pg_query(pg, queries[key->kind].sql, &args, &res, err);
        if (r)
                return r;
        if (key->kind == CACHE_LIST)
                pack_list(res, arena, ret);
        else if (!tk_pg_rows(res))
                return CACHE_QUERY_E_NONE;
        else if (key->kind == CACHE_NAMED)
                pack_named(res, arena, ret);
        else
                pack_template(res, key, arena, ret);
        return tk_buf_failed(ret)
                       ? TK_ERR(err, TK_PG_E_SERVER, "%s: the answer is larger than %zu bytes", key->text, ret->max)
                       : 0;
}

bool cache_query_valid(struct tk_arena *arena, const struct cache_key *key, const void *data, size_t len)
{
        const void *message = tk_rpc_unpack(queries[key->kind].answer, arena, data, len);
        if (message && key->kind == CACHE_TEMPLATE)
                return tk_streq(((const Tasker__Cache__V1__Template *)message)->digest, key->parts[0]);
        if (message && key->kind == CACHE_NAMED)
                return tk_streq(((const Tasker__Cache__V1__NamedTask *)message)->name, key->parts[1]);
        return message;
}
