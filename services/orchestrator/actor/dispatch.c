/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/dispatch.c: see the header. One thread, one connection; a claim and its hydration are one
 * transaction. A release that meets a dead database is posted again: until it succeeds the lease runs, so nothing is lost. */
#include "orchestrator/actor/dispatch.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/probe.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "orchestrator/core/apart.h"
#include "orchestrator/core/db.h"
#include "orchestrator/core/rows.h"
#include "queue/queue.h"
#include "tk_sql.h"
#include <errno.h>

enum { ARENA_BLOCK = 1 << 20, RELEASE_BATCH = 512, HEARTBEATS_MISSED = 3, RENEWALS_PER_LEASE = 3 };
#define ARENA_MAX ((size_t)1 << 30)

struct release_msg {
        struct tk_msg msg;
        struct orch_app *app;
        struct orch_held *held;
        bool *lost;
        size_t n;
        struct orch_session *session; /* who gives them back and waits for an ack; NULL: nobody, they were lost or never sent */
};

struct dispatch_state {
        struct orch_app *app;
        struct tk_pg *pg;
        struct tk_queue *queue;
        struct tk_arena *arena;
        int64_t poll_ns, renew_ns, expire_ns; /* next due; monotonic */
        bool lost;                            /* the last poll saw a message whose lease has ended; the next claim is for such */
        struct tk_queue_state watched[ORCH_SESSION_NAMESPACES_MAX]; /* queues that are polled, with their names */
        char names[ORCH_SESSION_NAMESPACES_MAX][ORCH_NAMESPACE_MAX];
        size_t watched_n;
};

static void release_free(struct release_msg *release)
{
        tk_free(release->held);
        tk_free(release->lost);
        orch_session_unref(release->session);
        tk_free(release);
}

static void release_post(struct orch_app *app, struct release_msg *release)
{
        if (tk_actor_post_always(app->dispatch, &release->msg))
                tk_list_append(&app->unreleased, &release->msg.link); /* all others have ended: this is the actor's own last claim */
}

static void release_done(struct tk_msg *msg)
{
        struct release_msg *release = (struct release_msg *)msg;
        if (msg->status && msg->status != -ECANCELED) {
                release_post(release->app, release);
                return;
        }
        if (release->session && !msg->status)
                orch_session_ack(release->session, release->held, release->n, false);
        release_free(release);
}

static void take_back(struct orch_app *app, struct orch_session *session, const struct orch_held *held, size_t n, const bool *lost)
{
        if (!n)
                return;
        struct release_msg *release = TK_NEW(struct release_msg);
        if (session)
                orch_session_ref(session);
        release->session = session;
        release->msg.done = release_done;
        release->app = app;
        release->n = n;
        release->held = tk_calloc(n, sizeof *held);
        release->lost = tk_calloc(n, sizeof *lost);
        memcpy(release->held, held, n * sizeof *held);
        if (lost)
                memcpy(release->lost, lost, n * sizeof *lost);
        release_post(app, release);
}

void orch_dispatch_release(struct orch_app *app, const struct orch_held *held, size_t n, const bool *lost)
{
        take_back(app, NULL, held, n, lost);
}

void orch_dispatch_give_back(struct orch_app *app, struct orch_session *session, const struct orch_held *held, size_t n)
{
        take_back(app, session, held, n, NULL);
}

static void released_row(void *user, const struct orch_row *row)
{
        struct dispatch_state *state = user;
        orch_count_l(state->app, steps_settled_total, row->kind);
}

/* The `n` of a message that begin with its `at`th. */
static int release_some(struct dispatch_state *state, const struct release_msg *release, size_t at, size_t n)
{
        const struct orch_held *held = release->held + at;
        const bool *lost = release->lost + at;
        bool given_back = release->session;
        struct tk_err err = {0};
        struct tk_arena *arena = state->arena;
        struct tk_uuid *steps = TK_ARENA_ARRAY(arena, struct tk_uuid, n);
        int32_t *attempts = TK_ARENA_ARRAY(arena, int32_t, n);
        int64_t *tokens = TK_ARENA_ARRAY(arena, int64_t, n);
        const char **ns = TK_ARENA_ARRAY(arena, const char *, n);
        for (size_t i = 0; i < n; i++) {
                steps[i] = held[i].step;
                attempts[i] = (int32_t)held[i].attempt;
                tokens[i] = held[i].token;
                ns[i] = held[i].ns;
        }
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid_array(&args, steps, n);
        tk_pg_arg_i32_array(&args, attempts, n);
        tk_pg_arg_i64_array(&args, tokens, n);
        tk_pg_arg_text_array(&args, ns, n);
        tk_pg_arg_bool_array(&args, lost, n);
        tk_pg_arg_i32(&args, (int32_t)state->app->conf.losses_max);
        tk_pg_arg_uuid(&args, &state->app->processor);
        tk_pg_arg_bool(&args, given_back);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int r = tk_pg_query(state->pg, &tk_sql_engine_release_steps, &args, &res, &err);
        if (r) {
                orch_db_failed(state->app, "release_steps", r, &err);
                return r;
        }
        orch_count_l(state->app, transactions_total, "release");
        for (size_t i = 0; i < n; i++)
                orch_count_l(state->app, steps_released_total, lost[i] ? "lost" : given_back ? "returned" : "unsent");
        orch_rows_apply(state->app, res, NULL, "queue", released_row, state);
        return 0;
}

static int release_all(struct dispatch_state *state, const struct release_msg *release)
{
        int r = 0;
        for (size_t at = 0; at < release->n && !r; at += RELEASE_BATCH) {
                size_t some = release->n - at < RELEASE_BATCH ? release->n - at : RELEASE_BATCH;
                r = release_some(state, release, at, some);
                /* Whoever is at fault keeps its lease until that ends; claim_apart sees to it then. */
                for (size_t i = 0; tk_pg_one_row(r) && i < some; i++) {
                        int one = release_some(state, release, at + i, 1);
                        if (one && !tk_pg_one_row(one))
                                r = one;
                }
                if (tk_pg_one_row(r))
                        r = 0;
                tk_arena_reset(state->arena);
        }
        return r;
}

static int start(void *self, void *app)
{
        struct dispatch_state *state = self;
        state->app = app;
        state->arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        int r = orch_db_open(app, "tasker-dispatch", &state->pg);
        if (r)
                return r;
        state->queue = tk_queue_pgmq_new(state->pg, NULL);
        return 0;
}

static void stop(void *self)
{
        struct dispatch_state *state = self;
        for (struct tk_list *node; (node = tk_list_pop(&state->app->unreleased));) {
                struct release_msg *release = (struct release_msg *)tk_list_entry(node, struct tk_msg, link);
                if (state->pg && tk_pg_alive(state->pg))
                        (void)release_all(state, release); /* else their leases run out */
                release_free(release);
        }
        tk_queue_free(state->queue);
        tk_pg_close(state->pg);
        tk_arena_free(state->arena);
}

static int handle(void *self, struct tk_list *msgs, unsigned n)
{
        struct dispatch_state *state = self;
        (void)n;
        for (struct tk_list *node; (node = tk_list_pop(msgs));) {
                struct release_msg *release = (struct release_msg *)tk_list_entry(node, struct tk_msg, link);
                tk_msg_done(&release->msg, release_all(state, release));
                if (!tk_pg_alive(state->pg))
                        return -EIO;
        }
        return 0;
}

struct claim {
        struct dispatch_state *state;
};

static void claimed_row(void *user, const struct orch_row *row)
{
        struct claim *claim = user;
        if (tk_streq(row->kind, "dropped"))
                orch_count(claim->state->app, steps_dropped_total);
        else if (!tk_streq(row->kind, "more"))
                orch_count_l(claim->state->app, steps_settled_total, row->kind);
}

/* Whether there were at least as many messages in its queue as were asked for. */
static bool said_more(const struct tk_pg_result *res, const char *ns)
{
        int kind_col = tk_pg_column(res, "kind"), ns_col = tk_pg_column(res, "namespace");
        for (int row = 0; row < tk_pg_rows(res); row++)
                if (tk_streq(tk_pg_str(res, row, kind_col), "more") && tk_streq(tk_pg_str(res, row, ns_col), ns))
                        return true;
        return false;
}

/* One claim over the namespaces that have both credit and maybe work. True: something came, look again. */
static bool claim_once(struct dispatch_state *state)
{
        struct orch_app *app = state->app;
        char names[ORCH_SESSION_NAMESPACES_MAX][ORCH_NAMESPACE_MAX];
        size_t n = orch_queue_wanted(app->sessions, names, ORCH_SESSION_NAMESPACES_MAX);
        if (!n)
                return false;
        const char **ns = TK_ARENA_ARRAY(state->arena, const char *, n);
        for (size_t i = 0; i < n; i++)
                ns[i] = names[i];
        struct orch_reservation *credit = orch_credit_reserve(app->sessions, ns, n, app->conf.claim_max, ORCH_CREDIT_CLAIM);
        uintptr_t *marks = TK_ARENA_ARRAY(state->arena, uintptr_t, n);
        for (size_t i = 0; i < n; i++) /* before the look: a hint that comes meanwhile makes another mark; whose turn it is not keeps its own */
                marks[i] = orch_reservation_count(credit, ns[i]) ? orch_queue_marked(app->sessions, ns[i]) : 0;
        struct tk_pg_args args;
        struct tk_err err = {0};
        tk_pg_args_init(&args, state->arena);
        orch_rows_credit_args(&args, credit, ns, n);
        tk_pg_arg_i32(&args, (int32_t)(app->conf.lease / TK_NS_PER_MS));
        tk_pg_arg_i32(&args, (int32_t)app->conf.losses_max);
        tk_pg_arg_uuid(&args, &app->processor);
        tk_pg_arg_bool(&args, state->lost);
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int64_t start_ns = tk_time_mono_ns();
        TK_PROBE(claim_tried, n);
        bool apart;
        int r = orch_apart_query(app, state->pg, &tk_sql_engine_claim_steps, &tk_sql_engine_claim_apart, &args, &res, &apart, &err);
        int rows = 0;
        if (r) {
                orch_db_failed(app, "claim_steps", r, &err);
        } else {
                rows = tk_pg_rows(res);
                TK_PROBE(claim_won, rows);
                tk_metric_observe(app->metrics, ORCH_M_claim_transaction_seconds, tk_time_mono_ns() - start_ns);
                orch_count_l(app, transactions_total, "claim");
                orch_rows_apply(app, res, credit, "queue", claimed_row, &(struct claim){state});
        }
        bool all = !r && !apart && !state->lost; /* nothing is known after a failure, nor when only some or only lost ones were looked at */
        for (size_t i = 0; all && i < n; i++) {
                if (!marks[i])
                        continue;
                bool more = said_more(res, ns[i]);
                orch_queue_backlog(app->sessions, ns[i], more);
                if (!more)
                        orch_queue_clear(app->sessions, ns[i], marks[i]);
        }
        orch_reservation_free(credit);
        tk_arena_reset(state->arena);
        state->lost = state->lost && r;
        return !r && (rows > 0 || !all);
}

/* Queues that a worker has served once are watched for good: what waits there while it is gone is what people ask for. */
static void watch_served(struct dispatch_state *state)
{
        char names[ORCH_SESSION_NAMESPACES_MAX][ORCH_NAMESPACE_MAX];
        size_t n = orch_sessions_namespaces(state->app->sessions, names, ORCH_SESSION_NAMESPACES_MAX);
        for (size_t i = 0; i < n; i++) {
                size_t at = 0;
                while (at < state->watched_n && !tk_streq(state->names[at], names[i]))
                        at++;
                if (at < state->watched_n)
                        continue;
                if (at == ORCH_SESSION_NAMESPACES_MAX) {
                        state->watched_n = at = 0; /* too many came and went: those of now count */
                        i = 0;
                }
                (void)tk_str_copy(state->names[at], sizeof state->names[at], names[i]);
                state->watched[at].ns = state->names[at];
                state->watched_n++;
        }
}

/* The slow look that makes a lost hint harmless, and finds leases that ran out. */
static void poll_queues(struct dispatch_state *state)
{
        struct orch_app *app = state->app;
        watch_served(state);
        if (!state->watched_n)
                return;
        struct tk_err err = {0};
        orch_count(app, queue_polls_total);
        int r = state->queue->ops->poll(state->queue, state->watched, state->watched_n, &err);
        if (r)
                orch_db_failed(app, "queue_waiting", r, &err);
        int64_t now_ns = tk_time_wall_ns();
        for (size_t i = 0; i < state->watched_n && !r; i++) {
                const struct tk_queue_state *queue = &state->watched[i];
                state->lost |= queue->lost;
                if (queue->visible)
                        orch_queue_mark(app->sessions, queue->ns);
                orch_queue_weigh(app->sessions, queue->ns, queue->weight);
                tk_metric_set_l(app->metrics, ORCH_M_namespace_weight, queue->ns, queue->weight);
                int64_t age_ns = queue->oldest_ns && queue->oldest_ns < now_ns ? now_ns - queue->oldest_ns : 0;
                tk_metric_set_l(app->metrics, ORCH_M_steps_waiting, queue->ns, queue->waiting);
                tk_metric_set_l(app->metrics, ORCH_M_steps_waiting_oldest_seconds, queue->ns, age_ns / TK_NS_PER_S);
        }
}

static void renew_leases(struct dispatch_state *state, int64_t now_ns)
{
        struct orch_app *app = state->app;
        size_t n;
        TK_AUTOFREE struct orch_held *held =
                orch_sessions_renewable(app->sessions, now_ns - app->conf.lease / RENEWALS_PER_LEASE, now_ns, &n);
        if (!n)
                return;
        struct tk_uuid *steps = TK_ARENA_ARRAY(state->arena, struct tk_uuid, n);
        int32_t *attempts = TK_ARENA_ARRAY(state->arena, int32_t, n);
        int64_t *tokens = TK_ARENA_ARRAY(state->arena, int64_t, n);
        const char **ns = TK_ARENA_ARRAY(state->arena, const char *, n);
        for (size_t i = 0; i < n; i++) {
                steps[i] = held[i].step;
                attempts[i] = (int32_t)held[i].attempt;
                tokens[i] = held[i].token;
                ns[i] = held[i].ns;
        }
        struct tk_pg_args args;
        struct tk_err err = {0};
        tk_pg_args_init(&args, state->arena);
        tk_pg_arg_uuid_array(&args, steps, n);
        tk_pg_arg_i32_array(&args, attempts, n);
        tk_pg_arg_i64_array(&args, tokens, n);
        tk_pg_arg_text_array(&args, ns, n);
        tk_pg_arg_i32(&args, (int32_t)(app->conf.lease / TK_NS_PER_MS));
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *gone = NULL;
        int r = tk_pg_query(state->pg, &tk_sql_engine_renew_leases, &args, &gone, &err);
        if (r)
                orch_db_failed(app, "renew_leases", r, &err);
        else
                tk_metric_add(app->metrics, ORCH_M_leases_renewed_total, (int64_t)n - tk_pg_rows(gone));
        for (int row = 0; !r && row < tk_pg_rows(gone); row++)
                orch_sessions_disown(app->sessions, &held[tk_pg_i64(gone, row, 0) - 1]);
        tk_arena_reset(state->arena);
}

static int64_t earliest(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

static int64_t tick(void *self, int64_t now_ns)
{
        struct dispatch_state *state = self;
        const struct orch_conf *conf = &state->app->conf;
        if (now_ns >= state->expire_ns) {
                unsigned silent = orch_sessions_expire(state->app->sessions, now_ns - HEARTBEATS_MISSED * conf->heartbeat);
                if (silent)
                        tk_log_warn("worker.silent", "No sign of life for three heartbeats: the stream was ended.",
                                    TK_INT("streams", silent));
                state->expire_ns = now_ns + conf->heartbeat / 2;
        }
        if (now_ns >= state->renew_ns) {
                renew_leases(state, now_ns);
                state->renew_ns = now_ns + conf->lease / (2 * RENEWALS_PER_LEASE);
        }
        if (now_ns >= state->poll_ns) {
                poll_queues(state);
                state->poll_ns = now_ns + tk_rand_jitter(conf->queue_poll, 0.2);
        }
        while (!atomic_load(&state->app->stopping) && tk_pg_alive(state->pg) && claim_once(state))
                ;
        if (!tk_pg_alive(state->pg))
                return -EIO;
        return earliest(state->poll_ns, earliest(state->renew_ns, state->expire_ns));
}

const struct tk_actor_type orch_dispatch_actor = {
        .name = "dispatch", .state_size = sizeof(struct dispatch_state), .mailbox_max = 4096, .threads = 1, .batch_max = 64,
        TK_ACTOR_MESSAGES("claim"),
        .start = start, .handle = handle, .tick = tick, .stop = stop,
};
