/* SPDX-License-Identifier: MIT */
/* orchestrator/api/bulk.c: see the header. */
#include "orchestrator/api/bulk.h"
#include "base/str.h"
#include "orchestrator/api/reply.h"
#include "orchestrator/core/decide.h"

enum { MATCHED_MAX = 1 << 20, SKIPPED_MAX = 1 << 20, REPLY_MAX = 4 << 20 };

void orch_bulk_row(void *user, const struct orch_row *row)
{
        struct orch_bulk *bulk = user;
        if (tk_streq(row->kind, "page")) {
                bulk->looked = (unsigned)row->idx;
        } else if (tk_streq(row->kind, "next")) {
                bulk->more = true;
                bulk->decision->after = row->task;
        } else if (tk_streq(row->kind, "step")) {
                bulk->steps_n++;
        } else if (tk_streq(row->kind, "changed")) {
                bulk->changed_n++;
                if (bulk->changed)
                        bulk->changed(bulk, row);
        } else if (tk_streq(row->kind, "matched")) {
                char uuid[TK_UUID_TEXT];
                tk_uuid_format(&row->task, uuid);
                tk_buf_printf(&bulk->matched, "%s\"%s\"", bulk->matched.len ? "," : "", uuid);
        }
}

void orch_bulk_skip(struct orch_bulk *bulk, const struct tk_uuid *task, const struct tk_err *why)
{
        char uuid[TK_UUID_TEXT];
        tk_uuid_format(task, uuid);
        tk_buf_printf(&bulk->skipped, "%s{\"task_uuid\":\"%s\",\"reason\":", bulk->skipped.len ? "," : "", uuid);
        tk_buf_put_json_str(&bulk->skipped, tk_err_text(why), strlen(tk_err_text(why)));
        tk_buf_printf(&bulk->skipped, "}");
}

void orch_bulk_reply(struct orch_bulk *bulk)
{
        const struct tk_decision *decision = bulk->decision;
        TK_AUTOBUF struct tk_buf matched = bulk->matched, skipped = bulk->skipped, buf = {.max = REPLY_MAX};
        tk_buf_printf(&buf, "{\"action\":\"%s\",\"dry_run\":%s,\"looked_at\":%u,\"changed\":%u", decision->action,
                      decision->dry_run ? "true" : "false", bulk->looked, bulk->changed_n);
        if (bulk->tells_steps)
                tk_buf_printf(&buf, ",\"steps\":%u", bulk->steps_n);
        tk_buf_printf(&buf, ",\"matched\":[%s]", tk_buf_str(&matched));
        if (skipped.len)
                tk_buf_printf(&buf, ",\"skipped\":[%s]", tk_buf_str(&skipped));
        orch_put_next(&buf, bulk->more ? &decision->after : NULL);
        orch_reply_json(bulk->req, buf.data, buf.len);
}

void orch_bulk_fail(struct orch_bulk *bulk, const char *what, int outcome, const struct tk_err *err)
{
        tk_buf_deinit(&bulk->matched);
        tk_buf_deinit(&bulk->skipped);
        orch_reply_db(bulk->req, bulk->app, what, outcome, err);
}

int orch_bulk_page(struct orch_app *app, struct tk_pg *pg, struct orch_bulk *bulk, const struct tk_sql *sql, const struct tk_pg_args *args,
                   orch_row_fn *each, void *user)
{
        struct tk_err err = {0};
        bulk->app = app;
        tk_buf_init(&bulk->matched, MATCHED_MAX);
        tk_buf_init(&bulk->skipped, SKIPPED_MAX);
        int r = orch_decide_rows(app, pg, sql, args, each, user, &err);
        if (r)
                orch_bulk_fail(bulk, sql->name, r, &err);
        return r;
}
