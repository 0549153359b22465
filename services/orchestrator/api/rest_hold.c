/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rest_hold.c: pausing and resuming a task, a template, a namespace, starting a task before its time. A
 * template or a namespace is done in pages, each a transaction of its own; the answer says where to go on, so that a request never takes long. */
#include "base/str.h"
#include "base/time.h"
#include "model/decision.h"
#include "orchestrator/api/reply.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/app.h"
#include "orchestrator/core/decide.h"
#include "tk_sql.h"

enum { HELD_TASK = 1, GROUP_PAGE = 500, BODY_MAX = 1 << 20 };
#define GROUP_BUDGET_NS (2 * TK_NS_PER_S)

struct hold { /* in the request's arena */
        struct tk_http_req *req;
        const char *action;         /* of a task: pause, resume, start */
        struct tk_decision decision;
        const char *ns, *name, *version;
        bool on;
        struct tk_uuid task;
        unsigned changed;
        bool known, more;
};

/* Replies itself when the body is wrong. */
static struct hold *hold_new(struct tk_http_req *req)
{
        struct hold *hold = TK_ARENA_NEW(tk_http_req_arena(req), struct hold);
        hold->req = req;
        return ORCH_REST_PARSE(req, tk_decision_parse, &hold->decision) ? hold : NULL;
}

/* ---- POST /v1/tasks/{uuid}/pause, /resume, /start ---- */

static int hold_task(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct hold *hold = arg;
        struct orch_decision decision;
        struct tk_pg_args args;
        struct tk_err err = {0};
        if (orch_rest_no_database(hold->req, pg))
                return 0;
        tk_pg_args_init(&args, arena);
        bool start = tk_streq(hold->action, "start");
        tk_pg_arg_uuid_array(&args, &hold->task, 1);
        if (!start) {
                tk_pg_arg_i32(&args, HELD_TASK);
                tk_pg_arg_bool(&args, hold->on);
        }
        tk_pg_arg_text(&args, hold->decision.actor);
        tk_pg_arg_text(&args, hold->decision.reason);
        tk_pg_arg_uuid(&args, &app->processor);
        int r = orch_decide(app, pg, start ? &tk_sql_engine_start_tasks : &tk_sql_engine_hold_tasks, &args, &decision, &err);
        if (r) {
                orch_reply_db(hold->req, app, start ? "start_tasks" : "hold_tasks", r, &err);
                return r;
        }
        if (tk_streq(decision.outcome, "unknown")) {
                orch_reply_error(hold->req, ORCH_E_NOT_FOUND, "Resource not found");
                return 0;
        }
        if (tk_streq(decision.outcome, "ended")) {
                orch_reply_error(hold->req, ORCH_E_BAD_REQUEST, "Cannot %s a task that has ended: %s", hold->action, decision.text);
                return 0;
        }
        if (tk_streq(decision.outcome, "acted"))
                orch_count_l(app, task_actions_total, hold->action);
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid_array(&args, &hold->task, 1);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        r = tk_pg_query(pg, &tk_sql_task_get, &args, &res, &err);
        if (r)
                orch_reply_db(hold->req, app, "task.get", r, &err);
        else
                orch_reply_json(hold->req, tk_pg_str(res, 0, 1), tk_pg_len(res, 0, 1));
        return r;
}

static void task_request(struct tk_http_req *req, struct orch_app *app, const char *action)
{
        struct tk_uuid task;
        if (!orch_rest_uuid(req, 0, NULL, &task))
                return;
        struct hold *hold = hold_new(req);
        if (!hold)
                return;
        hold->task = task;
        hold->action = action;
        hold->on = tk_streq(action, "pause");
        orch_rest_post(app, req, hold_task, hold);
}

void orch_rest_task_pause(struct tk_http_req *req, void *app)
{
        task_request(req, app, "pause");
}

void orch_rest_task_resume(struct tk_http_req *req, void *app)
{
        task_request(req, app, "resume");
}

void orch_rest_task_start(struct tk_http_req *req, void *app)
{
        task_request(req, app, "start");
}

/* ---- POST /v1/namespaces/{namespace}/pause …, /v1/templates/{namespace}/{name}/pause … ---- */

static void group_row(void *user, const struct orch_row *row)
{
        struct hold *hold = user;
        if (tk_streq(row->kind, "next")) {
                hold->more = true;
                hold->decision.after = row->task;
        } else if (tk_streq(row->kind, "group")) {
                hold->known = true;
                hold->changed += (unsigned)row->idx;
        }
}

static int group_page(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct hold *hold, struct tk_err *err)
{
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_text(&args, hold->ns);
        tk_pg_arg_text(&args, hold->name);
        tk_pg_arg_text(&args, hold->version);
        tk_pg_arg_bool(&args, hold->on);
        tk_pg_arg_text(&args, hold->decision.actor);
        tk_pg_arg_text(&args, hold->decision.reason);
        tk_pg_arg_uuid(&args, tk_uuid_is_nil(&hold->decision.after) ? NULL : &hold->decision.after);
        tk_pg_arg_i32(&args, GROUP_PAGE);
        tk_pg_arg_uuid(&args, &app->processor);
        hold->more = false;
        return orch_decide_rows(app, pg, &tk_sql_engine_hold_group, &args, group_row, hold, err);
}

static void reply_group(struct hold *hold)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, BODY_MAX);
        tk_buf_puts(&buf, "{\"namespace\":");
        tk_buf_put_json_str(&buf, hold->ns, strlen(hold->ns));
        if (hold->name) {
                tk_buf_puts(&buf, ",\"name\":");
                tk_buf_put_json_str(&buf, hold->name, strlen(hold->name));
        }
        tk_buf_printf(&buf, ",\"paused\":%s,\"changed\":%u", hold->on ? "true" : "false", hold->changed);
        orch_put_next(&buf, hold->more ? &hold->decision.after : NULL);
        orch_reply_json(hold->req, buf.data, buf.len);
}

static int hold_group(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct hold *hold = arg;
        struct tk_err err = {0};
        int64_t until = tk_time_mono_ns() + GROUP_BUDGET_NS;
        int r;
        if (orch_rest_no_database(hold->req, pg))
                return 0;
        do
                r = group_page(app, pg, arena, hold, &err);
        while (!r && hold->more && tk_time_mono_ns() < until);
        if (!r && !hold->more && hold->changed) { /* once more: a submission may have been under way when the first page was looked at */
                hold->decision.after = (struct tk_uuid){0};
                r = group_page(app, pg, arena, hold, &err);
        }
        if (!r && hold->known)
                orch_count_l(app, task_actions_total, hold->on ? "pause" : "resume");
        if (r)
                orch_reply_db(hold->req, app, "hold_group", r, &err);
        else if (!hold->known)
                orch_reply_error(hold->req, ORCH_E_NOT_FOUND, hold->name ? "Template not found: %s/%s%s%s" : "Namespace not found: %s", hold->ns,
                                 hold->name, hold->version ? "/" : "", hold->version ? hold->version : "");
        else
                reply_group(hold);
        return r; /* `hold` is gone with its request */
}

static void group_request(struct tk_http_req *req, struct orch_app *app, bool on, bool named)
{
        struct hold *hold = hold_new(req);
        if (!hold)
                return;
        hold->on = on;
        hold->ns = tk_http_req_param(req, 0);
        hold->name = named ? tk_http_req_param(req, 1) : NULL;
        hold->version = named ? tk_http_req_query(req, "version") : NULL;
        orch_rest_post(app, req, hold_group, hold);
}

void orch_rest_namespace_pause(struct tk_http_req *req, void *app)
{
        group_request(req, app, true, false);
}

void orch_rest_namespace_resume(struct tk_http_req *req, void *app)
{
        group_request(req, app, false, false);
}

void orch_rest_template_pause(struct tk_http_req *req, void *app)
{
        group_request(req, app, true, true);
}

void orch_rest_template_resume(struct tk_http_req *req, void *app)
{
        group_request(req, app, false, true);
}
