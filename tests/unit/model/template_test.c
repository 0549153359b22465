/* SPDX-License-Identifier: MIT */
/* What a template says once it is read: steps, graph, retry, overrides, digest. */
#include "base/mem.h"
#include "model/template.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct tk_template *parse_for(const char *yaml, const char *environment)
{
        struct tk_template *tpl = NULL;
        struct tk_err err = {0};
        if (tk_template_parse_yaml("f.yaml", yaml, strlen(yaml), environment, &tpl, &err))
                fail_msg("%s", tk_err_text(&err));
        return tpl;
}

static const char diamond[] = "name: d\nnamespace_name: n\nversion: 1.0.0\nsteps:\n"
                              "  - name: end\n    dependencies: [left, right]\n    handler: {callable: h}\n"
                              "  - name: left\n    dependencies: [start]\n    handler: {callable: h}\n"
                              "  - name: right\n    dependencies: [start]\n    handler: {callable: h}\n"
                              "  - name: start\n    handler: {callable: h, initialization: {limit: 3}}\n"
                              "    retry: {max_attempts: 5, backoff: linear, backoff_base_ms: 20, max_backoff_ms: 50}\n"
                              "    timeout_seconds: 7\n";

static void steps_and_their_settings(void **state)
{
        (void)state;
        TK_CLEANUP(tk_template_free) struct tk_template *tpl = parse_for(diamond, NULL);
        assert_string_equal(tpl->ns, "n");
        assert_string_equal(tpl->name, "d");
        assert_string_equal(tpl->version, "1.0.0");
        assert_string_equal(tpl->identity, "strict");
        assert_int_equal(tpl->steps_n, 4);
        assert_int_equal(tpl->at_start_n, 4);
        int at = tk_template_step_find(tpl, "start");
        assert_in_range(at, 0, 3);
        const struct tk_template_step *start = &tpl->steps[at];
        assert_int_equal(start->parents_n, 0);
        assert_int_equal(start->max_attempts, 5);
        assert_int_equal(start->backoff, TK_BACKOFF_LINEAR);
        assert_int_equal(start->backoff_base_ms, 20);
        assert_int_equal(start->backoff_max_ms, 50);
        assert_int_equal(start->timeout_ms, 7000);
        assert_true(start->retryable);
        assert_string_equal(start->handler.callable, "h");
        assert_string_equal(start->handler.method, "call");
        assert_int_equal(json_integer_value(json_object_get(start->handler.initialization, "limit")), 3);
        assert_int_equal(tk_template_step_find(tpl, "nobody"), -1);
}

static void the_graph_has_the_numbers_of_the_file(void **state)
{
        (void)state;
        TK_CLEANUP(tk_template_free) struct tk_template *tpl = parse_for(diamond, NULL);
        const struct tk_template_step *end = &tpl->steps[0];
        assert_string_equal(end->name, "end");
        assert_int_equal(end->parents_n, 2);
        assert_int_equal(end->parents[0], 1);
        assert_int_equal(end->parents[1], 2);
        assert_int_equal(end->ancestors_n, 3);
        assert_int_equal(end->ancestors_all, 3);
        assert_int_equal(end->ancestors[0], 1); /* nearest first */
        assert_int_equal(end->ancestors[1], 2);
        assert_int_equal(end->ancestors[2], 3);
        assert_string_equal(tpl->steps[3].name, "start");
        assert_int_equal(tpl->steps[3].ancestors_n, 0);
}

static void only_the_nearest_ancestors_travel(void **state)
{
        (void)state;
        enum { LENGTH = 40 };
        TK_AUTOBUF struct tk_buf yaml;
        tk_buf_init(&yaml, 1 << 16);
        tk_buf_puts(&yaml, "name: c\nnamespace_name: n\nversion: 1.0.0\nsteps:\n  - {name: s0, handler: {callable: h}}\n");
        for (unsigned i = 1; i < LENGTH; i++)
                tk_buf_printf(&yaml, "  - {name: s%u, dependencies: [s%u], handler: {callable: h}}\n", i, i - 1);
        TK_CLEANUP(tk_template_free) struct tk_template *tpl = parse_for(tk_buf_str(&yaml), NULL);
        const struct tk_template_step *last = &tpl->steps[LENGTH - 1];
        assert_true(last->ancestors_all > TK_TEMPLATE_ANCESTORS_NEAR); /* there are more */
        assert_int_equal(last->ancestors_n, TK_TEMPLATE_ANCESTORS_NEAR);
        for (unsigned i = 0; i < TK_TEMPLATE_ANCESTORS_NEAR; i++)
                assert_int_equal(last->ancestors[i], LENGTH - 2 - i);
}

/* A first step, `wide` that depend on it, and one that depends on all of these: how many results travel to the last. */
static uint32_t travelling(unsigned wide, bool *ret_more)
{
        TK_AUTOBUF struct tk_buf yaml;
        tk_buf_init(&yaml, 1 << 16);
        tk_buf_puts(&yaml, "name: c\nnamespace_name: n\nversion: 1.0.0\nsteps:\n  - {name: first, handler: {callable: h}}\n");
        for (unsigned i = 0; i < wide; i++)
                tk_buf_printf(&yaml, "  - {name: s%u, dependencies: [first], handler: {callable: h}}\n", i);
        tk_buf_puts(&yaml, "  - {name: last, handler: {callable: h}, dependencies: [s0");
        for (unsigned i = 1; i < wide; i++)
                tk_buf_printf(&yaml, ", s%u", i);
        tk_buf_puts(&yaml, "]}\n");
        TK_CLEANUP(tk_template_free) struct tk_template *tpl = parse_for(tk_buf_str(&yaml), NULL);
        const struct tk_template_step *last = &tpl->steps[wide + 1];
        for (uint32_t i = 0; i < last->ancestors_n && i < wide; i++)
                assert_int_equal(last->ancestors[i], 1 + i);
        *ret_more = last->ancestors_all > last->ancestors_n;
        return last->ancestors_n;
}

static void parents_travel_before_others(void **state)
{
        (void)state;
        bool more;
        assert_int_equal(travelling(TK_TEMPLATE_ANCESTORS_NEAR - 1, &more), TK_TEMPLATE_ANCESTORS_NEAR);
        assert_false(more);
        assert_int_equal(travelling(TK_TEMPLATE_ANCESTORS_NEAR, &more), TK_TEMPLATE_ANCESTORS_NEAR);
        assert_true(more); /* the first */
        assert_int_equal(travelling(TK_TEMPLATE_ANCESTORS_MAX, &more), TK_TEMPLATE_ANCESTORS_MAX);
        assert_true(more);
        assert_int_equal(travelling(TK_TEMPLATE_ANCESTORS_MAX + 5, &more), TK_TEMPLATE_ANCESTORS_MAX);
        assert_true(more);
}

static void the_digest_is_of_what_it_means(void **state)
{
        (void)state;
        static const char *const same[] = {
                "name: t\nnamespace_name: n\nversion: 1.0.0\nsteps:\n  - name: a\n    handler: {callable: h}\n",
                "# a comment\nversion: \"1.0.0\"\nsteps: [{handler: {callable: 'h'}, name: a}]\nnamespace_name: n\nname: t\n",
                "name: t\nnamespace_name: n\nversion: 1.0.0\nx: &h {callable: h}\nsteps:\n  - name: a\n    handler: *h\n",
        };
        static const char other[] =
                "name: t\nnamespace_name: n\nversion: 1.0.0\nsteps:\n  - name: a\n    handler: {callable: g}\n";
        TK_CLEANUP(tk_template_free)
        struct tk_template *first = parse_for(same[0], NULL),
                           *second = parse_for(same[1], NULL), *different = parse_for(other, NULL);
        assert_int_equal(strlen(first->digest), 64);
        assert_string_equal(first->digest, second->digest);
        assert_string_not_equal(first->digest, different->digest);
        /* and what was stored reads back as the same */
        TK_AUTOBUF struct tk_buf body;
        tk_buf_init(&body, 1 << 20);
        tk_template_canonical(first, &body);
        TK_CLEANUP(tk_template_free) struct tk_template *again = NULL;
        struct tk_err err = {0};
        assert_int_equal(tk_template_parse_json(body.data, body.len, &again, &err), 0);
        assert_string_equal(again->digest, first->digest);
        assert_string_equal(again->steps[0].handler.callable, "h");
}

static void an_unknown_key_is_a_warning_with_its_place(void **state)
{
        (void)state;
        TK_CLEANUP(tk_template_free) struct tk_template *tpl =
                parse_for("name: t\nnamespace_name: n\nversion: 1.0.0\nsteps:\n  - name: a\n    handler: {callable: h}\n"
                          "    retry: {max_attempt: 3}\n", NULL);
        assert_int_equal(tpl->warnings_n, 1);
        assert_non_null(strstr(tpl->warnings[0], "f.yaml:7:"));
        assert_non_null(strstr(tpl->warnings[0], "max_attempt"));
        assert_non_null(strstr(tpl->warnings[0], "max_attempts")); /* what was meant */
}

static void an_environment_overrides(void **state)
{
        (void)state;
        static const char yaml[] = "name: t\nnamespace_name: n\nversion: 1.0.0\nsteps:\n"
                                   "  - {name: a, handler: {callable: h}, timeout_seconds: 5}\n"
                                   "  - {name: b, handler: {callable: h}, timeout_seconds: 5}\n"
                                   "environments:\n  production:\n    steps:\n      - {name: a, timeout_seconds: 60}\n"
                                   "  development:\n    steps:\n      - {name: ALL, timeout_seconds: 1}\n";
        TK_CLEANUP(tk_template_free)
        struct tk_template *plain = parse_for(yaml, NULL),
                           *production = parse_for(yaml, "production"),
                           *development = parse_for(yaml, "development");
        assert_int_equal(plain->steps[0].timeout_ms, 5000);
        assert_int_equal(production->steps[0].timeout_ms, 60000);
        assert_int_equal(production->steps[1].timeout_ms, 5000);
        assert_int_equal(development->steps[0].timeout_ms, 1000);
        assert_int_equal(development->steps[1].timeout_ms, 1000);
}

static void overrides_apply_in_order_and_keep_the_ranges(void **state)
{
        (void)state;
        static const char yaml[] = "name: t\nnamespace_name: n\nversion: 1.0.0\nsteps:\n"
                                   "  - {name: a, handler: {callable: h, initialization: {x: 1, y: 1}}, retry: {max_attempts: 2, backoff: none}}\n"
                                   "  - {name: b, handler: {callable: h}}\n"
                                   "environments:\n  test:\n    steps:\n"
                                   "      - {name: ALL, handler: {initialization: {y: 2, z: 2}}, retry: {backoff_base_ms: 10}}\n"
                                   "      - {name: a, handler: {initialization: {z: 3}}, retry: {max_attempts: 9}, timeout: 4}\n"
                                   "      - {name: c, retry: {max_attempt: 1}}\n";
        TK_CLEANUP(tk_template_free) struct tk_template *tpl = parse_for(yaml, "test");
        const json_t *x = tpl->steps[0].handler.initialization;
        assert_int_equal(json_integer_value(json_object_get(x, "x")), 1);
        assert_int_equal(json_integer_value(json_object_get(x, "y")), 2);
        assert_int_equal(json_integer_value(json_object_get(x, "z")), 3);
        assert_int_equal(tpl->steps[0].max_attempts, 9);
        assert_int_equal(tpl->steps[0].backoff, TK_BACKOFF_NONE);
        assert_int_equal(tpl->steps[0].backoff_base_ms, 10);
        assert_int_equal(tpl->steps[1].max_attempts, 3);
        assert_int_equal(tpl->steps[1].backoff_base_ms, 10);
        assert_int_equal(tpl->warnings_n, 3);
        assert_string_equal(tpl->warnings[0], "f.yaml:11:89: unknown key 'timeout' is kept, but means nothing here");
        assert_string_equal(tpl->warnings[1],
                                   "f.yaml:12:40: unknown key 'max_attempt' is kept, but means nothing here (did you mean 'max_attempts'?)");
        assert_non_null(strstr(tpl->warnings[2], "environment test overrides a step 'c' that this template does not have"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(steps_and_their_settings),
                cmocka_unit_test(the_graph_has_the_numbers_of_the_file),
                cmocka_unit_test(only_the_nearest_ancestors_travel),
                cmocka_unit_test(parents_travel_before_others),
                cmocka_unit_test(the_digest_is_of_what_it_means),
                cmocka_unit_test(an_unknown_key_is_a_warning_with_its_place),
                cmocka_unit_test(an_environment_overrides),
                cmocka_unit_test(overrides_apply_in_order_and_keep_the_ranges),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
