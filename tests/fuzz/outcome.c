/* SPDX-License-Identifier: MIT */
/* What a decision or an analyzer says it brings. A plan names only steps of the template, and the quick look that passes others by never
 * passes by an outcome that brings something. */
#include "fuzz/fuzz.h"
#include "json/json.h"
#include "model/growth.h"

enum { ARENA_BLOCK = 65536, ARENA_MAX = 256 << 20 };

static const char yaml[] =
        "name: fuzz\nnamespace_name: fuzz\nversion: 1.0.0\nsteps:\n"
        "  - {name: start, handler: {callable: h}}\n"
        "  - {name: choose, type: decision, dependencies: [start], handler: {callable: h}}\n"
        "  - {name: left, dependencies: [choose], handler: {callable: h}}\n"
        "  - {name: right, dependencies: [choose], handler: {callable: h}}\n"
        "  - {name: again, type: decision, dependencies: [right], handler: {callable: h}}\n"
        "  - {name: deep, dependencies: [again], handler: {callable: h}}\n"
        "  - {name: join, type: deferred_convergence, dependencies: [left, right, deep], handler: {callable: h}}\n"
        "  - {name: split, type: batchable, dependencies: [start], handler: {callable: h}}\n"
        "  - {name: part, type: batch_worker, dependencies: [split], handler: {callable: h, initialization: {a: 1}},\n"
        "     batch_config: {batch_size: 2, parallelism: 3, cursor_field: id, worker_template: part, failure_strategy: fail_fast}}\n"
        "  - {name: sum, type: deferred_convergence, dependencies: [part], handler: {callable: h}}\n";

static const struct tk_template *template(void)
{
        static struct tk_template *tpl;
        struct tk_err err = {0};
        if (!tpl)
                TK_CHECK(!tk_template_parse_yaml("fuzz.yaml", yaml, sizeof yaml - 1, NULL, &tpl, &err));
        return tpl;
}

static void plan(const char *source, const char *text, size_t len, const json_t *document)
{
        static const struct tk_growth_limits limits = {.decision_steps_max = 3, .decision_depth_max = 2, .instances_max = 100, .parallel_max = 5};
        const struct tk_template *tpl = template();
        int no = tk_template_step_find(tpl, source);
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        uint8_t *status = TK_ARENA_ARRAY(arena, uint8_t, tpl->steps_n);
        for (uint32_t i = 0; i < tpl->steps_n; i++)
                status[i] = tpl->steps[i].at_start ? TK_GROWTH_OPEN : TK_GROWTH_ABSENT;
        status[no] = TK_GROWTH_OVER;
        struct tk_growth growth = {0};
        struct tk_err err = {0};
        if (tk_growth_plan(tpl, (uint16_t)no, status, document, &limits, arena, &growth, &err)) {
                TK_CHECK(*tk_err_text(&err));
                return;
        }
        TK_CHECK(!growth.steps_n || tk_growth_suspected(text, len));
        for (uint32_t i = 0; i < growth.steps_n; i++)
                TK_CHECK(growth.steps[i].no < tpl->steps_n && growth.steps[i].instance <= limits.instances_max && *growth.steps[i].name);
        for (uint32_t i = 0; i < growth.edges_n; i++)
                TK_CHECK(growth.edges[i].from < tpl->steps_n && growth.edges[i].to < tpl->steps_n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
        TK_AUTOJSON json_t *document = NULL;
        struct tk_err err = {0};
        const char *text = (const char *)data;
        if (tk_json_parse(text, len, &tk_json_limits_default, &document, &err)) {
                (void)tk_growth_suspected(text, len);
                return 0;
        }
        plan("choose", text, len, document);
        plan("split", text, len, document);
        return 0;
}
