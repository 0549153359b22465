/* SPDX-License-Identifier: MIT */
/* Hydration: one load for many askers, patience with a source that is away, bounded memory. */
#include "base/str.h"
#include "base/time.h"
#include "run/lock.h"
#include "run/thread.h"
#include "worker/core/templates.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

enum { ASKERS = 50 };
#define WAIT_NS (20 * TK_NS_PER_S)

static const char yaml[] = "name: t%d\nnamespace_name: n\nversion: 1.0.0\n"
                           "steps:\n  - name: s\n    handler:\n      callable: h\n";

struct source {
        struct tk_lock lock;
        struct tk_cond changed;
        unsigned loads, failures_left;
        bool gate_closed;
        struct tk_template *made[4];   /* digests are taken from these */
};

static struct tk_template *make(int n)
{
        char text[256];
        struct tk_template *tpl;
        struct tk_err err = {0};
        snprintf(text, sizeof text, yaml, n);
        assert_int_equal(tk_template_parse_yaml("t.yaml", text, strlen(text), NULL, &tpl, &err), 0);
        return tpl;
}

static int load(void *user, const char *digest, int64_t deadline_ns, struct tk_template **ret, struct tk_err *err)
{
        struct source *source = user;
        TK_LOCKED(&source->lock);
        source->loads++;
        tk_cond_broadcast(&source->changed);
        while (source->gate_closed && tk_cond_wait(&source->changed, &source->lock, deadline_ns))
                ;
        if (source->failures_left) {
                source->failures_left--;
                return TK_ERR(err, -EIO, "away");
        }
        for (int i = 0; i < (int)tk_countof(source->made); i++)
                if (tk_streq(source->made[i]->digest, digest)) {
                        *ret = make(i);
                        return 0;
                }
        return TK_ERR(err, WORK_TEMPLATE_E_UNKNOWN, "no such digest");
}

static int setup(void **state)
{
        static struct source source;
        source = (struct source){0};
        tk_lock_init(&source.lock, "source");
        tk_cond_init(&source.changed);
        for (int i = 0; i < (int)tk_countof(source.made); i++)
                source.made[i] = make(i);
        *state = &source;
        return 0;
}

static int teardown(void **state)
{
        struct source *source = *state;
        for (size_t i = 0; i < tk_countof(source->made); i++)
                tk_template_free(source->made[i]);
        tk_cond_deinit(&source->changed);
        tk_lock_deinit(&source->lock);
        return 0;
}

struct asker {
        struct tk_thread thread;
        struct work_templates *templates;
        const char *digest;
        int result;
};

static void ask(void *arg)
{
        struct asker *asker = arg;
        const struct tk_template *tpl;
        asker->result = work_templates_take(asker->templates, asker->digest, tk_time_mono_ns() + WAIT_NS, &tpl, NULL);
        if (!asker->result)
                work_templates_give(asker->templates, tpl);
}

static void many_askers_share_one_load(void **state)
{
        struct source *source = *state;
        struct work_templates *templates = work_templates_new(8, load, source);
        struct work_templates_stats stats;
        struct asker askers[ASKERS];
        source->gate_closed = true;
        for (int i = 0; i < ASKERS; i++) {
                askers[i] = (struct asker){.templates = templates, .digest = source->made[0]->digest};
                tk_thread_start(&askers[i].thread, "asker", ask, &askers[i]);
        }
        int64_t deadline_ns = tk_time_mono_ns() + WAIT_NS;
        do { /* all but the loader wait for it */
                work_templates_stats(templates, &stats);
                assert_true(tk_time_mono_ns() < deadline_ns);
        } while (stats.shared < ASKERS - 1);
        tk_lock_take(&source->lock);
        source->gate_closed = false;
        tk_cond_broadcast(&source->changed);
        tk_lock_give(&source->lock);
        for (int i = 0; i < ASKERS; i++) {
                tk_thread_join(&askers[i].thread);
                assert_int_equal(askers[i].result, 0);
        }
        assert_int_equal(source->loads, 1);
        work_templates_free(templates);
}

static void loads_are_repeated_while_the_source_is_away(void **state)
{
        struct source *source = *state;
        struct work_templates *templates = work_templates_new(8, load, source);
        const struct tk_template *tpl;
        source->failures_left = 2;
        assert_int_equal(
                work_templates_take(templates, source->made[1]->digest, tk_time_mono_ns() + WAIT_NS, &tpl, NULL),
                0);
        assert_int_equal(source->loads, 3);
        assert_string_equal(tpl->name, "t1");
        work_templates_give(templates, tpl);
        work_templates_free(templates);
}

static void patience_ends_with_the_deadline(void **state)
{
        struct source *source = *state;
        struct work_templates *templates = work_templates_new(8, load, source);
        const struct tk_template *tpl;
        struct tk_err err = {0};
        char unknown[65];
        memset(unknown, 'a', 64);
        unknown[64] = '\0';
        int64_t start_ns = tk_time_mono_ns();
        assert_int_equal(work_templates_take(templates, unknown, start_ns + 100 * TK_NS_PER_MS, &tpl, &err),
                         WORK_TEMPLATE_E_UNKNOWN);
        assert_true(tk_time_mono_ns() - start_ns >= 100 * TK_NS_PER_MS);
        assert_string_equal(tk_err_text(&err), "no such digest");
        assert_int_equal(work_templates_take(templates, "short", TK_TIME_NEVER, &tpl, &err), WORK_TEMPLATE_E_UNKNOWN);
        work_templates_free(templates);
}

static void unused_templates_make_room(void **state)
{
        struct source *source = *state;
        struct work_templates *templates = work_templates_new(2, load, source);
        struct work_templates_stats stats;
        const struct tk_template *kept, *tpl;
        assert_int_equal(work_templates_take(templates, source->made[0]->digest, TK_TIME_NEVER, &kept, NULL), 0);
        for (int i = 1; i < 4; i++) {
                assert_int_equal(work_templates_take(templates, source->made[i]->digest, TK_TIME_NEVER, &tpl, NULL), 0);
                work_templates_give(templates, tpl);
        }
        work_templates_stats(templates, &stats);
        assert_int_equal(stats.entries, 2);
        assert_int_equal(stats.evictions, 2);
        assert_string_equal(kept->name, "t0"); /* in use: not evicted */
        work_templates_give(templates, kept);
        work_templates_free(templates);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(many_askers_share_one_load, setup, teardown),
                cmocka_unit_test_setup_teardown(loads_are_repeated_while_the_source_is_away, setup, teardown),
                cmocka_unit_test_setup_teardown(patience_ends_with_the_deadline, setup, teardown),
                cmocka_unit_test_setup_teardown(unused_templates_make_room, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
