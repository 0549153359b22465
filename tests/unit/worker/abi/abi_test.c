/* SPDX-License-Identifier: MIT */
/* What handlers see: values, contexts with results that did not travel, results that go wrong. */
#include "base/str.h"
#include "base/time.h"
#include "json/json.h"
#include "worker/abi/context.h"
#include "worker/abi/result.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const char yaml[] =
        "name: chain\nnamespace_name: n\nversion: 1.0.0\nsteps:\n"
        "  - {name: a, handler: {callable: h}}\n"
        "  - {name: b, handler: {callable: h}, dependencies: [a]}\n"
        "  - {name: c, handler: {callable: h, initialization: {limit: 3, deep: {x: [10, 20]}}}, dependencies: [b]}\n"
        "  - {name: other, handler: {callable: h}}\n";

struct fixture {
        struct tk_template *tpl;
        struct tkw_context ctx;
        atomic_bool cancelled;
        unsigned fetches;
        char asked[256];
};

static json_t *fetch(void *user, const char *const *names, size_t n, int64_t deadline_ns)
{
        struct fixture *f = user;
        (void)deadline_ns;
        f->fetches++;
        (void)tk_str_copy(f->asked, sizeof f->asked, names[0]);
        assert_true(n >= 1);
        return json_pack("{s:{s:b,s:{s:i}}}", "a", "success", 1, "result", "value", 7);
}

static int setup(void **state)
{
        static const char input[] = "{\"n\":6,\"f\":6.0,\"half\":0.5,\"t\":true,\"s\":\"x\",\"z\":null,\"a/"
                                    "b\":{\"~\":[1,{\"k\":\"v\"}]}}";
        static const char deps[] =
                "{\"b\":{\"success\":true,\"result\":{\"value\":49}},\"failed\":{\"success\":false,\"result\":{}}}";
        static struct fixture f;
        struct tk_err err = {0};
        f = (struct fixture){0};
        assert_int_equal(tk_template_parse_yaml("chain.yaml", yaml, sizeof yaml - 1, NULL, &f.tpl, &err), 0);
        f.ctx = (struct tkw_context){
                .arena = tk_arena_new(4096, 1 << 22),
                .deadline_ns = tk_time_mono_ns() + 60 * TK_NS_PER_S,
                .cancelled = &f.cancelled,
                .tpl = f.tpl,
                .step = (unsigned)tk_template_step_find(f.tpl, "c"),
                .input_json = {input, sizeof input - 1},
                .dependencies_json = {deps, sizeof deps - 1},
                .dependencies_complete = true,
                .fetch = fetch,
                .user = &f,
        };
        *state = &f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;
        work_context_deinit(&f->ctx);
        tk_arena_free(f->ctx.arena);
        tk_template_free(f->tpl);
        return 0;
}

static void values(void **state)
{
        struct tkw_context *ctx = &((struct fixture *)*state)->ctx;
        int64_t i = -1;
        double d = -1;
        bool b = false;
        assert_true(tkw_i64(tkw_input(ctx, "n"), &i));
        assert_int_equal(i, 6);
        assert_true(tkw_i64(tkw_input(ctx, "f"), &i));
        assert_false(tkw_i64(tkw_input(ctx, "half"), &i));
        assert_true(tkw_f64(tkw_input(ctx, "n"), &d));
        assert_true(d == 6.0);
        assert_true(tkw_bool(tkw_input(ctx, "t"), &b) && b);
        assert_false(tkw_bool(tkw_input(ctx, "n"), &b));
        assert_string_equal(tkw_str(tkw_input(ctx, "s")), "x");
        assert_null(tkw_str(tkw_input(ctx, "n")));
        assert_int_equal(tkw_type(tkw_input(ctx, "z")), TKW_NULL);
        assert_int_equal(tkw_type(tkw_input(ctx, "missing/deep")), TKW_MISSING);
        assert_string_equal(tkw_str(tkw_input(ctx, "a~1b/~0/1/k")), "v");
        assert_null(tkw_input(ctx, "a~1b/~0/2"));
        assert_int_equal(tkw_count(tkw_input(ctx, "a~1b/~0")), 2);
        assert_int_equal(tkw_count(tkw_input(ctx, NULL)), 7);
        assert_string_equal(tkw_json(ctx, tkw_input(ctx, "a~1b")), "{\"~\":[1,{\"k\":\"v\"}]}");
        assert_true(tkw_i64(tkw_config(ctx, "deep/x/1"), &i));
        assert_int_equal(i, 20);
        const char *keys[8];
        size_t n = 0;
        for (const char *key = NULL; tkw_next(tkw_input(ctx, NULL), &key);)
                keys[n++] = key;
        assert_int_equal(n, 7);
        assert_string_equal(keys[0], "n");
        assert_string_equal(keys[6], "a/b");
        assert_string_equal(tkw_format(ctx, "%s-%d", "x", 5), "x-5");
}

static void dependencies_that_travelled(void **state)
{
        struct fixture *f = *state;
        int64_t i = 0;
        assert_true(tkw_i64(tkw_dependency(&f->ctx, "b", "value"), &i));
        assert_int_equal(i, 49);
        assert_null(tkw_dependency(&f->ctx, "failed", NULL));
        assert_null(tkw_dependency(&f->ctx, "a", NULL));
        assert_string_equal(tkw_dependency_name(&f->ctx, NULL, 0), "b");
        assert_null(tkw_dependency_name(&f->ctx, NULL, 1));
        assert_null(tkw_dependency_name(&f->ctx, "x", 0));
        assert_int_equal(f->fetches, 0); /* complete: nobody is asked */
}

/* In any order, with one prefix and then another: where the last one was found is only a beginning. */
static void names_of_dependencies(void **state)
{
        static const char text[] = "{\"a_1\":{\"success\":true},\"b_1\":{\"success\":true},\"a_2\":{\"success\":false},\"a_3\":{\"success\":true},"
                                   "\"none\":null,\"b_2\":{\"success\":true},\"a_4\":{\"success\":true}}";
        static const struct {
                const char *prefix;
                size_t at;
                const char *name;
        } cases[] = {{"a_", 0, "a_1"}, {"a_", 1, "a_3"}, {"a_", 1, "a_3"}, {"b_", 1, "b_2"}, {"a_", 2, "a_4"}, {"a_", 3, NULL}, {"a_", 0, "a_1"},
                     {NULL, 0, "a_1"}, {NULL, 1, "b_1"}, {NULL, 4, "a_4"}, {NULL, 5, NULL}, {NULL, 3, "b_2"}, {"b_", 0, "b_1"}, {"c", 0, NULL}};
        struct fixture *f = *state;
        f->ctx.dependencies_json = (struct work_text){text, sizeof text - 1};
        for (size_t i = 0; i < tk_countof(cases); i++) {
                const char *name = tkw_dependency_name(&f->ctx, cases[i].prefix, cases[i].at);
                if (cases[i].name)
                        assert_string_equal(name, cases[i].name);
                else
                        assert_null(name);
                assert_string_equal(tkw_failed_dependency_name(&f->ctx, NULL, 0), "a_2");
        }
        assert_null(tkw_failed_dependency_name(&f->ctx, "b_", 0));
}

static void dependencies_that_did_not_travel_are_fetched_once(void **state)
{
        struct fixture *f = *state;
        int64_t i = 0;
        f->ctx.dependencies_complete = false;
        assert_null(tkw_dependency(&f->ctx, "other", NULL)); /* no ancestor: not asked for */
        assert_int_equal(f->fetches, 0);
        assert_true(tkw_i64(tkw_dependency(&f->ctx, "a", "value"), &i));
        assert_int_equal(i, 7);
        assert_string_equal(f->asked, "a");
        assert_non_null(tkw_dependency(&f->ctx, "a", NULL));
        assert_int_equal(f->fetches, 1);
        assert_string_equal(tkw_dependency_name(&f->ctx, "a", 0), "a");
        assert_int_equal(f->fetches, 1); /* everything is here by now */
}

static void time_and_cancellation(void **state)
{
        struct fixture *f = *state;
        assert_false(tkw_cancelled(&f->ctx));
        assert_in_range(tkw_remaining_ms(&f->ctx), 1, 60000);
        atomic_store(&f->cancelled, true);
        assert_true(tkw_cancelled(&f->ctx));
        atomic_store(&f->cancelled, false);
        f->ctx.deadline_ns = tk_time_mono_ns() - 1;
        assert_true(tkw_cancelled(&f->ctx));
        assert_int_equal(tkw_remaining_ms(&f->ctx), 0);
}

static void expect_failure(struct tkw_result *r, int returned, enum work_verdict verdict, const char *type,
                           const char *message)
{
        work_result_conclude(r, returned);
        assert_int_equal(r->verdict, verdict);
        assert_string_equal(r->type, type);
        assert_string_equal(r->message, message);
        work_result_deinit(r);
}

static void results_that_go_wrong(void **state)
{
        struct tkw_result r;
        (void)state;
        work_result_init(&r);
        expect_failure(&r, 0, WORK_RETRYABLE, "handler_error", "the handler returned without stating a result");
        work_result_init(&r);
        (void)tkw_success(&r);
        expect_failure(&r, -5, WORK_RETRYABLE, "handler_error", "the handler returned -5");
        work_result_init(&r);
        tkw_put_str(&r, "bad", "\xff\xfe");
        (void)tkw_success(&r);
        expect_failure(&r, 0, WORK_PERMANENT, "invalid_result", "result member \"bad\": the text is not UTF-8");
        work_result_init(&r);
        tkw_put_json(&r, "half", "{\"a\":");
        (void)tkw_success(&r);
        work_result_conclude(&r, 0);
        assert_string_equal(r.type, "invalid_result");
        assert_non_null(strstr(r.message, "line 1"));
        work_result_deinit(&r);
        work_result_init(&r);
        (void)tkw_permanent(&r, "E", "\xff%s", "x");
        expect_failure(&r, 0, WORK_PERMANENT, "E", "?x");
        work_result_init(&r);
        tkw_put_f64(&r, "nan", (double)NAN);
        (void)tkw_success(&r);
        work_result_conclude(&r, 0);
        assert_int_equal(r.verdict, WORK_SUCCESS);
        assert_true(json_is_null(json_object_get(r.members, "nan")));
        work_result_deinit(&r);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(values, setup, teardown),
                cmocka_unit_test_setup_teardown(dependencies_that_travelled, setup, teardown),
                cmocka_unit_test_setup_teardown(names_of_dependencies, setup, teardown),
                cmocka_unit_test_setup_teardown(dependencies_that_did_not_travel_are_fetched_once, setup, teardown),
                cmocka_unit_test_setup_teardown(time_and_cancellation, setup, teardown),
                cmocka_unit_test(results_that_go_wrong),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
