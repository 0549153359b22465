/* SPDX-License-Identifier: MIT */
/* orchestrator/core/retention.c: see the header. */
#include "orchestrator/core/retention.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "orchestrator/core/db.h"
#include "tk_sql.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>

enum { HOLD_S = 60, PATH_BYTES = 4096, DAY = sizeof "2026-01-31" };
#define LOOK_MAX_NS (60 * TK_NS_PER_S)            /* the turn of one that died passes within as long */
#define BATCH_PAUSE_NS (100 * TK_NS_PER_MS)       /* others work meanwhile */

/* "<retention.export>/2026-01-31-<instance>.jsonl": every process its own, a day each. */
static int open_file(struct orch_retention *look, struct orch_app *app, struct tk_err *err)
{
        char path[PATH_BYTES], name[sizeof app->instance_id], day[DAY];
        time_t now = time(NULL);
        struct tm tm;
        if (look->expire)
                return 0;
        if (!*app->conf.retention_export)
                return tk_archive_expire_open(NULL, &look->expire, err);
        (void)tk_str_copy(name, sizeof name, app->instance_id);
        for (char *c = name; *c; c++)
                if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
                        *c = '_';
        strftime(day, sizeof day, "%F", gmtime_r(&now, &tm));
        if ((size_t)snprintf(path, sizeof path, "%s/%s-%s.jsonl", app->conf.retention_export, day, name) >= sizeof path)
                return TK_ERR(err, -ENAMETOOLONG, "retention.export: the folder's name is too long");
        return tk_archive_expire_open(path, &look->expire, err);
}

void orch_retention_end(struct orch_retention *look)
{
        look->expire = tk_archive_expire_close(look->expire);
}

/* Partitions whose rows have all gone. One that is locked is dropped after another run. */
static int drop_months(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *months = NULL;
        int r = tk_pg_query(pg, &tk_sql_retention_empty_months, NULL, &months, err);
        for (int row = 0; !r && row < tk_pg_rows(months); row++) {
                TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
                struct tk_pg_args args;
                tk_pg_args_init(&args, arena);
                tk_pg_arg_text(&args, tk_pg_str(months, row, 0));
                r = tk_pg_query(pg, &tk_sql_history_drop, &args, &res, err);
                if (r || !tk_streq(tk_pg_str(res, 0, 0), "dropped"))
                        continue;
                orch_count(app, retention_months_total);
                tk_log_info("retention.month", "An empty month of history was dropped.", TK_STR("month", tk_pg_str(months, row, 0)));
        }
        return r == TK_PG_E_RETRY ? 0 : r;
}

struct batch {
        const char *ns; /* NULL: nobody has a policy */
        struct tk_uuid at;
        struct tk_archive_sum sum;
};

static int take_turn(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, struct batch *batch, bool *ret_ours, struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &app->processor);
        tk_pg_arg_i32(&args, HOLD_S);
        int r = tk_pg_query(pg, &tk_sql_retention_turn, &args, &res, err);
        if (r || !(*ret_ours = tk_pg_rows(res) > 0))
                return r;
        batch->ns = tk_pg_is_null(res, 0, 0) ? NULL : tk_arena_strdup(arena, tk_pg_str(res, 0, 0));
        if (!tk_pg_is_null(res, 0, 1))
                batch->at = tk_pg_uuid(res, 0, 1);
        return 0;
}

static int end_turn(struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, const struct batch *batch, bool *ret_over, struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &app->processor);
        tk_pg_arg_text(&args, batch->ns);
        tk_pg_arg_uuid(&args, tk_uuid_is_nil(&batch->at) ? NULL : &batch->at);
        tk_pg_arg_i64(&args, batch->sum.tasks);
        tk_pg_arg_i64(&args, batch->sum.steps);
        tk_pg_arg_i32(&args, (int32_t)(app->conf.retention_interval / TK_NS_PER_S));
        int r = tk_pg_query(pg, &tk_sql_retention_done, &args, &res, err);
        if (r)
                return r;
        *ret_over = !tk_pg_rows(res) || tk_pg_bool(res, 0, 0);
        if (!tk_pg_rows(res) || !*ret_over)
                return 0;
        orch_count(app, retention_runs_total);
        if (batch->ns)
                tk_log_info("retention.applied", "Ended tasks that no policy keeps were deleted.", TK_INT("tasks", tk_pg_i64(res, 0, 1)),
                            TK_INT("steps", tk_pg_i64(res, 0, 2)), TK_F64("seconds", tk_pg_f64(res, 0, 3)));
        return batch->ns ? drop_months(app, pg, arena, err) : 0;
}

/* One batch. ret_more: the turn stays ours. */
static int go_on(struct orch_retention *look, struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, bool *ret_more, struct tk_err *err)
{
        struct batch batch = {0};
        int64_t began_ns = tk_time_mono_ns();
        bool ours = false, more, over = true;
        int r = take_turn(app, pg, arena, &batch, &ours, err);
        if (r || !ours)
                return r;
        if (batch.ns) {
                r = open_file(look, app, err);
                if (!r)
                        r = tk_archive_expire_batch(look->expire, pg, batch.ns, &batch.at, &batch.sum, &more, err);
                if (r)
                        return r;
                tk_metric_add_l(app->metrics, ORCH_M_retention_tasks_total, batch.ns, (uint64_t)batch.sum.tasks);
                tk_metric_add(app->metrics, ORCH_M_retention_steps_total, (uint64_t)batch.sum.steps);
                tk_metric_observe(app->metrics, ORCH_M_retention_batch_seconds, tk_time_mono_ns() - began_ns);
        }
        r = end_turn(app, pg, arena, &batch, &over, err);
        *ret_more = !over;
        return r;
}

void orch_retention_look(struct orch_retention *look, struct orch_app *app, struct tk_pg *pg, struct tk_arena *arena, int64_t now_ns)
{
        int64_t pause_ns = app->conf.retention_interval < LOOK_MAX_NS ? app->conf.retention_interval : LOOK_MAX_NS;
        struct tk_err err = {0};
        bool more = false;
        if (now_ns < look->next_ns)
                return;
        int r = app->conf.retention_enabled ? go_on(look, app, pg, arena, &more, &err) : 0;
        if (r < 0)
                tk_log_error("retention.failed", tk_err_text(&err));
        else if (r)
                orch_db_failed(app, "retention", r, &err);
        if (!more)
                orch_retention_end(look);
        look->next_ns = now_ns + (more ? BATCH_PAUSE_NS : tk_rand_jitter(pause_ns, 0.2));
}
