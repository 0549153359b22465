/* SPDX-License-Identifier: MIT */
/* cli/columns.c: every node wants to stand at the median of its neighbours; in its layer it must keep its
 * place and its distance. The best compromise (least squares) is an isotonic regression, found by pooling
 * adjacent violators. Sweeping down and up a few times lets the wishes of all layers meet. */
#include "cli/columns.h"

#include <math.h>

enum { SWEEPS = 24, GAP = 3, LINE_WEIGHT = 4 };

struct pool {
        double sum, weight; /* sum: weighted wishes, each less its distance from the layer's start */
        unsigned n;
};

static unsigned distance(const struct cli_layout_node *left, const struct cli_layout_node *right)
{
        return cli_layout_right(left->width) + 1 + GAP + cli_layout_left(right->width);
}

/* Columns of one layer that are nearest to `want` (by place) and keep the distances; written to x (by node).
 */
static void fit(const struct cli_layout *layout, unsigned layer, const double *want, double *x,
                struct pool *pools)
{
        const struct cli_layout_layer *row = &layout->layers[layer];
        unsigned pools_n = 0;
        double offset = 0;

        for (unsigned at = 0; at < row->n; at++) {
                const struct cli_layout_node *node = &layout->nodes[row->nodes[at]];
                double weight = node->is_step ? 1 : LINE_WEIGHT;
                if (at)
                        offset += distance(&layout->nodes[row->nodes[at - 1]], node);
                pools[pools_n++] = (struct pool){(want[at] - offset) * weight, weight, 1};
                for (; pools_n > 1; pools_n--) {
                        struct pool *last = &pools[pools_n - 1], *before = last - 1;
                        if (before->sum / before->weight <= last->sum / last->weight)
                                break;
                        before->sum += last->sum;
                        before->weight += last->weight;
                        before->n += last->n;
                }
        }
        offset = 0;
        for (unsigned pool = 0, at = 0; pool < pools_n; pool++)
                for (unsigned i = 0; i < pools[pool].n; i++, at++) {
                        if (at)
                                offset += distance(&layout->nodes[row->nodes[at - 1]],
                                                   &layout->nodes[row->nodes[at]]);
                        x[row->nodes[at]] = pools[pool].sum / pools[pool].weight + offset;
                }
}

/* The median of the neighbours; between the two middle ones when their number is even. */
static double wish(const struct cli_layout_node *node, unsigned self, bool up, const double *x)
{
        const unsigned *from = up ? node->up : node->down;
        unsigned n = up ? node->up_n : node->down_n;

        return n ? (x[from[(n - 1) / 2]] + x[from[n / 2]]) / 2 : x[self];
}

static void to_columns(struct cli_layout *layout, const double *x)
{
        double left = INFINITY;

        for (unsigned at = 0; at < layout->nodes_n; at++)
                left = fmin(left, x[at] - cli_layout_left(layout->nodes[at].width));
        for (unsigned at = 0; at < layout->nodes_n; at++) {
                struct cli_layout_node *node = &layout->nodes[at];
                node->x = (unsigned)floor(x[at] - left + 0.5 +
                                          1e-6); /* halves go the same way in every layer */
                unsigned end = node->x + cli_layout_right(node->width) + 1;
                layout->width = end > layout->width ? end : layout->width;
        }
}

void cli_columns(struct cli_layout *layout, struct tk_arena *arena)
{
        double *x = TK_ARENA_ARRAY(arena, double, layout->nodes_n),
               *want = TK_ARENA_ARRAY(arena, double, layout->nodes_n);
        struct pool *pools = TK_ARENA_ARRAY(arena, struct pool, layout->nodes_n);

        for (unsigned layer = 0; layer < layout->layers_n; layer++)
                fit(layout, layer, want, x, pools); /* all want 0: packed around one axis */
        for (unsigned sweep = 0; sweep < SWEEPS; sweep++)
                for (unsigned at = 0; at < layout->layers_n; at++) {
                        bool up = sweep % 2 == 0;
                        unsigned layer = up ? at : layout->layers_n - 1 - at;
                        const struct cli_layout_layer *row = &layout->layers[layer];
                        for (unsigned i = 0; i < row->n; i++)
                                want[i] = wish(&layout->nodes[row->nodes[i]], row->nodes[i], up, x);
                        fit(layout, layer, want, x, pools);
                }
        to_columns(layout, x);
}
