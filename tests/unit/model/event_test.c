/* SPDX-License-Identifier: MIT */
/* Events as templates declare them, when they are published, and which names a pattern stands for. */
#include "base/mem.h"
#include "json/json.h"
#include "model/template.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void test_declarations(void **state)
{
        static const char yaml[] = "name: t\nnamespace_name: n\nversion: 1.0.0\nsteps:\n"
                                   "  - name: a\n    handler: {callable: h}\n    publishes_events:\n"
                                   "      - {name: a.done, schema: {type: object}}\n"
                                   "      - {name: a.failed, condition: failure, delivery_mode: fast, publisher: 'Some::Name'}\n"
                                   "      - {name: a.failed, condition: permanent_failure, delivery_mode: broadcast}\n"
                                   "  - name: b\n    handler: {callable: h}\n";
        struct tk_template *tpl;
        struct tk_err err = {0};
        (void)state;
        assert_int_equal(tk_template_parse_yaml("f.yaml", yaml, sizeof yaml - 1, NULL, &tpl, &err), 0);
        const struct tk_template_step *a = &tpl->steps[0];
        assert_int_equal(a->events_n, 3);
        assert_int_equal(tpl->steps[1].events_n, 0);
        assert_string_equal(a->events[0].name, "a.done");
        assert_int_equal(a->events[0].condition, TK_EVENT_SUCCESS);
        assert_int_equal(a->events[0].delivery, TK_EVENT_DURABLE);
        assert_null(a->events[0].publisher);
        TK_AUTOJSON json_t *fits = json_object(), *misfit = json_null();
        assert_true(tk_schema_check(a->events[0].schema, fits, &err));
        assert_false(tk_schema_check(a->events[0].schema, misfit, &err));
        assert_null(a->events[1].schema);
        assert_int_equal(a->events[1].condition, TK_EVENT_FAILURE);
        assert_int_equal(a->events[1].delivery, TK_EVENT_FAST);
        assert_string_equal(a->events[1].publisher, "Some::Name");
        assert_int_equal(a->events[2].condition, TK_EVENT_PERMANENT_FAILURE);
        assert_int_equal(a->events[2].delivery, TK_EVENT_BROADCAST);
        assert_int_equal(tpl->warnings_n, 1);
        assert_string_equal(tpl->warnings[0], "f.yaml:10:9: step 'a' publishes 'a.failed' more than once");
        tk_template_free(tpl);
}

static void test_conditions(void **state)
{
        static const bool holds[5][3] = { /* success, retried, failed */
                [TK_EVENT_SUCCESS] = {true, false, false},         [TK_EVENT_FAILURE] = {false, true, true},
                [TK_EVENT_RETRYABLE_FAILURE] = {false, true, false}, [TK_EVENT_PERMANENT_FAILURE] = {false, false, true},
                [TK_EVENT_ALWAYS] = {true, true, true},
        };
        (void)state;
        for (int c = 0; c < 5; c++)
                for (int o = 0; o < 3; o++)
                        assert_int_equal(tk_event_holds((enum tk_event_condition)c, (enum tk_event_outcome)o), holds[c][o]);
}

static void test_patterns(void **state)
{
        static const struct {
                const char *pattern, *name;
                bool matches;
        } rows[] = {
                {"*", "order.done", true},          {"*", "a.b.c.d", true},            {"order.done", "order.done", true},
                {"order.done", "order.don", false}, {"order.done", "order.done.x", false}, {"order.*", "order.done", true},
                {"order.*", "order.done.twice", false}, {"order.*", "orders.done", false}, {"*.done", "order.done", true},
                {"*.done", "a.order.done", false},  {"**", "a.b.c", true},             {"order.**", "order.a.b.c", true},
                {"order.**", "order.a", true},      {"order.**", "orders.a", false},   {"**.done", "a.b.done", true},
                {"**.done", "x.done", true},        {"**.done", "x.done.y", false},    {"a.**.z", "a.z", true},
                {"a.**.z", "a.b.c.z", true},        {"a.**.z", "a.b.c", false},        {"a.*.c", "a.b.c", true},
                {"a.*.c", "a.c", false},            {"**.b.**", "a.b.c", true},        {"**.b.**", "a.c.d", false},
                {"order", "order.done", false},     {"a.b.**", "a.b", true},           {"*.*", "a.b", true},
                {"*.*", "a.b.c", false},
        };
        (void)state;
        for (size_t i = 0; i < tk_countof(rows); i++) {
                if (tk_event_matches(rows[i].pattern, rows[i].name) != rows[i].matches)
                        fail_msg("%s against %s", rows[i].pattern, rows[i].name);
                assert_true(tk_event_pattern_ok(rows[i].pattern));
        }
        static const char *const bad[] = {"", ".", "a.", ".a", "a..b", "A.b", "a.b*", "a b", "***", "**.a.**.b.**"};
        for (size_t i = 0; i < tk_countof(bad); i++)
                if (tk_event_pattern_ok(bad[i]))
                        fail_msg("'%s' passes", bad[i]);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_declarations),
                cmocka_unit_test(test_conditions),
                cmocka_unit_test(test_patterns),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
