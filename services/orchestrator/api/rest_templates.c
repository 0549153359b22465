/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rest_templates.c: registered template versions, and registering one. */
#include "base/buf.h"
#include "base/str.h"
#include "orchestrator/api/reply.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/app.h"
#include "orchestrator/core/register.h"
#include "orchestrator/core/rows.h"
#include "tk_sql.h"
#include <stdio.h>

static int template_list(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct tk_http_req *req = arg;
        struct tk_pg_args args;
        if (orch_rest_no_database(req, pg))
                return 0;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_text(&args, tk_http_req_query(req, "namespace"));
        return orch_rest_reply_query(req, app, pg, &tk_sql_template_list, &args, "Resource not found");
}

static int template_get(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct tk_http_req *req = arg;
        struct tk_pg_args args;
        if (orch_rest_no_database(req, pg))
                return 0;
        const char *ns = tk_http_req_param(req, 0), *name = tk_http_req_param(req, 1), *version = tk_http_req_param(req, 2);
        tk_pg_args_init(&args, arena);
        tk_pg_arg_text(&args, ns);
        tk_pg_arg_text(&args, name);
        tk_pg_arg_text(&args, version);
        const char *missing = tk_arena_printf(arena, "Template not found: %s/%s/%s", ns, name, version);
        return orch_rest_reply_query(req, app, pg, &tk_sql_template_get, &args, missing);
}

static void reply_registration(struct tk_http_req *req, const struct orch_registration *reg)
{
        static const struct {
                const char *key;
                size_t offset;
        } texts[] = {
                {"namespace", offsetof(struct orch_registration, ns)},
                {"name", offsetof(struct orch_registration, name)},
                {"version", offsetof(struct orch_registration, version)},
                {"message", offsetof(struct orch_registration, message)},
        };
        static const int statuses[] = {[ORCH_REGISTERED] = 201,
                                       [ORCH_REGISTERED_UNCHANGED] = 200,
                                       [ORCH_REGISTERED_REPLACED] = 200,
                                       [ORCH_REGISTERED_CONFLICT] = 409,
                                       [ORCH_REGISTERED_INVALID] = 400};
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, 1 << 20);
        tk_buf_printf(&buf, "{\"outcome\":\"%s\",\"digest\":\"%s\"", orch_registered_name(reg->outcome), reg->digest);
        for (size_t i = 0; i < tk_countof(texts); i++) {
                const char *text = *(const char *const *)((const char *)reg + texts[i].offset);
                tk_buf_printf(&buf, ",\"%s\":", texts[i].key);
                tk_buf_put_json_str(&buf, text, strlen(text));
        }
        if (reg->outcome >= ORCH_REGISTERED_CONFLICT) { /* also in the shape every other error has */
                tk_buf_printf(&buf, ",\"error\":{\"code\":\"%s\",\"message\":",
                              reg->outcome == ORCH_REGISTERED_CONFLICT ? "CONFLICT" : "BAD_REQUEST");
                tk_buf_put_json_str(&buf, reg->message, strlen(reg->message));
                tk_buf_putc(&buf, '}');
        }
        tk_buf_putc(&buf, '}');
        tk_http_reply(req, statuses[reg->outcome], NULL, buf.data, buf.len);
}

static int template_apply(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct tk_http_req *req = arg;
        struct orch_registration reg;
        struct tk_err err = {0};
        size_t len;
        if (orch_rest_no_database(req, pg))
                return 0;
        const void *yaml = tk_http_req_body(req, &len);
        const char *file = tk_http_req_query(req, "file");
        bool replace = tk_streq(tk_http_req_query(req, "replace"), "true");
        int r = orch_register_template(app, pg, arena, file ? file : "template", yaml, len, replace, &reg, &err);
        if (r)
                orch_reply_db(req, app, "register_template", r, &err);
        else
                reply_registration(req, &reg);
        return r;
}

void orch_rest_template_list(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, template_list);
}

void orch_rest_template_get(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, template_get);
}

void orch_rest_template_apply(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, template_apply);
}
