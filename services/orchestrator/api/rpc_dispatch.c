/* SPDX-License-Identifier: MIT */
/* orchestrator/api/rpc_dispatch.c: unary calls run in a query thread; the stream is feed/stream.c. */
#include "orchestrator/api/rpc_dispatch.h"
#include "base/mem.h"
#include "base/str.h"
#include "orchestrator/api/rpc_job.h"
#include "orchestrator/app.h"
#include "orchestrator/core/register.h"
#include "orchestrator/core/rows.h"
#include "orchestrator/feed/stream.h"
#include "rpc/pack.h"
#include "tasker/dispatch/v1/dispatch.pb-c.h"
#include "tk_sql.h"
#include <stdio.h>

enum { TEMPLATES_MAX = 1000, FETCH_MAX = 100, AFTER_MAX = 32, PAGE_ROWS = 1000, PAGE_BYTES = 8000000 };

static Tasker__Dispatch__V1__TemplateOutcome__Kind kind_of(enum orch_registered outcome)
{
        static const Tasker__Dispatch__V1__TemplateOutcome__Kind kinds[] = {
                [ORCH_REGISTERED] = TASKER__DISPATCH__V1__TEMPLATE_OUTCOME__KIND__KIND_REGISTERED,
                [ORCH_REGISTERED_UNCHANGED] = TASKER__DISPATCH__V1__TEMPLATE_OUTCOME__KIND__KIND_UNCHANGED,
                [ORCH_REGISTERED_REPLACED] = TASKER__DISPATCH__V1__TEMPLATE_OUTCOME__KIND__KIND_REPLACED,
                [ORCH_REGISTERED_CONFLICT] = TASKER__DISPATCH__V1__TEMPLATE_OUTCOME__KIND__KIND_CONFLICT,
                [ORCH_REGISTERED_INVALID] = TASKER__DISPATCH__V1__TEMPLATE_OUTCOME__KIND__KIND_INVALID,
        };
        return kinds[outcome];
}

static int register_job(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        TK_AUTOFREE struct orch_rpc_job *job = arg;
        if (!pg) {
                orch_rpc_reply_down(job->call);
                return 0;
        }
        const Tasker__Dispatch__V1__RegisterTemplatesRequest *request =
                tk_rpc_unpack(&tasker__dispatch__v1__register_templates_request__descriptor, arena, job->data, job->len);
        if (!request || request->n_templates > TEMPLATES_MAX) {
                tk_rpc_reply(job->call, TK_RPC_INVALID_ARGUMENT,
                             request ? "more than 1000 templates in one call" : "not a RegisterTemplatesRequest",
                             NULL, 0);
                return 0;
        }
        Tasker__Dispatch__V1__RegisterTemplatesResponse response = TASKER__DISPATCH__V1__REGISTER_TEMPLATES_RESPONSE__INIT;
        response.outcomes = TK_ARENA_ARRAY(arena, Tasker__Dispatch__V1__TemplateOutcome *, request->n_templates + 1);
        for (size_t i = 0; i < request->n_templates; i++) {
                const Tasker__Dispatch__V1__TemplateSource *source = request->templates[i];
                struct orch_registration reg;
                struct tk_err err = {0};
                int r = orch_register_template(app, pg, arena, source->file, source->yaml.data, source->yaml.len,
                                               source->replace, &reg, &err);
                if (r)
                        return orch_rpc_reply_db(app, job->call, "register_template", r, &err);
                Tasker__Dispatch__V1__TemplateOutcome *outcome = TK_ARENA_NEW(arena, Tasker__Dispatch__V1__TemplateOutcome);
                tasker__dispatch__v1__template_outcome__init(outcome);
                outcome->kind = kind_of(reg.outcome);
                outcome->namespace_ = tk_str_unconst(reg.ns);
                outcome->name = tk_str_unconst(reg.name);
                outcome->version = tk_str_unconst(reg.version);
                outcome->digest = tk_arena_strdup(arena, reg.digest);
                outcome->message = tk_str_unconst(reg.message);
                response.outcomes[response.n_outcomes++] = outcome;
        }
        tk_rpc_reply_message(job->call, &response.base);
        return 0;
}

/* {"name": result, …} out of the rows (step_name, result). */
static void results_object(const struct tk_pg_result *res, struct tk_buf *buf)
{
        int name = tk_pg_column(res, "step_name"), result = tk_pg_column(res, "result");
        tk_buf_putc(buf, '{');
        for (int row = 0; row < tk_pg_rows(res); row++) {
                if (row)
                        tk_buf_putc(buf, ',');
                tk_buf_put_json_str(buf, tk_pg_str(res, row, name), tk_pg_len(res, row, name));
                tk_buf_putc(buf, ':');
                tk_buf_put(buf, tk_pg_str(res, row, result), tk_pg_len(res, row, result));
        }
        tk_buf_putc(buf, '}');
}

/* Where to go on: "step number/instance" of the last result of the page before. */
static bool read_after(const char *text, int *ret_no, int *ret_instance)
{
        char rest;
        *ret_no = -1;
        *ret_instance = 0;
        return !*text || (strlen(text) < AFTER_MAX && sscanf(text, "%d/%d%c", ret_no, ret_instance, &rest) == 2);
}

/* A page that was cut has reached one of the limits of fetch_results; one that ends there by chance is followed by an empty one. */
static const char *write_next(const struct tk_pg_result *res, size_t bytes, struct tk_arena *arena)
{
        int last = tk_pg_rows(res) - 1;
        if (last + 1 < PAGE_ROWS && bytes < PAGE_BYTES)
                return "";
        return tk_arena_printf(arena, "%lld/%lld", (long long)tk_pg_i64(res, last, tk_pg_column(res, "step_no")),
                               (long long)tk_pg_i64(res, last, tk_pg_column(res, "instance")));
}

static int fetch_job(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, void *arg)
{
        TK_AUTOFREE struct orch_rpc_job *job = arg;
        if (!pg) {
                orch_rpc_reply_down(job->call);
                return 0;
        }
        const Tasker__Dispatch__V1__FetchResultsRequest *request =
                tk_rpc_unpack(&tasker__dispatch__v1__fetch_results_request__descriptor, arena, job->data, job->len);
        struct tk_uuid task;
        int after_no, after_instance;
        if (!request || request->task_uuid.len != sizeof task.b || request->n_step_names > FETCH_MAX ||
            !read_after(request->after, &after_no, &after_instance)) {
                tk_rpc_reply(job->call, TK_RPC_INVALID_ARGUMENT,
                             "FetchResults wants a task UUID of 16 bytes, at most 100 step names, and in `after` what `next` said", NULL, 0);
                return 0;
        }
        memcpy(task.b, request->task_uuid.data, sizeof task.b);
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &task);
        tk_pg_arg_text_array(&args, (const char *const *)request->step_names, request->n_step_names);
        tk_pg_arg_i32(&args, after_no);
        tk_pg_arg_i32(&args, after_instance);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_err err = {0};
        int r = tk_pg_query(pg, &tk_sql_engine_fetch_results, &args, &res, &err);
        if (r)
                return orch_rpc_reply_db(app, job->call, "fetch_results", r, &err);
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, 64u << 20);
        results_object(res, &buf);
        Tasker__Dispatch__V1__FetchResultsResponse response = TASKER__DISPATCH__V1__FETCH_RESULTS_RESPONSE__INIT;
        response.results_json = (ProtobufCBinaryData){buf.len, (uint8_t *)buf.data};
        response.next = tk_str_unconst(write_next(res, buf.len, arena));
        tk_rpc_reply_message(job->call, &response.base);
        return 0;
}

static void register_templates(struct tk_rpc_call *call, void *app, const void *data, size_t len)
{
        orch_rpc_job_post(call, app, data, len, register_job);
}

static void fetch_results(struct tk_rpc_call *call, void *app, const void *data, size_t len)
{
        orch_rpc_job_post(call, app, data, len, fetch_job);
}

const struct tk_rpc_method orch_rpc_methods[] = {
        {.path = "/tasker.dispatch.v1.Dispatch/Connect", .stream = orch_stream_accept},
        {.path = "/tasker.dispatch.v1.Dispatch/RegisterTemplates", .unary = register_templates},
        {.path = "/tasker.dispatch.v1.Dispatch/FetchResults", .unary = fetch_results},
        {.path = "/tasker.dispatch.v1.Dispatch/Checkpoint", .unary = orch_rpc_checkpoint},
};
const size_t orch_rpc_methods_n = tk_countof(orch_rpc_methods);
