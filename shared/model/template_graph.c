/* SPDX-License-Identifier: MIT */
/* model/template_graph.c: what follows from the edges. Linear in steps and edges. */
#include "base/buf.h"
#include "base/mem.h"
#include "model/template_internal.h"
#include <stdio.h>
#include <stdlib.h>

enum { CYCLE_NAMES_MAX = 12, TEXT_MAX = 300 };

/* Names one cycle among steps that were never released: following any unreleased parent must come round. */
static int name_cycle(struct tk_template_source *src, const struct tk_template *tpl, const uint32_t *waiting,
                      struct tk_err *err)
{
        TK_AUTOFREE bool *seen = tk_calloc(tpl->steps_n, sizeof *seen);
        uint32_t at = 0;
        while (!waiting[at])
                at++;
        while (!seen[at]) {
                seen[at] = true;
                for (uint32_t k = 0; k < tpl->steps[at].parents_n; k++)
                        if (waiting[tpl->steps[at].parents[k]]) {
                                at = tpl->steps[at].parents[k];
                                break;
                        }
        }
        TK_AUTOBUF struct tk_buf text = {.max = TEXT_MAX};
        char where[32];
        uint32_t first = at, names = 0;
        tk_buf_puts(&text, tpl->steps[at].name);
        do {
                uint32_t parent = at;
                for (uint32_t k = 0; k < tpl->steps[at].parents_n; k++)
                        if (waiting[tpl->steps[at].parents[k]]) {
                                parent = tpl->steps[at].parents[k];
                                break;
                        }
                at = parent;
                tk_buf_printf(&text, " → %s", tpl->steps[at].name);
        } while (at != first && ++names < CYCLE_NAMES_MAX);
        snprintf(where, sizeof where, "/steps/%u", first);
        return tk_template_fail(src, err, where, "steps depend on each other in a circle: %s", tk_buf_str(&text));
}

/* Parents before children, or the name of a cycle. Children lists are packed: those of i are child[first[i] .. first[i + 1]). */
static int sort(struct tk_template_source *src, const struct tk_template *tpl, uint16_t *order, struct tk_err *err)
{
        uint32_t n = tpl->steps_n, edges = 0, done = 0;
        TK_AUTOFREE uint32_t *waiting = tk_calloc(n, sizeof *waiting);
        TK_AUTOFREE uint32_t *first = tk_calloc(n + 2, sizeof *first);
        for (uint32_t i = 0; i < n; i++) {
                waiting[i] = tpl->steps[i].parents_n;
                edges += waiting[i];
                for (uint32_t k = 0; k < waiting[i]; k++)
                        first[tpl->steps[i].parents[k] + 2]++;
        }
        for (uint32_t i = 2; i < n + 2; i++)
                first[i] += first[i - 1];
        TK_AUTOFREE uint16_t *child = tk_calloc(edges + 1, sizeof *child);
        for (uint32_t i = 0; i < n; i++)
                for (uint32_t k = 0; k < tpl->steps[i].parents_n; k++)
                        child[first[tpl->steps[i].parents[k] + 1]++] = (uint16_t)i;
        for (uint32_t i = 0; i < n; i++)
                if (!waiting[i])
                        order[done++] = (uint16_t)i;
        for (uint32_t at = 0; at < done; at++)
                for (uint32_t k = first[order[at]]; k < first[order[at] + 1]; k++)
                        if (!--waiting[child[k]])
                                order[done++] = child[k];
        return done == n ? 0 : name_cycle(src, tpl, waiting, err);
}

static int by_number(const void *a, const void *b)
{
        return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* Results of batch workers are as many as there are batches, and an analyzer's result names all of them: these are asked for
 * where they are needed. */
static bool travels(const struct tk_template_step *step, const struct tk_template_step *ancestor)
{
        return ancestor->type != TK_STEP_BATCH_WORKER &&
               (ancestor->type != TK_STEP_BATCHABLE || step->type != TK_STEP_BATCH_WORKER);
}

/* Breadth first over parents, each level in order of number; one more than the limit tells that some were cut. */
static void ancestors_of(const struct tk_template *tpl, struct tk_template_step *step, uint32_t mark, uint32_t *marks)
{
        enum { MAX = TK_TEMPLATE_ANCESTORS_MAX, NEAR = TK_TEMPLATE_ANCESTORS_NEAR };
        TK_AUTOFREE uint16_t *level = NULL;
        uint16_t found[MAX + 1];
        uint32_t n = 0, level_n = step->parents_n, most = level_n > MAX ? MAX : level_n > NEAR ? level_n : NEAR;
        level = tk_calloc(level_n + 1, sizeof *level);
        for (uint32_t k = 0; k < level_n; k++)
                level[k] = step->parents[k];
        while (level_n && n <= most) {
                qsort(level, level_n, sizeof *level, by_number);
                uint32_t begin = n, next_n = 0;
                for (uint32_t k = 0; k < level_n && n <= most; k++)
                        if (marks[level[k]] != mark) {
                                marks[level[k]] = mark;
                                found[n++] = level[k];
                        }
                for (uint32_t k = begin; k < n; k++)
                        next_n += tpl->steps[found[k]].parents_n;
                level = tk_realloc(level, next_n + 1, sizeof *level);
                level_n = 0;
                for (uint32_t k = begin; k < n; k++)
                        for (uint32_t p = 0; p < tpl->steps[found[k]].parents_n; p++)
                                level[level_n++] = tpl->steps[found[k]].parents[p];
        }
        step->ancestors_all = n;
        step->ancestors = TK_ARENA_ARRAY(tpl->arena, uint16_t, most);
        for (uint32_t k = 0; k < n && k < most; k++)
                if (travels(step, &tpl->steps[found[k]]))
                        step->ancestors[step->ancestors_n++] = found[k];
}

/* Decisions and analyzers bring steps into being later, and all that needs one of those. A convergence of steps that are all
 * there from the start is a step like others; one of nothing at all is not there. */
static bool exists_at_start(const struct tk_template *tpl, const struct tk_template_step *step)
{
        if (step->type == TK_STEP_BATCH_WORKER || (step->type == TK_STEP_DEFERRED_CONVERGENCE && !step->parents_n))
                return false;
        for (uint32_t k = 0; k < step->parents_n; k++) {
                const struct tk_template_step *parent = &tpl->steps[step->parents[k]];
                if (!parent->at_start || parent->type == TK_STEP_DECISION)
                        return false;
        }
        return true;
}

int tk_template_graph(struct tk_template_source *src, struct tk_template *tpl, struct tk_err *err)
{
        TK_AUTOFREE uint32_t *marks = tk_calloc(tpl->steps_n, sizeof *marks);
        tpl->order = TK_ARENA_ARRAY(tpl->arena, uint16_t, tpl->steps_n);
        int r = sort(src, tpl, tpl->order, err);
        for (uint32_t i = 0; i < tpl->steps_n && !r; i++) {
                struct tk_template_step *step = &tpl->steps[tpl->order[i]];
                step->at_start = exists_at_start(tpl, step);
                tpl->at_start_n += step->at_start;
                ancestors_of(tpl, step, i + 1, marks);
        }
        return r;
}
