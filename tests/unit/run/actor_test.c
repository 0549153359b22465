/* SPDX-License-Identifier: MIT */
/* run/actor: start again, restart after a failure, ticks, drain and cancel. */
#include "base/time.h"
#include "run/actor.h"
#include "run/lock.h"
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { SAY_OK, FAIL_BATCH, KEEP, BLOCK };

struct app {
        atomic_int start_failures, starts, stops, handled, ticks, dirty;
        atomic_bool hold; /* BLOCK waits while set */
        struct tk_lock lock;
        struct tk_cond released;
};
struct self {
        struct app *app;
        struct tk_list kept;
        int marked; /* must be zero at each start */
};

static int start(void *at, void *app_at)
{
        struct self *self = at;

        self->app = app_at;
        tk_list_init(&self->kept);
        atomic_fetch_add(&self->app->starts, 1);
        atomic_fetch_add(&self->app->dirty, self->marked);
        self->marked = 1;
        return atomic_fetch_sub(&self->app->start_failures, 1) > 0 ? -ECONNREFUSED : 0;
}

static void stop(void *at)
{
        struct self *self = at;

        for (struct tk_list *node; (node = tk_list_pop(&self->kept));)
                tk_msg_done(tk_list_entry(node, struct tk_msg, link), -ECANCELED);
        atomic_fetch_add(&self->app->stops, 1);
}

static void block(struct app *app)
{
        TK_LOCKED(&app->lock);
        while (atomic_load(&app->hold))
                tk_cond_wait(&app->released, &app->lock, TK_TIME_NEVER);
}

static int handle(void *at, struct tk_list *msgs, unsigned n)
{
        struct self *self = at;

        atomic_fetch_add(&self->app->handled, (int)n);
        tk_list_each(node, msgs)
        {
                struct tk_msg *msg = tk_list_entry(node, struct tk_msg, link);
                if (msg->type == FAIL_BATCH)
                        return -EIO;
                if (msg->type == BLOCK)
                        block(self->app);
                if (msg->type == KEEP) {
                        tk_list_remove(&msg->link);
                        tk_list_append(&self->kept, &msg->link);
                } else {
                        tk_msg_done(msg, SAY_OK);
                }
        }
        return 0;
}

static int64_t tick(void *at, int64_t now_ns)
{
        struct self *self = at;

        (void)now_ns;
        atomic_fetch_add(&self->app->ticks, 1);
        return TK_TIME_NEVER;
}

static const struct tk_actor_type type = {.name = "test",
                                          .state_size = sizeof(struct self),
                                          .mailbox_max = 100,
                                          .threads = 1,
                                          .batch_max = 10,
                                          TK_ACTOR_MESSAGES("say", "fail", "keep", "block"),
                                          .start = start,
                                          .handle = handle,
                                          .tick = tick,
                                          .stop = stop};

static void app_init(struct app *app, int start_failures)
{
        *app = (struct app){.start_failures = start_failures};
        tk_lock_init(&app->lock, "app");
        tk_cond_init(&app->released);
}

static void release(struct app *app)
{
        TK_LOCKED(&app->lock);
        atomic_store(&app->hold, false);
        tk_cond_broadcast(&app->released);
}

static void app_deinit(struct app *app)
{
        tk_cond_deinit(&app->released);
        tk_lock_deinit(&app->lock);
}

static bool reaches(atomic_int *value, int wanted)
{
        int64_t deadline_ns = tk_time_mono_ns() + 20 * TK_NS_PER_S;

        while (atomic_load(value) < wanted && tk_time_mono_ns() < deadline_ns)
                sched_yield();
        return atomic_load(value) >= wanted;
}

static atomic_int given_back, given_back_status;
static void count_back(struct tk_msg *msg)
{
        atomic_store(&given_back_status, msg->status);
        atomic_fetch_add(&given_back, 1);
}

static void messages_wait_for_a_start_that_fails_first(void **state)
{
        struct app app;
        struct tk_msg msg = {.type = SAY_OK, .status = -1};
        struct tk_actor *actor;
        (void)state;

        app_init(&app, 2);
        actor = tk_actor_new(&type, &app, 0, 0);
        assert_int_equal(tk_actor_ask(actor, &msg), 0);
        assert_int_equal(msg.status, 0);
        assert_int_equal(atomic_load(&app.starts), 3);
        assert_int_equal(atomic_load(&app.stops), 2);
        assert_int_equal(atomic_load(&app.dirty), 0);
        assert_true(tk_actor_ready(actor));
        assert_null(tk_actor_stop_free(actor));
        assert_int_equal(atomic_load(&app.stops), 3);
        app_deinit(&app);
}

static void a_failed_batch_is_given_back_and_the_state_made_afresh(void **state)
{
        struct app app;
        struct tk_msg msgs[4] = {{.type = BLOCK}, {.type = SAY_OK}, {.type = FAIL_BATCH}, {.type = SAY_OK}},
                      ask = {.type = SAY_OK};
        struct tk_actor_stats stats;
        struct tk_actor *actor;
        int64_t deadline_ns = tk_time_mono_ns() + 20 * TK_NS_PER_S;
        (void)state;

        app_init(&app, 0);
        atomic_store(&app.hold, true);
        atomic_store(&given_back, 0);
        actor = tk_actor_new(&type, &app, 0, 0);
        for (size_t i = 0; i < tk_countof(msgs); i++) {
                msgs[i].done = count_back;
                msgs[i].status = 99;
                assert_int_equal(tk_actor_post(actor, &msgs[i]), 0);
                if (i == 0)
                        assert_true(reaches(&app.handled, 1)); /* the other three make one batch */
        }
        tk_actor_stats(actor, &stats);
        assert_string_equal(stats.current, "block");
        release(&app);
        assert_true(reaches(&given_back, 4));
        assert_int_equal(tk_actor_ask(actor, &ask), 0);
        assert_int_equal(ask.status, 0);
        assert_int_equal(msgs[0].status, 0);
        assert_int_equal(msgs[1].status, 0);
        assert_int_equal(msgs[2].status, -EIO);
        assert_int_equal(msgs[3].status, -EIO);
        do /* a batch is counted just after its messages are given back */
                tk_actor_stats(actor, &stats);
        while (stats.handled < 5 && tk_time_mono_ns() < deadline_ns);
        assert_int_equal(stats.restarts, 1);
        assert_int_equal(stats.handled, 5);
        assert_int_equal(stats.batch_max_seen, 3);
        assert_int_equal(stats.ready, 1);
        tk_actor_stop_free(actor);
        assert_int_equal(atomic_load(&app.starts), 2);
        assert_int_equal(atomic_load(&app.stops), 2);
        app_deinit(&app);
}

static void stop_drains_what_is_inside(void **state)
{
        struct app app;
        struct tk_msg msgs[50] = {{.type = BLOCK}}, kept = {.type = KEEP, .done = count_back};
        struct tk_actor *actor;
        (void)state;

        app_init(&app, 0);
        atomic_store(&app.hold, true);
        atomic_store(&given_back, 0);
        actor = tk_actor_new(&type, &app, 0, 0);
        for (size_t i = 0; i < tk_countof(msgs); i++) {
                msgs[i].done = count_back;
                assert_int_equal(tk_actor_post(actor, &msgs[i]), 0);
        }
        assert_int_equal(tk_actor_post(actor, &kept), 0);
        release(&app);
        tk_actor_stop_free(actor);
        assert_int_equal(atomic_load(&given_back), 51);
        for (size_t i = 0; i < tk_countof(msgs); i++)
                assert_int_equal(msgs[i].status, 0);
        assert_int_equal(kept.status, -ECANCELED);
        app_deinit(&app);
}

static void stop_cancels_when_start_never_succeeded(void **state)
{
        struct app app;
        struct tk_msg msgs[5] = {0};
        struct tk_actor *actor;
        (void)state;

        app_init(&app, 1000);
        atomic_store(&given_back, 0);
        actor = tk_actor_new(&type, &app, 5, 2);
        for (size_t i = 0; i < tk_countof(msgs); i++) {
                msgs[i].done = count_back;
                assert_int_equal(tk_actor_post(actor, &msgs[i]), 0);
        }
        assert_int_equal(tk_actor_post(actor, &(struct tk_msg){0}), TK_MBOX_E_FULL);
        assert_false(tk_actor_ready(actor));
        assert_true(reaches(&app.starts, 2));
        tk_actor_stop_free(actor);
        assert_int_equal(atomic_load(&given_back), 5);
        assert_int_equal(atomic_load(&given_back_status), -ECANCELED);
        assert_int_equal(atomic_load(&app.handled), 0);
        app_deinit(&app);
}

static void ticks_at_start_and_when_woken(void **state)
{
        struct app app;
        struct tk_actor *actor;
        struct tk_actor_stats stats;
        (void)state;

        app_init(&app, 0);
        actor = tk_actor_new(&type, &app, 0, 0);
        assert_true(reaches(&app.ticks, 1));
        tk_actor_wake(actor);
        assert_true(reaches(&app.ticks, 2));
        tk_actor_stop(actor);
        assert_int_equal(atomic_load(&app.ticks), 2);
        tk_actor_stats(actor, &stats); /* one that has stopped can still be looked at */
        assert_int_equal(stats.threads, 1);
        assert_null(stats.current);
        tk_actor_stop(actor);
        assert_null(tk_actor_stop_free(actor));
        assert_null(tk_actor_stop_free(NULL));
        app_deinit(&app);
}

static int64_t tick_often(void *at, int64_t now_ns)
{
        tick(at, now_ns);
        return now_ns + TK_NS_PER_MS;
}

static void ticks_when_due(void **state)
{
        struct tk_actor_type often = type;
        struct app app;
        struct tk_actor *actor;
        (void)state;

        often.tick = tick_often;
        app_init(&app, 0);
        actor = tk_actor_new(&often, &app, 0, 0);
        assert_true(reaches(&app.ticks, 5));
        tk_actor_stop_free(actor);
        app_deinit(&app);
}

static int64_t tick_failing_first(void *at, int64_t now_ns)
{
        struct self *self = at;

        tick(at, now_ns);
        return atomic_load(&self->app->ticks) == 1 ? -EIO : TK_TIME_NEVER;
}

static void a_failed_tick_makes_the_state_afresh(void **state)
{
        struct tk_actor_type failing = type;
        struct app app;
        struct tk_actor *actor;
        (void)state;

        failing.tick = tick_failing_first;
        app_init(&app, 0);
        actor = tk_actor_new(&failing, &app, 0, 0);
        assert_true(reaches(&app.ticks, 2));
        assert_int_equal(atomic_load(&app.starts), 2);
        assert_int_equal(atomic_load(&app.dirty), 0);
        tk_actor_stop_free(actor);
        assert_int_equal(atomic_load(&app.stops), 2);
        app_deinit(&app);
}

static void several_threads_share_the_work(void **state)
{
        struct app app;
        struct tk_msg blocker = {.type = BLOCK, .done = count_back}, msg = {.type = SAY_OK};
        struct tk_actor *actor;
        (void)state;

        app_init(&app, 0);
        atomic_store(&app.hold, true);
        actor = tk_actor_new(&type, &app, 0, 2);
        assert_int_equal(tk_actor_post(actor, &blocker), 0);
        assert_true(reaches(&app.handled, 1));
        for (int i = 0; i < 100; i++)
                assert_int_equal(tk_actor_ask(actor, &msg), 0); /* the other thread answers */
        release(&app);
        tk_actor_stop_free(actor);
        assert_int_equal(atomic_load(&app.handled), 101);
        app_deinit(&app);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(messages_wait_for_a_start_that_fails_first),
                cmocka_unit_test(a_failed_batch_is_given_back_and_the_state_made_afresh),
                cmocka_unit_test(stop_drains_what_is_inside),
                cmocka_unit_test(stop_cancels_when_start_never_succeeded),
                cmocka_unit_test(ticks_at_start_and_when_woken),
                cmocka_unit_test(ticks_when_due),
                cmocka_unit_test(a_failed_tick_makes_the_state_afresh),
                cmocka_unit_test(several_threads_share_the_work),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
