/* SPDX-License-Identifier: MIT */
/* model/growth.c: see the header. What follows from the steps an outcome asked for, in rounds until nothing more does:
 *   1. A dynamic step comes with the first of its dependencies that comes (its decisions, if it has any, must have spoken).
 *   2. A deferred convergence whose last possible parent has turned out not to come is made of those that are there.
 * Then the edges: from all declared dependencies that exist, holds from open sources, and from the source to what would wait for nothing.
 * Every round is linear in steps and edges, but for the holds: those are linear per open source. */
#include "model/growth.h"
#include "base/mem.h"
#include "base/str.h"
#include "json/json.h"
#include "model/growth_internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char decision_key[] = "decision_point_outcome", batch_key[] = "batch_processing_outcome";

bool tk_growth_suspected(const char *json, size_t len)
{
        return memmem(json, len, decision_key, sizeof decision_key - 1) || memmem(json, len, batch_key, sizeof batch_key - 1);
}

static const struct tk_template_step *step_of(const struct tk_growing *g, uint32_t no)
{
        return &g->tpl->steps[no];
}

static bool is_source(const struct tk_template_step *step)
{
        return step->type == TK_STEP_DECISION || step->type == TK_STEP_BATCHABLE;
}

static void pack_children(struct tk_growing *g)
{
        uint32_t n = g->tpl->steps_n, edges = 0;
        g->first = TK_ARENA_ARRAY(g->arena, uint32_t, n + 2);
        for (uint32_t i = 0; i < n; i++)
                for (uint32_t k = 0; k < step_of(g, i)->parents_n; k++, edges++)
                        g->first[step_of(g, i)->parents[k] + 2]++;
        for (uint32_t i = 2; i < n + 2; i++)
                g->first[i] += g->first[i - 1];
        g->child = TK_ARENA_ARRAY(g->arena, uint16_t, edges + 1);
        for (uint32_t i = 0; i < n; i++)
                for (uint32_t k = 0; k < step_of(g, i)->parents_n; k++)
                        g->child[g->first[step_of(g, i)->parents[k] + 1]++] = (uint16_t)i;
}

/* What a walk does at a child of a reached step; true: walk on through it. */
typedef bool visit_fn(const struct tk_growing *g, uint32_t child, void *user);

/* Walks down from `from`; each step is asked once. From a batchable step only its workers come into being. */
static void walk(const struct tk_growing *g, uint32_t from, bool *marks, visit_fn *visit, void *user)
{
        TK_AUTOFREE uint16_t *todo = tk_calloc(g->tpl->steps_n + 1, sizeof *todo);
        bool only_workers = step_of(g, from)->type == TK_STEP_BATCHABLE;
        uint32_t n = 0;
        todo[n++] = (uint16_t)from;
        while (n) {
                uint32_t at = todo[--n];
                for (uint32_t k = g->first[at]; k < g->first[at + 1]; k++) {
                        uint32_t child = g->child[k];
                        if (marks[child] || (only_workers && at == from && step_of(g, child)->type != TK_STEP_BATCH_WORKER))
                                continue;
                        marks[child] = true;
                        if (visit(g, child, user))
                                todo[n++] = (uint16_t)child;
                }
        }
}

static bool in_segment(const struct tk_growing *g, uint32_t child, void *user)
{
        (void)user;
        return step_of(g, child)->type != TK_STEP_DECISION;
}

void tk_growing_segment(const struct tk_growing *g, bool *marks)
{
        walk(g, g->source, marks, in_segment, NULL);
}

/* ---- what comes ---- */

/* Whether the decisions it depends on, if any, have all spoken; a nested one that cannot come any more need not. */
static bool decided(const struct tk_growing *g, const struct tk_template_step *step)
{
        for (uint32_t k = 0; k < step->parents_n; k++) {
                uint32_t parent = step->parents[k];
                if (step_of(g, parent)->type == TK_STEP_DECISION && parent != g->source && g->status[parent] != TK_GROWTH_OVER)
                        return false;
        }
        return true;
}

/* A decision that depends on decisions alone cannot be named: it follows when one of them opens branches. */
static bool follows_decisions(const struct tk_growing *g, const struct tk_template_step *step)
{
        bool follows = false;
        for (uint32_t k = 0; k < step->parents_n; k++) {
                if (step_of(g, step->parents[k])->type != TK_STEP_DECISION)
                        return false;
                follows |= step->parents[k] == g->source;
        }
        return follows && g->branches && step->type == TK_STEP_DECISION;
}

static bool comes(const struct tk_growing *g, uint32_t no)
{
        const struct tk_template_step *step = step_of(g, no);
        if (step->type == TK_STEP_BATCH_WORKER || step->at_start)
                return false;
        bool with_parent = false;
        for (uint32_t k = 0; k < step->parents_n && !with_parent; k++) { /* made now, or before a decision spoke that it waited for */
                const struct tk_template_step *parent = step_of(g, step->parents[k]);
                with_parent = tk_growing_exists(g, step->parents[k]) && !parent->at_start && parent->type != TK_STEP_DECISION;
        }
        if (!with_parent)
                return follows_decisions(g, step);
        return step->type == TK_STEP_DEFERRED_CONVERGENCE || decided(g, step);
}

/* Round of rule 1. */
static void follow(struct tk_growing *g)
{
        for (uint32_t i = 0; i < g->tpl->steps_n; i++) {
                uint32_t no = g->tpl->order[i];
                if (!tk_growing_exists(g, no) && comes(g, no))
                        g->created[no] = true;
        }
}

static bool mark_possible(const struct tk_growing *g, uint32_t child, void *user)
{
        bool *possible = user;
        if (tk_growing_exists(g, child))
                return !is_source(step_of(g, child)); /* another source speaks for itself, or has spoken */
        possible[child] = true;
        return true;
}

static bool is_open_source(const struct tk_growing *g, uint32_t no)
{
        return no != g->source && is_source(step_of(g, no)) && (g->created[no] || g->status[no] == TK_GROWTH_OPEN);
}

static void find_possible(struct tk_growing *g)
{
        TK_AUTOFREE bool *marks = tk_calloc(g->tpl->steps_n, sizeof *marks);
        memset(g->possible, 0, g->tpl->steps_n * sizeof *g->possible);
        for (uint32_t no = 0; no < g->tpl->steps_n; no++)
                if (is_open_source(g, no)) {
                        memset(marks, 0, g->tpl->steps_n * sizeof *marks);
                        walk(g, no, marks, mark_possible, g->possible);
                }
}

/* Whether the step is to be made of the parents that are there, because no other one will come. */
static bool comes_late(const struct tk_growing *g, uint32_t no)
{
        const struct tk_template_step *step = step_of(g, no);
        bool convergence = step->type == TK_STEP_DEFERRED_CONVERGENCE, there = false, dynamic = false, unspoken = false;
        if (step->type == TK_STEP_BATCH_WORKER || step->at_start)
                return false;
        for (uint32_t k = 0; k < step->parents_n; k++) {
                uint32_t parent = step->parents[k];
                const struct tk_template_step *p = step_of(g, parent);
                bool exists = tk_growing_exists(g, parent);
                if (!exists && g->possible[parent])
                        return false;
                if (p->type == TK_STEP_DECISION) {
                        unspoken |= exists && parent != g->source && g->status[parent] != TK_GROWTH_OVER;
                        continue;
                }
                there |= exists && (convergence || !p->at_start);
                dynamic |= !p->at_start;
        }
        return there && dynamic && (convergence || !unspoken);
}

/* Round of rule 2; true: something came. */
static bool conclude(struct tk_growing *g)
{
        bool any = false;
        for (uint32_t i = 0; i < g->tpl->steps_n; i++) {
                uint32_t no = g->tpl->order[i];
                if (tk_growing_exists(g, no) || !comes_late(g, no))
                        continue;
                g->created[no] = any = true;
                if (is_source(step_of(g, no)))
                        return true; /* what is possible has changed */
        }
        return any;
}

/* ---- edges ---- */

struct edges {
        struct tk_grown_edge *list;
        uint32_t n, cap;
};

static void add_edge(struct edges *edges, uint32_t from, uint32_t to)
{
        if (edges->n == edges->cap) {
                edges->cap = edges->cap ? 2 * edges->cap : 64;
                edges->list = tk_realloc(edges->list, edges->cap, sizeof *edges->list);
        }
        edges->list[edges->n++] = (struct tk_grown_edge){(uint16_t)from, (uint16_t)to};
}

/* A batch worker follows the analyzer that made it, not another one that could have. */
static bool is_dependency(const struct tk_growing *g, uint32_t parent, uint32_t no)
{
        return tk_growing_exists(g, parent) && (step_of(g, no)->type != TK_STEP_BATCH_WORKER ||
                                                step_of(g, parent)->type != TK_STEP_BATCHABLE || parent == g->source);
}

static void declared_edges(const struct tk_growing *g, struct edges *edges)
{
        for (uint32_t no = 0; no < g->tpl->steps_n; no++) {
                const struct tk_template_step *step = step_of(g, no);
                if (!tk_growing_exists(g, no))
                        continue;
                for (uint32_t k = 0; k < step->parents_n; k++)
                        if ((g->created[no] || g->created[step->parents[k]]) && is_dependency(g, step->parents[k], no))
                                add_edge(edges, step->parents[k], no);
        }
}

struct hold {
        struct edges *edges;
        uint32_t source;
};

/* A step that is missing holds its children; a child that exists is found once per missing parent, which SQL forgives. */
static bool hold_children(const struct tk_growing *g, uint32_t child, void *user)
{
        struct hold *hold = user;
        if (tk_growing_exists(g, child))
                return !is_source(step_of(g, child));
        for (uint32_t k = g->first[child]; k < g->first[child + 1]; k++)
                if (tk_growing_exists(g, g->child[k]) && g->status[g->child[k]] != TK_GROWTH_OVER)
                        add_edge(hold->edges, hold->source, g->child[k]);
        return true;
}

static void hold_edges(const struct tk_growing *g, struct edges *edges)
{
        TK_AUTOFREE bool *marks = tk_calloc(g->tpl->steps_n, sizeof *marks);
        for (uint32_t no = 0; no < g->tpl->steps_n; no++)
                if (is_open_source(g, no)) {
                        memset(marks, 0, g->tpl->steps_n * sizeof *marks);
                        walk(g, no, marks, hold_children, &(struct hold){edges, no});
                }
}

/* A new step whose dependencies are all over, or that has none which exists, waits for the step that brings it: that one is settled next,
 * and whoever counts it down dispatches the new step. Without, nobody would. */
static void source_edges(const struct tk_growing *g, struct edges *edges)
{
        TK_AUTOFREE bool *waits = tk_calloc(g->tpl->steps_n, sizeof *waits);
        for (uint32_t i = 0; i < edges->n; i++)
                waits[edges->list[i].to] |= edges->list[i].from == g->source || g->status[edges->list[i].from] != TK_GROWTH_OVER;
        for (uint32_t no = 0; no < g->tpl->steps_n; no++)
                if (g->created[no] && !waits[no])
                        add_edge(edges, g->source, no);
}

static int by_ends(const void *a, const void *b)
{
        const struct tk_grown_edge *x = a, *y = b;
        return x->to != y->to ? x->to - y->to : x->from - y->from;
}

static void make_edges(struct tk_growing *g, struct tk_growth *ret)
{
        struct edges edges = {0};
        declared_edges(g, &edges);
        hold_edges(g, &edges);
        source_edges(g, &edges);
        if (edges.n)
                qsort(edges.list, edges.n, sizeof *edges.list, by_ends);
        ret->edges = TK_ARENA_ARRAY(g->arena, struct tk_grown_edge, edges.n + 1);
        for (uint32_t i = 0; i < edges.n; i++)
                if (!i || by_ends(&edges.list[i], &edges.list[i - 1]))
                        ret->edges[ret->edges_n++] = edges.list[i];
        tk_free(edges.list);
}

/* ---- the whole ---- */

static void make_steps(struct tk_growing *g, struct tk_growth *ret)
{
        uint32_t n = g->instances_n;
        for (uint32_t no = 0; no < g->tpl->steps_n; no++)
                n += g->created[no];
        ret->steps = TK_ARENA_ARRAY(g->arena, struct tk_grown_step, n + 1);
        for (uint32_t no = 0; no < g->tpl->steps_n; no++) {
                if (!g->created[no])
                        continue;
                if (g->instances_n && no == g->worker) {
                        memcpy(&ret->steps[ret->steps_n], g->instances, g->instances_n * sizeof *ret->steps);
                        ret->steps_n += g->instances_n;
                } else
                        ret->steps[ret->steps_n++] = (struct tk_grown_step){.no = (uint16_t)no, .name = step_of(g, no)->name};
        }
}

int tk_growth_plan(const struct tk_template *tpl, uint16_t source, const uint8_t *status, const json_t *document,
                   const struct tk_growth_limits *limits, struct tk_arena *arena, struct tk_growth *ret, struct tk_err *err)
{
        struct tk_growing g = {.tpl = tpl, .limits = limits, .arena = arena, .source = source, .status = status};
        const json_t *result = json_object_get(document, "result"), *outcome;
        enum tk_step_type type = tpl->steps[source].type;
        *ret = (struct tk_growth){0};
        if (type != TK_STEP_DECISION && type != TK_STEP_BATCHABLE)
                return 0;
        outcome = json_object_get(result, type == TK_STEP_DECISION ? decision_key : batch_key);
        g.created = TK_ARENA_ARRAY(arena, bool, tpl->steps_n);
        g.named = TK_ARENA_ARRAY(arena, bool, tpl->steps_n);
        g.possible = TK_ARENA_ARRAY(arena, bool, tpl->steps_n);
        pack_children(&g);
        int r = type == TK_STEP_DECISION ? tk_growing_decide(&g, outcome, err) : tk_growing_batch(&g, outcome, err);
        if (r)
                return r;
        do {
                follow(&g);
                find_possible(&g);
        } while (conclude(&g));
        make_steps(&g, ret);
        make_edges(&g, ret);
        ret->names_n = g.names_n;
        ret->depth = g.depth;
        return 0;
}
