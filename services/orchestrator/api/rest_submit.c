/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rest_submit.c: POST /v1/tasks. Parsed and checked in the HTTP thread; the template is looked up in
 * memory (else by a query thread); then the request waits in the intake mailbox and is answered from what its own
 * transaction said, without another read. */
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/probe.h"
#include "base/str.h"
#include "base/time.h"
#include "json/json.h"
#include "orchestrator/actor/intake.h"
#include "orchestrator/api/reply.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/app.h"
#include "orchestrator/core/pressure.h"
#include "orchestrator/core/template.h"
#include "tk_sql.h"

enum { BODY_MAX = 4 * 1024 * 1024, TEMPLATE_TRIES = 3 };

struct submit { /* in the request's arena */
        struct orch_intake_msg intake; /* first: the message is the submission */
        struct orch_app *app;
        struct tk_http_req *req;
        unsigned tries;
};

static void refuse(struct submit *submit, const char *reason)
{
        orch_count_l(submit->app, tasks_refused_total, reason);
}

static void reply_created(struct submit *submit)
{
        const struct orch_create *create = &submit->intake.create;
        const struct tk_task_request *req = &create->req;
        char task[TK_UUID_TEXT], correlation[TK_UUID_TEXT], parent[TK_UUID_TEXT + 2] = "null", at[TK_TIME_TEXT];
        tk_uuid_format(&create->task, task);
        tk_uuid_format(&req->correlation_id, correlation);
        if (!tk_uuid_is_nil(&req->parent_correlation_id)) {
                parent[0] = '"';
                tk_uuid_format(&req->parent_correlation_id, parent + 1);
                parent[TK_UUID_TEXT] = '"';
                parent[TK_UUID_TEXT + 1] = '\0';
        }
        tk_time_format(create->created_at_ns, 6, at);
        tk_log_debug("task.created", NULL, TK_STR("task_uuid", task), TK_STR("correlation_id", correlation),
                     TK_JSON("parent_correlation_id", parent), TK_STR("namespace", req->ns), TK_STR("name", req->name),
                     TK_STR("version", req->version), TK_STR("initiator", req->initiator));
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, BODY_MAX);
        tk_buf_printf(&buf, "{\"task_uuid\":\"%s\",\"name\":", task);
        tk_buf_put_json_str(&buf, req->name, strlen(req->name));
        tk_buf_puts(&buf, ",\"namespace\":");
        tk_buf_put_json_str(&buf, req->ns, strlen(req->ns));
        tk_buf_puts(&buf, ",\"version\":");
        tk_buf_put_json_str(&buf, req->version, strlen(req->version));
        tk_buf_printf(&buf,
                      ",\"status\":\"%s\",\"created_at\":\"%s\",\"updated_at\":\"%s\",\"completed_"
                      "at\":null,\"context\":%s,\"initiator\":",
                      create->held ? "waiting_for_dependencies" : "steps_in_process", at, at, req->context);
        tk_buf_put_json_str(&buf, req->initiator, strlen(req->initiator));
        tk_buf_puts(&buf, ",\"source_system\":");
        tk_buf_put_json_str(&buf, req->source_system, strlen(req->source_system));
        tk_buf_puts(&buf, ",\"reason\":");
        tk_buf_put_json_str(&buf, req->reason, strlen(req->reason));
        tk_buf_printf(&buf,
                      ",\"priority\":%d,\"tags\":%s,\"correlation_id\":\"%s\",\"parent_correlation_id\":%s,\"total_"
                      "steps\":%u,"
                      "\"pending_steps\":%u,\"in_progress_steps\":%u,\"completed_steps\":0,\"failed_steps\":0,"
                      "\"ready_steps\":0,"
                      "\"execution_status\":\"%s\",\"recommended_action\":\"%s\","
                      "\"completion_percentage\":0.0,"
                      "\"health_status\":\"healthy\",\"steps\":[]}",
                      req->priority, req->tags, correlation, parent, create->steps_n, create->pending_n,
                      create->in_progress_n, create->held ? "waiting_for_dependencies" : "processing",
                      create->held ? "wait_for_dependencies" : "wait_for_completion");
        orch_reply_json(submit->req, buf.data, buf.len);
}

/* context: as values, where they are at hand. */
static void submit_resolved(struct submit *submit, const struct orch_template_ref *ref, const json_t *context);

static int look_up(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct submit *submit = arg;
        const struct tk_task_request *req = &submit->intake.create.req;
        ORCH_AUTOREF struct orch_template_ref ref = {0};
        struct tk_err err = {0};
        (void)arena;
        if (orch_rest_no_database(submit->req, pg))
                return 0;
        int r = orch_template_load(app, pg, req->ns, req->name, req->version, submit->tries > 0, &ref, &err);
        if (r == ORCH_TEMPLATE_E_UNKNOWN) {
                refuse(submit, "template");
                orch_reply_error(submit->req, ORCH_E_NOT_FOUND,
                                 "Task template not found: Failed to load task template for task: %s, namespace: %s, version: %s, "
                                 "error: no such version is registered",
                                 req->name, req->ns, req->version);
                return 0;
        }
        if (r) {
                orch_reply_db(submit->req, app, "template", r, &err);
                return r;
        }
        submit_resolved(submit, &ref, NULL);
        return 0;
}

/* The same idempotency key again: whoever got no answer gets the task, as long as it is the same request. */
static int repeat(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct submit *submit = arg;
        const struct orch_create *create = &submit->intake.create;
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_pg_args args;
        struct tk_err err = {0};
        if (orch_rest_no_database(submit->req, pg))
                return 0;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &create->task);
        tk_pg_arg_text(&args, create->req.context);
        int r = tk_pg_query(pg, &tk_sql_task_repeat, &args, &res, &err);
        if (r) {
                orch_reply_db(submit->req, app, "task.repeat", r, &err);
        } else if (tk_pg_rows(res)) {
                orch_count(app, tasks_repeated_total);
                orch_reply_json(submit->req, tk_pg_str(res, 0, 0), tk_pg_len(res, 0, 0));
        } else {
                refuse(submit, "duplicate");
                orch_reply_error(submit->req, ORCH_E_CONFLICT, "A task with this identity already exists: its idempotency_key came before with "
                                 "another context");
        }
        return r;
}

/* In the intake thread, or wherever the mailbox gave the message back. */
static void stored(struct tk_msg *msg)
{
        struct submit *submit = (struct submit *)msg;
        struct orch_create *create = &submit->intake.create;
        if (msg->status) {
                refuse(submit, "database");
                orch_reply_error(
                        submit->req, ORCH_E_UNAVAILABLE,
                        "Service temporarily unavailable: the task may not have been stored; submit it again");
                return;
        }
        switch (create->outcome) {
        case ORCH_CREATED:
                reply_created(submit);
                return;
        case ORCH_CREATED_DUPLICATE:
                if (create->req.idempotency_key) {
                        if (orch_query_post(submit->app, repeat, submit))
                                orch_reply_busy(submit->req, "query");
                        return;
                }
                refuse(submit, "duplicate");
                orch_reply_error(submit->req, ORCH_E_CONFLICT, "A task with this identity already exists");
                return;
        case ORCH_CREATED_FAILED:
                refuse(submit, "failed");
                orch_reply_db(submit->req, submit->app, "create_task", TK_PG_E_INTERNAL, &create->refusal);
                return;
        case ORCH_CREATED_REFUSED:
                refuse(submit, "data");
                orch_reply_error(submit->req, ORCH_E_BAD_REQUEST, "The database refuses this task: %s",
                                 tk_err_text(&create->refusal));
                return;
        case ORCH_CREATED_STALE_TEMPLATE:
        case ORCH_CREATED_PENDING:
                break;
        }
        orch_templates_drop(submit->app->templates, NULL);
        if (++submit->tries >= TEMPLATE_TRIES)
                orch_reply_error(submit->req, ORCH_E_UNAVAILABLE, "The template is being replaced; submit the task again");
        else if (orch_query_post(submit->app, look_up, submit))
                orch_reply_busy(submit->req, "query");
}

static void submit_resolved(struct submit *submit, const struct orch_template_ref *ref, const json_t *context)
{
        struct orch_create *create = &submit->intake.create;
        struct tk_err err = {0};
        if (!ref->steps_at_start) {
                refuse(submit, "template");
                orch_reply_error(submit->req, ORCH_E_BAD_REQUEST,
                                 "Invalid task configuration: template %s has no step to start with",
                                 create->req.name);
                return;
        }
        if (!orch_template_fits(ref, create->req.context, context, &err)) {
                refuse(submit, "schema");
                orch_reply_error(submit->req, ORCH_E_BAD_REQUEST, "Invalid task configuration: context does not fit the template's input_schema: %s",
                                 tk_err_text(&err));
                return;
        }
        if (tk_task_request_identity(&create->req, &ref->named_task, ref->identity, create->identity, &err)) {
                refuse(submit, "identity");
                orch_reply_error(submit->req, ORCH_E_BAD_REQUEST, "%s", tk_err_text(&err));
                return;
        }
        (void)tk_str_copy(create->digest, sizeof create->digest, ref->digest);
        create->steps_n = ref->steps_at_start;
        create->outcome = ORCH_CREATED_PENDING;
        tk_uuid_v7(&create->task);
        submit->intake.msg.done = stored;
        TK_PROBE(task_accepted, &create->task, create->req.ns, create->req.name);
        if (tk_actor_post(submit->app->intake, &submit->intake.msg)) {
                refuse(submit, "busy");
                orch_reply_busy(submit->req, "intake");
        }
}

static void shed(struct submit *submit, const char *reason, const struct orch_pressure *full)
{
        char text[ORCH_PRESSURE_TEXT];
        orch_pressure_text(full, text);
        refuse(submit, reason);
        orch_reply_error(submit->req, ORCH_E_BACKPRESSURE, "Service under backpressure: %s", text);
}

void orch_rest_task_submit(struct tk_http_req *req, void *app)
{
        struct submit *submit = TK_ARENA_NEW(tk_http_req_arena(req), struct submit);
        struct tk_err err = {0};
        size_t len;
        submit->app = app;
        submit->req = req;
        if (!orch_rest_json(req)) {
                refuse(submit, "media_type");
                return;
        }
        if (atomic_load(&submit->app->stopping)) {
                refuse(submit, "stopping");
                orch_reply_error(req, ORCH_E_UNAVAILABLE, "Service temporarily unavailable: it is stopping");
                return;
        }
        struct orch_pressure full;
        if (orch_mailboxes_shed(submit->app, &full)) {
                shed(submit, "shed", &full);
                return;
        }
        const void *body = tk_http_req_body(req, &len);
        TK_AUTOJSON json_t *context = NULL;
        int r = tk_task_request_parse(body, len, tk_http_req_arena(req), &submit->intake.create.req, &context, &err);
        if (r) {
                refuse(submit, "invalid");
                if (r == TK_TASK_REQUEST_E_SYNTAX)
                        orch_reply_text(req, 400, "Failed to parse the request body as JSON: %s", tk_err_text(&err));
                else if (r == TK_TASK_REQUEST_E_SHAPE)
                        orch_reply_text(req, 422, "Failed to deserialize the JSON body into the target type: %s",
                                        tk_err_text(&err));
                else
                        orch_reply_error(req, ORCH_E_BAD_REQUEST, "%s", tk_err_text(&err));
                return;
        }
        ORCH_AUTOREF struct orch_template_ref ref = {0};
        const struct tk_task_request *task = &submit->intake.create.req;
        if (orch_permits_shed(submit->app, task->ns, &full)) {
                shed(submit, "permits", &full);
                return;
        }
        if (orch_templates_get(submit->app->templates, task->ns, task->name, task->version, &ref))
                submit_resolved(submit, &ref, context);
        else if (orch_query_post(submit->app, look_up, submit))
                orch_reply_busy(req, "query");
}
