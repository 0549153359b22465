/* SPDX-License-Identifier: MIT */
/* orchestrator/core/register.c: see the header. */
#include "orchestrator/core/register.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/template.h"
#include "orchestrator/core/after.h"
#include "orchestrator/app.h"
#include "orchestrator/core/template.h"
#include "tk_sql.h"
#include <stdio.h>

enum { KEY_MAX = 512 };

const char *orch_registered_name(enum orch_registered outcome)
{
        static const char *const names[] = {"registered", "unchanged", "replaced", "conflict", "invalid"};
        return names[outcome];
}

static enum orch_registered outcome_from(const char *text)
{
        for (int i = ORCH_REGISTERED; i < ORCH_REGISTERED_INVALID; i++)
                if (tk_streq(text, orch_registered_name((enum orch_registered)i)))
                        return (enum orch_registered)i;
        return ORCH_REGISTERED_INVALID;
}

static const char *join_warnings(const struct tk_template *tpl, struct tk_arena *arena)
{
        const char *text = "";
        for (uint32_t i = 0; i < tpl->warnings_n; i++)
                text = tk_arena_printf(arena, "%s%s%s", text, i ? "\n" : "", tpl->warnings[i]);
        return text;
}

/* Everybody who remembers what the name stood for must forget it. */
static void announce(struct orch_app *app, const struct orch_registration *reg)
{
        char key[KEY_MAX];
        snprintf(key, sizeof key, "%s/%s/%s", reg->ns, reg->name, reg->version);
        orch_templates_drop(app->templates, key);
        app->after->renamed(app, reg->ns, reg->name, reg->version);
        tk_log_info("template.registered", NULL, TK_STR("template", key),
                    TK_STR("outcome", orch_registered_name(reg->outcome)), TK_STR("digest", reg->digest));
}

static int store(struct tk_pg *pg, struct tk_arena *arena, const struct tk_template *tpl, bool replace,
                 struct tk_pg_result **ret_res, struct tk_err *err)
{
        TK_AUTOBUF struct tk_buf body, steps, edges;
        tk_buf_init(&body, 64u << 20);
        tk_buf_init(&steps, 64u << 20);
        tk_buf_init(&edges, 64u << 20);
        tk_template_canonical(tpl, &body);
        tk_template_db_steps(tpl, &steps);
        tk_template_db_edges(tpl, &edges);
        if (tk_buf_failed(&body) || tk_buf_failed(&steps) || tk_buf_failed(&edges))
                return TK_ERR(err, TK_PG_E_DATA, "template %s/%s is too large", tpl->ns, tpl->name);
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_text(&args, tpl->ns);
        tk_pg_arg_text(&args, tpl->name);
        tk_pg_arg_text(&args, tpl->version);
        tk_pg_arg_text(&args, tpl->description);
        tk_pg_arg_text(&args, tpl->digest);
        tk_pg_arg_text(&args, tpl->identity);
        tk_pg_arg_jsonb(&args, tk_buf_str(&body));
        tk_pg_arg_jsonb(&args, tk_buf_str(&steps));
        tk_pg_arg_jsonb(&args, tk_buf_str(&edges));
        tk_pg_arg_bool(&args, replace);
        return tk_pg_query(pg, &tk_sql_template_register, &args, ret_res, err);
}

int orch_register_template(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, const char *file,
                           const void *yaml, size_t len, bool replace, struct orch_registration *ret,
                           struct tk_err *err)
{
        TK_CLEANUP(tk_template_free) struct tk_template *tpl = NULL;
        struct tk_err why = {0};
        *ret = (struct orch_registration){.outcome = ORCH_REGISTERED_INVALID, .ns = "", .name = "", .version = "", .message = ""};
        if (tk_template_parse_yaml(file, yaml, len, app->conf.environment, &tpl, &why)) {
                ret->message = tk_arena_strdup(arena, tk_err_text(&why));
                return 0;
        }
        ret->ns = tk_arena_strdup(arena, tpl->ns);
        ret->name = tk_arena_strdup(arena, tpl->name);
        ret->version = tk_arena_strdup(arena, tpl->version);
        ret->message = join_warnings(tpl, arena);
        (void)tk_str_copy(ret->digest, sizeof ret->digest, tpl->digest);

        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = store(pg, arena, tpl, replace, &res, err);
        if (r)
                return r;
        ret->outcome = outcome_from(tk_pg_str(res, 0, tk_pg_column(res, "outcome")));
        (void)tk_str_copy(ret->digest, sizeof ret->digest, tk_pg_str(res, 0, tk_pg_column(res, "digest")));
        if (ret->outcome == ORCH_REGISTERED_CONFLICT)
                ret->message = tk_arena_printf(arena,
                                               "%s: %s/%s version %s is registered with other content (digest "
                                               "%.12s…, this file has %.12s…); "
                                               "raise the version, or ask for replacement",
                                               file, ret->ns, ret->name, ret->version, ret->digest, tpl->digest);
        else if (ret->outcome != ORCH_REGISTERED_UNCHANGED)
                announce(app, ret);
        return 0;
}
