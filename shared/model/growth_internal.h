/* SPDX-License-Identifier: MIT */
/* model/growth_internal.h: the way of a plan: outcome checked and first steps created (growth_outcome.c for decisions,
 * growth_batch.c for analyzers) → what follows from them (growth.c). */
#pragma once
#include "model/growth.h"

struct tk_growing {
        const struct tk_template *tpl;
        const struct tk_growth_limits *limits;
        struct tk_arena *arena;
        uint16_t source;
        const uint8_t *status;          /* before */
        bool *created;                  /* now, per step */
        bool *named;                    /* by the outcome, per step */
        bool *possible;                 /* may come through an open source, per step */
        bool branches;                  /* the outcome is create_steps */
        uint32_t names_n, depth;        /* of such a decision */
        uint32_t *first;                /* children of i are child[first[i] .. first[i + 1]) */
        uint16_t *child;
        struct tk_grown_step *instances;
        uint32_t instances_n;
        uint16_t worker;                /* template of the instances */
};
static inline bool tk_growing_exists(const struct tk_growing *g, uint32_t no)
{
        return g->created[no] || g->status[no] != TK_GROWTH_ABSENT;
}

/* Steps reachable from the source without passing through a decision; marks has one per step. */
void tk_growing_segment(const struct tk_growing *g, bool *marks);

TK_MUST int tk_growing_decide(struct tk_growing *g, const json_t *outcome, struct tk_err *err);
TK_MUST int tk_growing_batch(struct tk_growing *g, const json_t *outcome, struct tk_err *err);
