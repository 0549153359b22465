/* SPDX-License-Identifier: MIT */
/* Every mistake in a template is named with its place. */
#include "base/mem.h"
#include "model/template.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define HEAD "name: t\nnamespace_name: n\nversion: 1.0.0\nsteps:\n"
#define STEP(name) "  - name: " name "\n    handler: {callable: h}\n"

static const struct {
        const char *yaml, *says;
} bad[] = {
        {"name: [",
         "f.yaml:2:1: did not find expected node content"},
        {"",
         "f.yaml:1:1: the file is empty"},
        {"- a\n",
         "f.yaml:1:1: a template must be a map, found a list"},
        {"name: t\nversion: 1.0.0\nnamespace_name: n\n",
         "f.yaml:1:1: steps must have 1 to 16384 entries, found 0"},
        {"namespace_name: n\nversion: 1.0.0\nsteps:\n" STEP("a"),
         "f.yaml:1:1: name is missing"},
        {"name: t\nnamespace_name: bad-name\nversion: 1.0.0\nsteps:\n" STEP("a"),
         "f.yaml:2:17: namespace_name must be letters, digits and underscores, not beginning with a digit, found 'bad-name'"},
        {HEAD STEP("a") STEP("a"),
         "f.yaml:7:11: step 'a' stands here a second time (it is also step 1)"},
        {HEAD STEP("a") "    dependencies: [nobody]\n",
         "f.yaml:7:20: step 'a' depends on 'nobody', which is not a step of this template"},
        {HEAD STEP("a") "    dependencies: [a]\n",
         "f.yaml:7:20: step 'a' depends on itself"},
        {HEAD STEP("a") "    dependencies: [c]\n" STEP("b") "    dependencies: [a]\n" STEP("c") "    dependencies: [b]\n",
         "f.yaml:5:5: steps depend on each other in a circle: a → c → b → a"},
        {HEAD "  - name: a\n",
         "f.yaml:5:5: handler is missing"},
        {HEAD STEP("a") "    retry: {max_attempts: many}\n",
         "f.yaml:7:27: max_attempts must be an integer, found a string"},
        {HEAD STEP("a") "    retry: {max_attempts: -1}\n",
         "f.yaml:7:27: max_attempts must be between 0 and 100, found -1"},
        {HEAD STEP("a") "    timeout_seconds: 0.5\n",
         "f.yaml:7:22: timeout_seconds must be an integer, found a number with a fraction"},
        {HEAD STEP("a") "    dependencies: a\n",
         "f.yaml:7:19: dependencies must be a list of strings, found a string"},
        {HEAD STEP("a") "    type: strange\n",
         "f.yaml:7:11: type must be one of standard, decision, deferred_convergence, batchable, batch_worker; found 'strange'"},
        {HEAD "  - name: \"a\\0b\"\n    handler: {callable: h}\n",
         "f.yaml:5:11: a string holds a NUL character"},
        {HEAD "  - name: \xff\n    handler: {callable: h}\n",
         "f.yaml: byte 58: invalid leading UTF-8 octet"},
        {HEAD STEP("a") "    retry: {backoff: sometimes}\n",
         "f.yaml:7:22: backoff must be one of none, fixed, linear, exponential, fibonacci; found 'sometimes'"},
        {HEAD STEP("a") "    publishes_events: [{description: x}]\n",
         "f.yaml:7:24: name is missing"},
        {HEAD STEP("a") "    publishes_events: [{name: Order.Done}]\n",
         "f.yaml:7:31: name must be lower-case words joined by dots, with at least one dot, found 'Order.Done'"},
        {HEAD STEP("a") "    publishes_events: [{name: done}]\n",
         "f.yaml:7:31: name must be lower-case words joined by dots, with at least one dot, found 'done'"},
        {HEAD STEP("a") "    publishes_events: [{name: a.b, condition: sometimes}]\n",
         "f.yaml:7:47: condition must be one of success, failure, retryable_failure, permanent_failure, always; found 'sometimes'"},
        {HEAD STEP("a") "    publishes_events: [{name: a.b, delivery_mode: slow}]\n",
         "f.yaml:7:51: delivery_mode must be one of durable, fast, broadcast; found 'slow'"},
        {HEAD STEP("a") "    publishes_events: [{name: a.b, publisher: 'Pay ment'}]\n",
         "f.yaml:7:47: publisher must be names joined by '::' or '.', found 'Pay ment'"},
        {HEAD STEP("a") "    publishes_events: [{name: a.b, publisher: 'A::'}]\n",
         "f.yaml:7:47: publisher must be names joined by '::' or '.', found 'A::'"},
        {HEAD STEP("a") "    publishes_events: [{name: a.b, schema: x}]\n",
         "f.yaml:7:44: schema must be a map, found a string"},
        {HEAD STEP("a") "    publishes_events: [{name: a.b}, {name: a.b}]\n",
         "f.yaml:7:37: step 'a' publishes 'a.b' twice with condition success"},
        {"name: t\nname: u\nnamespace_name: n\nversion: 1.0.0\nsteps:\n" STEP("a"),
         "f.yaml:2:1: key 'name' stands here twice"},
        {HEAD STEP("a") "    publishes_events:\n      - name: a.b\n        schema: {type: object}\n"
                        "      - name: a.c\n        schema:\n          minItems: many\n",
         "f.yaml:12:21: steps/0/publishes_events/1/schema: minItems must be a whole number of 0 or more"},
        {HEAD STEP("a") "    result_schema:\n      type: object\n      properties:\n        n: {type: number, minimum: many}\n",
         "f.yaml:10:36: steps/0/result_schema: minimum must be a number"},
        {"name: t\nnamespace_name: n\nversion: 1.0.0\ninput_schema: {$ref: 'http://example.com/a'}\nsteps:\n" STEP("a"),
         "f.yaml:4:22: input_schema: $ref 'http://example.com/a' leads out of this schema; nothing is fetched"},
        {HEAD STEP("a") "environments:\n  test:\n    steps:\n      - {name: a, retry: {max_attempts: 101}}\n",
         "f.yaml:10:41: max_attempts must be between 0 and 100, found 101"},
        {HEAD STEP("a") "environments: {test: [a]}\n",
         "f.yaml:7:22: environments must be a map of maps, found a list"},
        {"name: &x t\nnamespace_name: n\nversion: 1.0.0\nsteps: *x\n",
         "f.yaml:4:8: steps must be a list of maps, found a string"},
};

static void each_is_named_with_its_place(void **state)
{
        (void)state;
        for (size_t i = 0; i < tk_countof(bad); i++) {
                struct tk_template *tpl = NULL;
                struct tk_err err = {0};
                assert_true(tk_template_parse_yaml("f.yaml", bad[i].yaml, strlen(bad[i].yaml), NULL, &tpl, &err) < 0);
                assert_null(tpl);
                assert_string_equal(tk_err_text(&err), bad[i].says);
        }
}

/* Sizes that no template of a person has. */
static void too_much_is_named_with_its_limit(void **state)
{
        (void)state;
        struct tk_template *tpl = NULL;
        struct tk_err err = {0};
        TK_AUTOBUF struct tk_buf yaml;
        tk_buf_init(&yaml, 16 << 20);
        tk_buf_puts(&yaml, HEAD STEP("a") "    handler: ");
        for (unsigned i = 0; i < 500; i++)
                tk_buf_puts(&yaml, "{a: ");
        assert_true(tk_template_parse_yaml("deep.yaml", yaml.data, yaml.len, NULL, &tpl, &err) < 0);
        assert_non_null(strstr(tk_err_text(&err), "deep.yaml:"));
        tk_buf_reset(&yaml);
        tk_buf_puts(&yaml, HEAD);
        while (yaml.len <= TK_TEMPLATE_BYTES_MAX)
                tk_buf_puts(&yaml, "# a comment that goes on and on\n");
        assert_true(tk_template_parse_yaml("large.yaml", yaml.data, yaml.len, NULL, &tpl, &err) < 0);
        assert_non_null(strstr(tk_err_text(&err), "large.yaml"));
        assert_non_null(strstr(tk_err_text(&err), "4194304"));
        tk_buf_reset(&yaml);
        tk_buf_puts(&yaml, HEAD);
        for (unsigned i = 0; i <= TK_TEMPLATE_STEPS_MAX; i++)
                tk_buf_printf(&yaml, "  - {name: s%u, handler: {callable: h}}\n", i);
        assert_true(tk_template_parse_yaml("many.yaml", yaml.data, yaml.len, NULL, &tpl, &err) < 0);
        assert_non_null(strstr(tk_err_text(&err), "16384"));
        assert_null(tpl);
}

/* "billion laughs": each level ten times the one before. */
static void aliases_cannot_grow_without_end(void **state)
{
        (void)state;
        struct tk_template *tpl = NULL;
        struct tk_err err = {0};
        TK_AUTOBUF struct tk_buf yaml;
        tk_buf_init(&yaml, 1 << 20);
        tk_buf_puts(&yaml, HEAD STEP("a") "x0: &x0 [a, a, a, a, a, a, a, a, a, a]\n");
        for (unsigned i = 1; i < 10; i++) {
                tk_buf_printf(&yaml, "x%u: &x%u [", i, i);
                for (unsigned k = 0; k < 10; k++)
                        tk_buf_printf(&yaml, "%s*x%u", k ? ", " : "", i - 1);
                tk_buf_puts(&yaml, "]\n");
        }
        assert_true(tk_template_parse_yaml("laughs.yaml", yaml.data, yaml.len, NULL, &tpl, &err) < 0);
        assert_non_null(strstr(tk_err_text(&err), "laughs.yaml:"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_is_named_with_its_place),
                cmocka_unit_test(too_much_is_named_with_its_limit),
                cmocka_unit_test(aliases_cannot_grow_without_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
