/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rest_namespaces.c: namespaces, and how much of a worker each has beside the others. Orchestrators learn of a weight with
 * their next look at the queues. */
#include "base/str.h"
#include "orchestrator/api/reply.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/app.h"
#include "tk_sql.h"

static int reply(struct tk_http_req *req, struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, const char *ns)
{
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_text(&args, ns);
        return orch_rest_reply_query(req, app, pg, &tk_sql_namespace_list, &args, ns ? tk_arena_printf(arena, "Namespace not found: %s", ns) : "");
}

static int list(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        return orch_rest_no_database(arg, pg) ? 0 : reply(arg, app, pg, arena, NULL);
}

static int get(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        return orch_rest_no_database(arg, pg) ? 0 : reply(arg, app, pg, arena, tk_http_req_param(arg, 0));
}

static int weigh(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct tk_http_req *req = arg;
        struct tk_decision decision;
        struct tk_pg_args args;
        struct tk_err err = {0};
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        size_t len;
        if (orch_rest_no_database(req, pg))
                return 0;
        const void *body = tk_http_req_body(req, &len);
        if (!orch_rest_parsed(req, tk_decision_parse_weight(body, len, arena, &decision, &err), &err))
                return 0;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_text(&args, tk_http_req_param(req, 0));
        tk_pg_arg_i32(&args, decision.weight);
        tk_pg_arg_text(&args, decision.actor);
        tk_pg_arg_text(&args, decision.reason);
        int r = tk_pg_query(pg, &tk_sql_namespace_weigh, &args, &res, &err);
        if (r) {
                orch_reply_db(req, app, "weigh_namespace", r, &err);
                return r;
        }
        if (tk_streq(tk_pg_str(res, 0, 0), "weighed"))
                orch_count_l(app, task_actions_total, "weigh");
        return reply(req, app, pg, arena, tk_http_req_param(req, 0));
}

void orch_rest_namespace_list(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, list);
}

void orch_rest_namespace_get(struct tk_http_req *req, void *app)
{
        orch_rest_query(app, req, get);
}

void orch_rest_namespace_weigh(struct tk_http_req *req, void *app)
{
        if (orch_rest_json(req))
                orch_rest_query(app, req, weigh);
}
