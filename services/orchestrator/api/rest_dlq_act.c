/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rest_dlq_act.c: what people do about entries of the dead-letter queue: make one, write down what they found, set its task
 * going again, and both for many at once, page by page. */
#include "base/str.h"
#include "base/time.h"
#include "model/dead_letter.h"
#include "orchestrator/api/bulk.h"
#include "orchestrator/api/reply.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/app.h"
#include "orchestrator/core/decide.h"
#include "orchestrator/core/staleness.h"
#include "tk_sql.h"

enum { BULK_PAGE = 200 };

struct act { /* in the request's arena */
        struct tk_http_req *req;
        struct tk_uuid uuid; /* of the task for a new entry, else of the entry */
        struct tk_decision decision;
        struct tk_dead_letter_update update;
};

static struct act *act_new(struct tk_http_req *req)
{
        struct act *act = TK_ARENA_NEW(tk_http_req_arena(req), struct act);
        act->req = req;
        return act;
}

static void reply_missing(struct act *act)
{
        char entry[TK_UUID_TEXT];
        tk_uuid_format(&act->uuid, entry);
        orch_reply_error(act->req, ORCH_E_NOT_FOUND, "DLQ entry not found: %s", entry);
}

static int reply_entry(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct act *act, const struct tk_uuid *entry)
{
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, entry);
        return orch_rest_reply_query(act->req, app, pg, &tk_sql_dlq_by_entry, &args, "Resource not found");
}

/* ---- POST /v1/dlq ---- */

static int add(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct act *act = arg;
        struct tk_pg_args args;
        struct tk_err err = {0};
        if (orch_rest_no_database(act->req, pg))
                return 0;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &act->uuid);
        tk_pg_arg_text(&args, act->decision.actor);
        tk_pg_arg_text(&args, act->decision.reason);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = tk_pg_query(pg, &tk_sql_dlq_add, &args, &res, &err);
        if (r) {
                orch_reply_db(act->req, app, "dlq.add", r, &err);
                return r;
        }
        if (!tk_pg_rows(res)) {
                orch_reply_error(act->req, ORCH_E_NOT_FOUND, "Resource not found");
                return 0;
        }
        if (tk_pg_bool(res, 0, 1))
                orch_count_l(app, dlq_entries_created_total, "manual_dlq");
        struct tk_uuid entry = tk_pg_uuid(res, 0, 0);
        return reply_entry(app, pg, arena, act, &entry);
}

void orch_rest_dlq_add(struct tk_http_req *req, void *app)
{
        struct act *act = act_new(req);
        if (ORCH_REST_PARSE(req, tk_dead_letter_parse_entry, &act->uuid, &act->decision))
                orch_rest_post(app, req, add, act);
}

/* ---- PATCH /v1/dlq/entry/{dlq_entry_uuid} ---- */

static int update(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct act *act = arg;
        char entry[TK_UUID_TEXT];
        struct tk_pg_args args;
        struct tk_err err = {0};
        if (orch_rest_no_database(act->req, pg))
                return 0;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &act->uuid);
        tk_pg_arg_text(&args, act->update.status);
        tk_pg_arg_text(&args, act->update.notes);
        tk_pg_arg_text(&args, act->update.by);
        tk_pg_arg_text(&args, act->update.metadata);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = tk_pg_query(pg, &tk_sql_dlq_update, &args, &res, &err);
        if (r) {
                orch_reply_db(act->req, app, "dlq.update", r, &err);
                return r;
        }
        const char *outcome = tk_pg_str(res, 0, 0);
        tk_uuid_format(&act->uuid, entry);
        if (tk_streq(outcome, "unknown")) {
                reply_missing(act);
        } else if (tk_streq(outcome, "pending")) {
                orch_reply_error(act->req, ORCH_E_CONFLICT, "Another entry of this task is pending; there can be one only");
        } else {
                if (!tk_pg_is_null(res, 0, 1))
                        orch_dead_letter_closed(app, act->update.status, (int64_t)(tk_pg_f64(res, 0, 1) * TK_NS_PER_S));
                const char *body = tk_arena_printf(
                        arena, "{\"success\":true,\"message\":\"Investigation status updated successfully\",\"dlq_entry_uuid\":\"%s\"}", entry);
                orch_reply_json(act->req, body, strlen(body));
        }
        return 0;
}

void orch_rest_dlq_update(struct tk_http_req *req, void *app)
{
        struct act *act = act_new(req);
        if (orch_rest_dlq_uuid(req, "dlq_entry_uuid", &act->uuid) && ORCH_REST_PARSE(req, tk_dead_letter_parse_update, &act->update))
                orch_rest_post(app, req, update, act);
}

/* ---- POST /v1/dlq/entry/{dlq_entry_uuid}/revive ---- */

static int revive(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct act *act = arg;
        struct orch_decision decision;
        struct tk_pg_args args;
        struct tk_err err = {0};
        if (orch_rest_no_database(act->req, pg))
                return 0;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &act->uuid);
        tk_pg_arg_text(&args, act->decision.actor);
        tk_pg_arg_text(&args, act->decision.reason);
        tk_pg_arg_uuid(&args, &app->processor);
        int r = orch_decide(app, pg, &tk_sql_engine_revive_dead_letter, &args, &decision, &err);
        if (r) {
                orch_reply_db(act->req, app, "revive_dead_letter", r, &err);
                return r;
        }
        if (tk_streq(decision.outcome, "unknown")) {
                reply_missing(act);
                return 0;
        }
        if (tk_streq(decision.outcome, "refused") || tk_streq(decision.outcome, "ended")) {
                orch_reply_error(act->req, ORCH_E_BAD_REQUEST, "Cannot revive: %s: %s",
                                 tk_streq(decision.outcome, "ended") ? "its task has ended" : "the entry is closed", decision.text);
                return 0;
        }
        if (tk_streq(decision.outcome, "acted"))
                orch_dead_letter_closed(app, "revived", decision.idx * TK_NS_PER_S);
        return reply_entry(app, pg, arena, act, &act->uuid);
}

void orch_rest_dlq_revive(struct tk_http_req *req, void *app)
{
        struct act *act = act_new(req);
        if (orch_rest_dlq_uuid(req, "dlq_entry_uuid", &act->uuid) && ORCH_REST_PARSE(req, tk_decision_parse, &act->decision))
                orch_rest_post(app, req, revive, act);
}

/* ---- POST /v1/dlq/bulk ---- */

struct bulk { /* in the request's arena */
        struct orch_bulk page;
        struct tk_dead_letter_bulk body;
};

static void closed(void *user, const struct orch_row *row)
{
        struct orch_bulk *page = user;
        orch_dead_letter_closed(page->app, tk_streq(page->decision->action, "revive") ? "revived" : "manually_resolved", row->idx * TK_NS_PER_S);
}

static int bulk_page(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        struct bulk *bulk = arg;
        const struct tk_decision *decision = &bulk->body.decision;
        const char *filters[] = {decision->action, bulk->body.why, decision->ns, decision->name, decision->version};
        struct tk_pg_args args;
        if (orch_rest_no_database(bulk->page.req, pg))
                return 0;
        tk_pg_args_init(&args, arena);
        for (size_t i = 0; i < tk_countof(filters); i++)
                tk_pg_arg_text(&args, filters[i]);
        tk_pg_arg_bool(&args, decision->dry_run);
        tk_pg_arg_text(&args, decision->actor);
        tk_pg_arg_text(&args, decision->reason);
        tk_pg_arg_uuid(&args, tk_uuid_is_nil(&decision->after) ? NULL : &decision->after);
        tk_pg_arg_i32(&args, BULK_PAGE);
        tk_pg_arg_uuid(&args, &app->processor);
        int r = orch_bulk_page(app, pg, &bulk->page, &tk_sql_engine_bulk_dead_letters, &args, orch_bulk_row, &bulk->page);
        if (!r)
                orch_bulk_reply(&bulk->page);
        return r;
}

void orch_rest_dlq_bulk(struct tk_http_req *req, void *app)
{
        struct bulk *bulk = TK_ARENA_NEW(tk_http_req_arena(req), struct bulk);
        bulk->page = (struct orch_bulk){.req = req, .decision = &bulk->body.decision, .changed = closed};
        if (ORCH_REST_PARSE(req, tk_dead_letter_parse_bulk, &bulk->body))
                orch_rest_post(app, req, bulk_page, bulk);
}
