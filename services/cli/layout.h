/* SPDX-License-Identifier: MIT */
/* cli/layout.h: places the steps of a graph in layers and columns. Pure.
 *
 * After Sugiyama: a step's layer is its longest path from a root; where a line must pass a layer, a narrow
 * node of its own keeps a column free (one per source, so that all lines of a step share it); the order in a
 * layer is swept by barycentres and the least crossed one kept; columns are the least-squares fit to the
 * neighbours that keeps that order. */
#pragma once
#include "base/arena.h"
#include "base/attr.h"
#include <stdbool.h>

struct cli_layout_step {
        unsigned width;          /* columns of its label */
        const unsigned *parents; /* step numbers */
        unsigned parents_n;
};
struct cli_layout_node {
        bool is_step;            /* nodes 0 … steps-1 are the steps; the others are lines passing by */
        unsigned layer, at;      /* at: place in the layer */
        unsigned width;
        unsigned x;              /* the column of its centre */
        unsigned *up, *down;     /* neighbours in the layers above and below, from left to right */
        unsigned up_n, down_n;
};
struct cli_layout {
        struct cli_layout_node *nodes;
        unsigned nodes_n;
        struct cli_layout_layer {
                unsigned *nodes, n;
        } *layers;
        unsigned layers_n;
        unsigned width;          /* columns in all */
};
enum { CLI_LAYOUT_OK, CLI_LAYOUT_E_CYCLE, CLI_LAYOUT_E_LARGE };
enum { CLI_LAYOUT_STEPS_MAX = 400, CLI_LAYOUT_NODES_MAX = 2000 };
TK_MUST int cli_layout(const struct cli_layout_step *steps, unsigned n, struct tk_arena *arena,
                       struct cli_layout *ret);
/* Columns left and right of the centre. */
static inline unsigned cli_layout_left(unsigned width) { return width / 2; }
static inline unsigned cli_layout_right(unsigned width) { return width - 1 - width / 2; }
