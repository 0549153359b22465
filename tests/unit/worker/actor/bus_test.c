/* SPDX-License-Identifier: MIT */
/* The bus tells what was stored and nothing else, and a subscriber that does not return costs events of its own only. */
#include "base/mem.h"
#include "base/time.h"
#include "run/lock.h"
#include "worker/abi/event.h"
#include "worker/actor/bus.h"
#include "worker/app.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { MAILBOX = 3, EVENTS = 20 };
#define SOON (tk_time_mono_ns() + 30 * TK_NS_PER_S)

static struct tk_lock lock;
static struct tk_cond changed;
static unsigned inside, heard, refused; /* calls of `wait_at_gate` that have begun, of `hear`, of `refuse` */
static bool open_gate;
static char last[128];

static int wait_at_gate(struct tkw_event *event, void *user)
{
        (void)event;
        (void)user;
        TK_LOCKED(&lock);
        inside++;
        tk_cond_broadcast(&changed);
        while (!open_gate)
                (void)tk_cond_wait(&changed, &lock, SOON);
        return 0;
}

static int hear(struct tkw_event *event, void *user)
{
        TK_LOCKED(&lock);
        snprintf(last, sizeof last, "%s %s %s %s", tkw_event_name(event), tkw_event_id(event), tkw_str(tkw_event_data(event, "a")),
                 tkw_str(tkw_event_metadata(event, "step_name")));
        ++*(unsigned *)user;
        tk_cond_broadcast(&changed);
        return user == &refused ? 5 : 0;
}

static struct work_app *app_new(void)
{
        static const struct tk_metric_row rows[] = {
#define METRIC(id, kind, label, help) {"tasker_worker_" #id, TK_METRIC_##kind, label, help},
#include "worker/tbl/metrics.h"
#undef METRIC
        };
        static const struct tkw_subscriber subscribers[] = {
                {"gate", "gate.*", wait_at_gate, NULL}, {"ear", "ear.* gate.open", hear, &heard}, {"refuser", "ear.no", hear, &refused}};
        static const struct tkw_events events = {.abi = TKW_ABI, .subscribers = subscribers, .subscribers_n = 3};
        struct work_app *app = TK_NEW(struct work_app);
        struct tk_err err = {0};
        app->metrics = tk_metrics_new(rows, tk_countof(rows));
        app->conf.events_mailbox = MAILBOX;
        app->parties = work_parties_new();
        assert_int_equal(work_parties_add(app->parties, &events, "test", &err), 0);
        app->bus = work_bus_new(app);
        inside = heard = refused = 0;
        open_gate = false;
        return app;
}

static void app_free(struct work_app *app)
{
        assert_true(work_bus_drain(app->bus, SOON));
        work_bus_free(app->bus);
        work_parties_free(app->parties);
        tk_metrics_free(app->metrics);
        tk_free(app);
}

static void settled(struct work_app *app, const char *name, bool stale, bool was_refused)
{
        static const char json[] = "{\"payload\":{\"payload\":{\"a\":\"x\"}},\"metadata\":{\"step_name\":\"s\"}}";
        struct work_events *events = TK_NEW(struct work_events);
        events->by_delivery[TK_EVENT_FAST] = 1;
        events->by_delivery[TK_EVENT_DURABLE] = 2;
        events->told[events->told_n++] = work_event_new("the-id", name, json, sizeof json - 1);
        work_bus_settled(app->bus, events, stale, was_refused);
}

static void until(const unsigned *count, unsigned n)
{
        TK_LOCKED(&lock);
        while (*count < n)
                assert_true(tk_cond_wait(&changed, &lock, SOON));
}

static int64_t metric(struct work_app *app, enum work_metric row, const char *label)
{
        return tk_metric_get_l(app->metrics, row, label);
}

static void test_what_was_stored_is_told(void **state)
{
        struct work_app *app = app_new();
        (void)state;
        settled(app, "ear.yes", false, false);
        until(&heard, 1);
        assert_string_equal(last, "ear.yes the-id x s");
        settled(app, "ear.no", false, false);
        until(&refused, 1);
        settled(app, "nobody.listens", false, false);
        assert_true(work_bus_drain(app->bus, SOON));
        assert_int_equal(heard, 2);
        assert_int_equal(metric(app, WORK_M_events_published_total, "fast"), 3);
        assert_int_equal(metric(app, WORK_M_events_published_total, "durable"), 6);
        assert_int_equal(metric(app, WORK_M_event_subscriber_errors_total, "refuser"), 1);
        assert_int_equal(metric(app, WORK_M_event_deliveries_total, "ear"), 2);
        assert_int_equal(work_bus_patterns(app->bus), 4);
        app_free(app);
}

static void test_what_was_not_is_not(void **state)
{
        struct work_app *app = app_new();
        (void)state;
        settled(app, "ear.yes", true, false);
        settled(app, "ear.yes", false, true);
        assert_true(work_bus_drain(app->bus, SOON));
        assert_int_equal(heard, 0);
        assert_int_equal(tk_metric_get(app->metrics, WORK_M_events_published_total), 0);
        assert_int_equal(metric(app, WORK_M_events_skipped_total, "stale"), 3);
        assert_int_equal(metric(app, WORK_M_events_skipped_total, "refused"), 3);
        app_free(app);
}

static void test_a_subscriber_that_does_not_return(void **state)
{
        struct work_app *app = app_new();
        (void)state;
        settled(app, "gate.open", false, false);
        until(&inside, 1);
        until(&heard, 1);
        for (unsigned n = 2; n <= EVENTS; n++) {
                settled(app, "gate.open", false, false);
                until(&heard, n); /* the other one hears every event */
        }
        assert_int_equal(metric(app, WORK_M_events_dropped_total, "full"), EVENTS - 1 - MAILBOX);
        assert_false(work_bus_drain(app->bus, tk_time_mono_ns())); /* it holds one, the others will be dropped */
        {
                TK_LOCKED(&lock);
                open_gate = true;
                tk_cond_broadcast(&changed);
        }
        assert_true(work_bus_drain(app->bus, SOON));
        assert_int_equal(inside, 1);
        assert_int_equal(metric(app, WORK_M_events_dropped_total, "stopping"), MAILBOX);
        app_free(app);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_was_stored_is_told),
                cmocka_unit_test(test_what_was_not_is_not),
                cmocka_unit_test(test_a_subscriber_that_does_not_return),
        };
        tk_lock_init(&lock, "test");
        tk_cond_init(&changed);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
