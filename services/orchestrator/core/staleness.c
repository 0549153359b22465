/* SPDX-License-Identifier: MIT */
/* orchestrator/core/staleness.c: see the header. */
#include "orchestrator/core/staleness.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "orchestrator/core/apart.h"
#include "orchestrator/core/db.h"
#include "orchestrator/core/decide.h"
#include "orchestrator/core/rows.h"
#include "orchestrator/core/sessions.h"
#include "tk_sql.h"

enum { DETECT_PAGE = 500, TIDY_PAGE = 500 };
#define PAGE_PAUSE_NS (100 * TK_NS_PER_MS)
#define MINUTE_NS (60 * TK_NS_PER_S)

void orch_staleness_limits(struct orch_app *app, struct tk_pg_args *args)
{
        const struct orch_conf *conf = &app->conf;
        const int64_t limits_ns[] = {conf->staleness_dependencies, conf->staleness_retry, conf->staleness_process, conf->staleness_lifetime,
                                     conf->staleness_checkpoint};
        enum { ACTS = tk_countof(limits_ns) }; /* whether anything is done, as tasker._staleness_json wants to know it */
        int32_t *limits = TK_ARENA_ARRAY(args->arena, int32_t, ACTS + 1);
        for (size_t i = 0; i < tk_countof(limits_ns); i++)
                limits[i] = (int32_t)((limits_ns[i] + MINUTE_NS - 1) / MINUTE_NS);
        limits[ACTS] = !conf->staleness_enabled ? 1 : conf->staleness_dry_run ? 2 : 0;
        tk_pg_arg_i32_array(args, limits, ACTS + 1);
}

void orch_staleness_args(struct orch_app *app, struct tk_pg_args *args)
{
        orch_staleness_limits(app, args);
        char(*names)[ORCH_NAMESPACE_MAX] = tk_arena_alloc(args->arena, ORCH_SESSION_NAMESPACES_MAX * sizeof *names);
        size_t n = orch_sessions_namespaces(app->sessions, names, ORCH_SESSION_NAMESPACES_MAX);
        const char **served = TK_ARENA_ARRAY(args->arena, const char *, n + 1);
        for (size_t i = 0; i < n; i++)
                served[i] = names[i];
        tk_pg_arg_text_array(args, served, n);
}

void orch_dead_letter_closed(struct orch_app *app, const char *how, int64_t pending_ns)
{
        orch_count_l(app, dlq_entries_closed_total, how);
        tk_metric_observe_l(app->metrics, ORCH_M_dlq_pending_seconds, how, pending_ns);
}

struct page {
        struct orch_staleness *look;
        struct orch_app *app;
        bool more;
        unsigned looked, closed;
};

static void row(void *user, const struct orch_row *row)
{
        struct page *page = user;
        char task[TK_UUID_TEXT];
        tk_uuid_format(&row->task, task);
        if (tk_streq(row->kind, "next")) {
                page->more = true;
                page->look->after = row->task;
        } else if (tk_streq(row->kind, "page")) {
                page->looked = (unsigned)row->idx;
        } else if (tk_streq(row->kind, "detected")) {
                page->look->found++;
                page->look->resume = row->task;
                orch_count_l(page->app, staleness_tasks_detected_total, row->text);
                if (row->attempt)
                        orch_count_l(page->app, staleness_tasks_transitioned_to_error_total, row->text);
                tk_log_warn("staleness.detected", "A task stands still.", TK_STR("task_uuid", task), TK_STR("state", row->text),
                            TK_INT("minutes", row->idx), TK_BOOL("ended", row->attempt));
        } else if (tk_streq(row->kind, "closed")) {
                page->closed++;
                orch_dead_letter_closed(page->app, "moved", row->idx * TK_NS_PER_S);
                tk_log_info("dlq.closed", "The task of an entry went on or ended.", TK_STR("task_uuid", task), TK_STR("reason", row->text));
        } else if (tk_streq(row->kind, "gone") && row->idx) {
                tk_log_info("dlq.deleted", "Entries closed long ago were deleted.", TK_INT("entries", row->idx));
        }
}

static int tidy(struct page *page, struct tk_pg *pg, struct tk_arena *arena, struct tk_err *err)
{
        struct orch_staleness *look = page->look;
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_i32(&args, (int32_t)(page->app->conf.dlq_keep / TK_NS_PER_S));
        tk_pg_arg_uuid(&args, look->again ? &look->after : NULL);
        tk_pg_arg_i32(&args, TIDY_PAGE);
        int r = orch_decide_rows(page->app, pg, &tk_sql_engine_close_dead_letters, &args, row, page, err);
        if (r)
                return r;
        look->pending += page->looked - page->closed;
        if (!page->more)
                tk_metric_set(page->app->metrics, ORCH_M_dlq_pending_investigations, look->pending);
        return 0;
}

static int detect(struct page *page, struct tk_pg *pg, struct tk_arena *arena, struct tk_err *err)
{
        struct orch_staleness *look = page->look;
        const struct orch_conf *conf = &page->app->conf;
        int64_t began_ns = tk_time_mono_ns();
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        orch_staleness_args(page->app, &args);
        tk_pg_arg_bool(&args, conf->staleness_dry_run);
        tk_pg_arg_bool(&args, conf->staleness_move);
        tk_pg_arg_bool(&args, conf->staleness_fail);
        tk_pg_arg_i32(&args, (int32_t)(conf->staleness_batch_max - look->found));
        tk_pg_arg_uuid(&args, look->again ? &look->after : NULL);
        tk_pg_arg_i32(&args, DETECT_PAGE);
        tk_pg_arg_uuid(&args, &page->app->processor);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = orch_apart_query(page->app, pg, &tk_sql_engine_detect_stale_tasks, &tk_sql_engine_detect_apart, &args, &res, NULL, err);
        if (!r)
                orch_rows_apply(page->app, res, NULL, "queue", row, page);
        tk_metric_observe(page->app->metrics, ORCH_M_staleness_detection_seconds, tk_time_mono_ns() - began_ns);
        if (!r && look->found >= conf->staleness_batch_max) { /* enough for now */
                look->resumes = true;
                page->more = false;
        }
        return r;
}

/* A new look begins where the last one had found enough. */
static void begin_detecting(struct orch_staleness *look, struct orch_app *app)
{
        look->detects = true;
        look->found = 0;
        look->again = look->resumes;
        look->after = look->resume;
        look->resumes = false;
        orch_count_l(app, staleness_detection_runs_total, app->conf.staleness_dry_run ? "true" : "false");
}

static void end_look(struct orch_staleness *look)
{
        look->detects = look->again = false;
        look->pending = 0;
}

void orch_staleness_look(struct orch_staleness *look, struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, int64_t now_ns)
{
        struct page page = {.look = look, .app = app};
        struct tk_err err = {0};
        if (now_ns < look->next_ns)
                return;
        bool detects = look->detects;
        int r = detects ? detect(&page, pg, arena, &err) : tidy(&page, pg, arena, &err);
        if (r)
                orch_db_failed(app, detects ? "detect_stale_tasks" : "close_dead_letters", r, &err);
        look->again = page.more && !r;
        bool over = !look->again;
        if (over && !r && !detects && app->conf.staleness_enabled) {
                begin_detecting(look, app);
                over = false;
        }
        if (over)
                end_look(look);
        look->next_ns = now_ns + (over ? tk_rand_jitter(app->conf.staleness_interval, 0.2) : PAGE_PAUSE_NS);
}
