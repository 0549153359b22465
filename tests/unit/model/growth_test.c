/* SPDX-License-Identifier: MIT */
/* What decisions and analyzers bring into being, as texts: steps "a b", edges "a>b", in order of number. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/growth.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct tk_growth_limits limits = {
        .decision_steps_max = 4, .decision_depth_max = 3, .instances_max = 6, .parallel_max = 3};

/* Steps as "name type dependency dependency…", one a line: d decision, c convergence, a analyzer, w worker, s standard. */
static struct tk_template *template_of(const char *lines)
{
        TK_AUTOBUF struct tk_buf yaml;
        tk_buf_init(&yaml, 1 << 20);
        tk_buf_puts(&yaml, "name: t\nnamespace_name: n\nversion: 1.0.0\nsteps:\n");
        char *copy = tk_strndup(lines, strlen(lines)), *line_at = NULL, *at = NULL;
        for (char *line = strtok_r(copy, "\n", &line_at); line; line = strtok_r(NULL, "\n", &line_at)) {
                const char *name = strtok_r(line, " ", &at), *type = strtok_r(NULL, " ", &at), *comma = "";
                tk_buf_printf(&yaml, "  - name: %s\n    type: %s\n    handler: {callable: h, initialization: {set: 1}}\n    dependencies: [", name,
                              *type == 'd' ? "decision" : *type == 'c' ? "deferred_convergence" : *type == 'a' ? "batchable"
                              : *type == 'w' ? "batch_worker" : "standard");
                for (char *dep; (dep = strtok_r(NULL, " ", &at)); comma = ", ")
                        tk_buf_printf(&yaml, "%s%s", comma, dep);
                tk_buf_puts(&yaml, "]\n");
                if (*type == 'w')
                        tk_buf_puts(&yaml, "    batch_config: {parallelism: 2, cursor_field: row, failure_strategy: fail_fast}\n");
        }
        tk_free(copy);
        struct tk_template *tpl = NULL;
        struct tk_err err = {0};
        if (tk_template_parse_yaml("t.yaml", yaml.data, yaml.len, NULL, &tpl, &err))
                fail_msg("%s", tk_err_text(&err));
        return tpl;
}

static uint16_t number(const struct tk_template *tpl, const char *name)
{
        int no = tk_template_step_find(tpl, name);
        if (no < 0)
                fail_msg("no step %s", name);
        return (uint16_t)no;
}

/* over, open: names of steps in these states, beside those that are there from the start and over. Returns the text of steps and
 * edges, or of the error; in `text`. */
static const char *grow(const char *lines, const char *source, const char *over, const char *open, const char *outcome, char text[1024])
{
        TK_CLEANUP(tk_template_free) struct tk_template *tpl = template_of(lines);
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(1 << 16, 1 << 24);
        uint8_t *status = TK_ARENA_ARRAY(arena, uint8_t, tpl->steps_n);
        const char *const lists[] = {over, open};
        for (uint32_t i = 0; i < tpl->steps_n; i++)
                status[i] = tpl->steps[i].at_start ? TK_GROWTH_OVER : TK_GROWTH_ABSENT;
        for (unsigned i = 0; i < 2; i++) {
                char copy[256], *at = NULL;
                snprintf(copy, sizeof copy, "%s", lists[i]);
                for (char *name = strtok_r(copy, " ", &at); name; name = strtok_r(NULL, " ", &at))
                        status[number(tpl, name)] = i ? TK_GROWTH_OPEN : TK_GROWTH_OVER;
        }
        uint16_t no = number(tpl, source);
        status[no] = TK_GROWTH_OVER;
        char document[2048];
        snprintf(document, sizeof document, "{\"success\":true,\"result\":{\"%s\":%s}}",
                 tpl->steps[no].type == TK_STEP_DECISION ? "decision_point_outcome" : "batch_processing_outcome", outcome);
        json_t *json = json_loads(document, 0, NULL);
        assert_non_null(json);
        assert_true(tk_growth_suspected(document, strlen(document)));
        struct tk_growth growth;
        struct tk_err err = {0};
        int r = tk_growth_plan(tpl, no, status, json, &limits, arena, &growth, &err);
        json_decref(json);
        if (r) {
                snprintf(text, 1024, "%s", tk_err_text(&err));
                return text;
        }
        size_t n = 0;
        *text = '\0';
        for (uint32_t i = 0; i < growth.steps_n; i++)
                n += (size_t)snprintf(text + n, 1024 - n, "%s%s%s", i ? " " : "", growth.steps[i].name, growth.steps[i].held ? "*" : "");
        for (uint32_t i = 0; i < growth.edges_n; i++)
                n += (size_t)snprintf(text + n, 1024 - n, "%s%s>%s", i ? " " : " | ", tpl->steps[growth.edges[i].from].name,
                                      tpl->steps[growth.edges[i].to].name);
        return text;
}

#define NO "{\"type\":\"no_branches\"}"
#define YES(names) "{\"type\":\"create_steps\",\"step_names\":[" names "]}"
static const char approval[] = "validate s\nroute d validate\nauto s route\nmanager s route\nfinance s route\nfinalize c auto manager finance";

struct growth_case {
        const char *what, *lines, *source, *over, *open, *outcome, *expected;
};
static const struct growth_case cases[] = {
        {"one branch and its convergence", approval, "route", "", "", YES("\"auto\""), "auto finalize | route>auto auto>finalize"},
        {"two branches", approval, "route", "", "", YES("\"manager\",\"finance\""),
         "manager finance finalize | route>manager route>finance manager>finalize finance>finalize"},
        {"nothing chosen, nothing created", approval, "route", "", "", NO, ""},
        {"what follows a branch comes with it", "s s\nd d s\na s d\nb s a\nc s b\nx s d", "d", "", "", YES("\"a\""), "a b c | d>a a>b b>c"},
        {"a step further down may be named without the one before it", "s s\nd d s\na s d\nb s a", "d", "", "", YES("\"b\""), "b | d>b"},
        {"an exit decision comes only where a chosen branch leads to it", "s s\nd d s\na s d\nb s d\ne d b\nf s e", "d", "", "", YES("\"a\""),
         "a | d>a"},
        {"an exit decision below a chosen branch", "s s\nd d s\na s d\nb s d\ne d b\nf s e", "d", "", "", YES("\"b\""), "b e | d>b b>e"},
        {"a decision right below a decision follows it", "s s\nd d s\na s d\ne d d\nf s e", "d", "", "", YES("\"a\""), "a e | d>a d>e"},
        {"but not when nothing was chosen", "s s\nd d s\na s d\ne d d\nf s e", "d", "", "", NO, ""},
        {"a real dependency outside stays one", "s s\nt s\nd d s\na s d t", "d", "", "t", YES("\"a\""), "a | t>a d>a"},
        {"a convergence waits for a nested decision that may bring more", "s s\nd d s\na s d\nb s d\ne d b\nf s e\nz c a f", "d", "", "",
         YES("\"a\",\"b\""), "a b e z | d>a d>b b>e a>z e>z"},
        {"the nested decision brings it", "s s\nd d s\na s d\nb s d\ne d b\nf s e\nz c a f", "e", "d a b", "z", YES("\"f\""),
         "f | e>f f>z"},
        {"two decisions meet: the first one to speak", "s s\nd d s\ne d s\na s d\nb s e\nz c a b", "d", "", "e", YES("\"a\""),
         "a z | d>a e>z a>z"},
        {"two decisions meet: the second brings nothing", "s s\nd d s\ne d s\na s d\nb s e\nz c a b", "e", "d a", "z", NO, ""},
        {"two decisions meet: nobody brings anything", "s s\nd d s\ne d s\na s d\nb s e\nz c a b", "e", "d", "", NO, ""},
        {"a convergence with an old parent comes when nothing else can", "s s\nd d s\na s d\nz c s a", "d", "", "", NO, "z | s>z d>z"},
        {"so does a step further down that is named, with dependencies that are over", "s s\nt s\nd d s\na s d\nb s a t", "d", "", "", YES("\"b\""),
         "b | t>b d>b"},
        {"a convergence that lists the decision needs a branch too", "s s\nd d s\na s d\nz c d a", "d", "", "", NO, ""},
        {"and gets both", "s s\nd d s\na s d\nz c d a", "d", "", "", YES("\"a\""), "a z | d>a d>z a>z"},
        {"a step below a convergence comes with it", "s s\nd d s\na s d\nz c a\ny s z", "d", "", "", YES("\"a\""), "a z y | d>a a>z z>y"},
        {"a branch of two decisions waits for the other", "s s\nd d s\ne d s\na s d e", "d", "", "e", YES("\"a\""), "a | d>a e>a"},
        {"a branch of a later decision does not come before", "s s\nd d s\nb s d\ne d b\nx s e b", "d", "", "", YES("\"b\""), "b e | d>b b>e"},
        {"a step below two decisions comes with the last of them", "s s\nd d s\ne d s\na s d\nb s a e", "e", "d a", "", NO, "b | e>b a>b"},
        {"or with the branch of the other one", "s s\nd d s\ne d s\na s d\nb s a e", "d", "e", "", YES("\"a\""), "a b | d>a e>b a>b"},
        {"named by both", "s s\nd d s\ne d s\na s d e", "e", "d", "a", YES("\"a\""), ""},
        {"a chosen analyzer has its workers to come", "s s\nd d s\np a d\nw w p\nz c w", "d", "", "", YES("\"p\""), "p | d>p"},
        {"a convergence of branch and batch waits for the analyzer", "s s\nd d s\np a d\nw w p\nb s d\nz c w b", "d", "", "", YES("\"p\",\"b\""),
         "p b z | d>p d>b p>z b>z"},
        /* analyzers */
        {"batches, a window of two and the convergence", "p a\nw w p\nz c w", "p", "", "",
         "{\"type\":\"create_batches\",\"worker_template_name\":\"w\",\"worker_count\":3,\"total_items\":30,\"cursor_configs\":["
         "{\"batch_id\":\"001\",\"start_cursor\":0,\"end_cursor\":10},{\"batch_id\":\"002\",\"start_cursor\":\"k\",\"end_cursor\":{\"k\":1}},"
         "{\"batch_id\":\"003\",\"start_cursor\":null,\"end_cursor\":[1]}]}",
         "w_001 w_002 w_003* z | p>w w>z"},
        {"no batches: a placeholder", "p a\nw w p\nz c w", "p", "", "", "{\"type\":\"no_batches\"}", "w_000 z | p>w w>z"},
        {"two analyzers meet", "p a\nq a\nw w p\nv w q\nz c w v", "p", "", "q", "{\"type\":\"no_batches\"}", "w_000 z | p>w q>z w>z"},
        {"the other one", "p a\nq a\nw w p\nv w q\nz c w v", "q", "p w", "z", "{\"type\":\"no_batches\"}", "v_000 | q>v v>z"},
        {"other declared parents of a convergence", "p a\nq s\nw w p\nz c w q", "p", "", "q", "{\"type\":\"no_batches\"}", "w_000 z | p>w q>z w>z"},
        {"a worker's other dependency", "p a\nq s\nw w p q", "p", "", "q", "{\"type\":\"no_batches\"}", "w_000 | p>w q>w"},
        {"a standard step after batches", "p a\nw w p\nz s w", "p", "", "", "{\"type\":\"no_batches\"}", "w_000 z | p>w w>z"},
        /* refusals */
        {"unknown", approval, "route", "", "", YES("\"nobody\""), "decision 'route' names 'nobody', which is not a step of its template"},
        {"not below", "s s\nt s\nd d s\na s d", "d", "", "", YES("\"t\""),
         "decision 'd' names 't', which is not below it, or below another decision"},
        {"twice", approval, "route", "", "", YES("\"auto\",\"auto\""), "decision 'route' names 'auto' twice"},
        {"itself", approval, "route", "", "", YES("\"route\""),
         "decision 'route' names 'route', another decision: decisions follow the steps they depend on and cannot be named"},
        {"below a nested decision", "s s\nd d s\na s d\ne d a\nf s e", "d", "", "", YES("\"f\""),
         "decision 'd' names 'f', which is not below it, or below another decision"},
        {"a worker", "s s\nd d s\np a d\nw w p", "d", "", "", YES("\"w\""),
         "decision 'd' names 'w', a batch_worker: only its analyzer makes instances of it"},
        {"too many", "s s\nd d s\na s d\nb s d\nc s d\ne s d\nf s d", "d", "", "", YES("\"a\",\"b\",\"c\",\"e\",\"f\""),
         "decision 'd' names 5 steps, 4 are allowed (decision.steps_max)"},
        {"too deep", "s s\nd d s\na s d\ne d a\nb s e\nf d b\nc s f\ng d c\nx s g", "g", "d a e b f c", "", YES("\"x\""),
         "decision 'g' is number 4 of the decisions on its way, 3 are allowed (decision.depth_max)"},
        {"no names", approval, "route", "", "", YES(""),
         "decision 'route': create_steps needs step_names, a list of at least one; no_branches says none"},
        {"not a text", approval, "route", "", "", YES("7"), "decision 'route': step_names[0] is not a string"},
        {"a strange type", approval, "route", "", "", "{\"type\":\"maybe\"}",
         "decision 'route': decision_point_outcome.type must be no_branches or create_steps, found maybe"},
        {"no outcome at all", approval, "route", "", "", "null",
         "decision 'route': decision_point_outcome.type must be no_branches or create_steps, found none"},
        {"no batches in a list", "p a\nw w p", "p", "", "", "{\"type\":\"create_batches\",\"cursor_configs\":[]}",
         "analyzer 'p': create_batches needs cursor_configs, a list of at least one; no_batches says none"},
        {"a batch twice", "p a\nw w p", "p", "", "",
         "{\"type\":\"create_batches\",\"cursor_configs\":[{\"batch_id\":\"1\",\"start_cursor\":0,\"end_cursor\":1},"
         "{\"batch_id\":\"1\",\"start_cursor\":1,\"end_cursor\":2}]}",
         "analyzer 'p': batch_id '1' stands twice in cursor_configs"},
        {"a batch without end", "p a\nw w p", "p", "", "",
         "{\"type\":\"create_batches\",\"cursor_configs\":[{\"batch_id\":\"1\",\"start_cursor\":0}]}",
         "analyzer 'p': cursor_configs[0] (batch_id '1') needs start_cursor and end_cursor"},
        {"a wrong worker", "p a\nq s\nw w p", "p", "", "", "{\"type\":\"no_batches\",\"worker_template_name\":\"q\"}",
         "analyzer 'p' names 'q', which is not a batch_worker step that depends on it"},
        {"a wrong count", "p a\nw w p", "p", "", "",
         "{\"type\":\"create_batches\",\"worker_count\":2,\"cursor_configs\":[{\"batch_id\":\"1\",\"start_cursor\":0,\"end_cursor\":1}]}",
         "analyzer 'p': worker_count is 2, but cursor_configs has 1 entries"},
};

static void every_case(void **state)
{
        (void)state;
        char text[1024];
        int failed = 0;
        for (size_t i = 0; i < tk_countof(cases); i++) {
                const struct growth_case *c = &cases[i];
                const char *found = grow(c->lines, c->source, c->over, c->open, c->outcome, text);
                if (strcmp(found, c->expected)) {
                        print_error("%s:\n  expected: %s\n  found:    %s\n", c->what, c->expected, found);
                        failed++;
                }
        }
        assert_int_equal(failed, 0);
}

static void instances_carry_settings_and_cursor(void **state)
{
        (void)state;
        TK_CLEANUP(tk_template_free) struct tk_template *tpl = template_of("p a\nw w p\nz c w");
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(1 << 16, 1 << 24);
        const uint8_t status[] = {TK_GROWTH_OVER, TK_GROWTH_ABSENT, TK_GROWTH_ABSENT};
        json_t *json = json_loads("{\"result\":{\"batch_processing_outcome\":{\"type\":\"create_batches\",\"cursor_configs\":["
                                  "{\"batch_id\":\"007\",\"start_cursor\":{\"at\":[1,null]},\"end_cursor\":\"z\",\"batch_size\":3,\"more\":true}]}}}",
                                  0, NULL);
        struct tk_growth growth;
        struct tk_err err = {0};
        assert_int_equal(tk_growth_plan(tpl, 0, status, json, &limits, arena, &growth, &err), 0);
        json_decref(json);
        assert_int_equal(growth.steps_n, 2);
        assert_int_equal(growth.steps[0].instance, 1);
        assert_string_equal(growth.steps[0].inputs,
                            "{\"set\":1,\"cursor\":{\"batch_id\":\"007\",\"start_cursor\":{\"at\":[1,null]},\"end_cursor\":\"z\","
                            "\"batch_size\":3,\"more\":true},"
                            "\"batch_metadata\":{\"cursor_field\":\"row\",\"failure_strategy\":\"fail_fast\"},\"is_no_op\":false,"
                            "\"__template_step_name\":\"w\",\"__window\":2}");
        assert_null(growth.steps[1].inputs);
}

static void start_of_a_graph(void **state)
{
        (void)state;
        TK_CLEANUP(tk_template_free) struct tk_template *tpl = template_of("a s\nb s\nj c a b\nd d j\nx s d\nz c j x\np a j\nw w p\ny c p");
        static const char *const at_start[] = {"a", "b", "j", "d", "p", "y"};
        assert_int_equal(tpl->at_start_n, tk_countof(at_start));
        for (size_t i = 0; i < tk_countof(at_start); i++)
                assert_true(tpl->steps[number(tpl, at_start[i])].at_start);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_case),
                cmocka_unit_test(instances_carry_settings_and_cursor),
                cmocka_unit_test(start_of_a_graph),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
