/* SPDX-License-Identifier: MIT */
/* cli/layout.c: layers, passing lines, order. See layout.h; columns are in columns.c. */
#include "cli/layout.h"

#include "cli/columns.h"
#include <stdlib.h>
#include <string.h>

enum { SWEEPS = 12, LINE_WIDTH = 3 };

struct edges {
        struct edge {
                unsigned from, to;
        } *items;
        unsigned n, max;
};
struct build {
        const struct cli_layout_step *steps;
        unsigned n;
        struct tk_arena *arena;
        struct cli_layout *layout;
        struct edges edges;
};

/* Longest paths by repeated relaxation in topological order; what is left over lies on a cycle. */
static int assign_layers(struct build *b)
{
        bool *placed = TK_ARENA_ARRAY(b->arena, bool, b->n);
        unsigned done = 0;

        for (bool moved = true; moved;) {
                moved = false;
                for (unsigned at = 0; at < b->n; at++) {
                        const struct cli_layout_step *step = &b->steps[at];
                        unsigned layer = 0, ready = 0;
                        for (unsigned p = 0; p < step->parents_n; p++) {
                                unsigned parent = step->parents[p];
                                ready += placed[parent];
                                if (placed[parent] && b->layout->nodes[parent].layer >= layer)
                                        layer = b->layout->nodes[parent].layer + 1;
                        }
                        if (placed[at] || ready < step->parents_n)
                                continue;
                        b->layout->nodes[at].layer = layer;
                        placed[at] = moved = true;
                        done++;
                        if (layer >= b->layout->layers_n)
                                b->layout->layers_n = layer + 1;
                }
        }
        return done == b->n ? CLI_LAYOUT_OK : CLI_LAYOUT_E_CYCLE;
}

static bool add_edge(struct build *b, unsigned from, unsigned to)
{
        if (b->edges.n == b->edges.max)
                return false;
        b->edges.items[b->edges.n++] = (struct edge){from, to};
        return true;
}

static bool is_child(const struct cli_layout_step *step, unsigned of)
{
        for (unsigned p = 0; p < step->parents_n; p++)
                if (step->parents[p] == of)
                        return true;
        return false;
}

/* The lines of one step, layer by layer, down to its lowest child. */
static int connect_step(struct build *b, unsigned source)
{
        struct cli_layout *layout = b->layout;
        unsigned lowest = 0, from = source;

        for (unsigned at = 0; at < b->n; at++)
                if (layout->nodes[at].layer > lowest && is_child(&b->steps[at], source))
                        lowest = layout->nodes[at].layer;
        for (unsigned layer = layout->nodes[source].layer + 1; layer <= lowest; layer++) {
                for (unsigned at = 0; at < b->n; at++)
                        if (layout->nodes[at].layer == layer && is_child(&b->steps[at], source) &&
                            !add_edge(b, from, at))
                                return CLI_LAYOUT_E_LARGE;
                if (layer == lowest)
                        break;
                if (layout->nodes_n == CLI_LAYOUT_NODES_MAX || !add_edge(b, from, layout->nodes_n))
                        return CLI_LAYOUT_E_LARGE;
                from = layout->nodes_n++;
                layout->nodes[from] = (struct cli_layout_node){.layer = layer, .width = LINE_WIDTH};
        }
        return CLI_LAYOUT_OK;
}

/* Neighbour lists out of the edges. */
static void link_nodes(struct build *b)
{
        struct cli_layout_node *nodes = b->layout->nodes;

        for (unsigned at = 0; at < b->edges.n; at++) {
                nodes[b->edges.items[at].from].down_n++;
                nodes[b->edges.items[at].to].up_n++;
        }
        for (unsigned at = 0; at < b->layout->nodes_n; at++) {
                nodes[at].down = TK_ARENA_ARRAY(b->arena, unsigned, nodes[at].down_n + 1);
                nodes[at].up = TK_ARENA_ARRAY(b->arena, unsigned, nodes[at].up_n + 1);
                nodes[at].down_n = nodes[at].up_n = 0;
        }
        for (unsigned at = 0; at < b->edges.n; at++) {
                struct cli_layout_node *from = &nodes[b->edges.items[at].from],
                                       *to = &nodes[b->edges.items[at].to];
                from->down[from->down_n++] = b->edges.items[at].to;
                to->up[to->up_n++] = b->edges.items[at].from;
        }
}

/* Each line that arrives needs a column of its own above the label. */
static void widen(struct cli_layout *layout)
{
        for (unsigned at = 0; at < layout->nodes_n; at++) {
                struct cli_layout_node *node = &layout->nodes[at];
                if (node->is_step && node->width < 2 * node->up_n + 1)
                        node->width = 2 * node->up_n + 1;
        }
}

static void fill_layers(struct build *b)
{
        struct cli_layout *layout = b->layout;

        layout->layers = TK_ARENA_ARRAY(b->arena, struct cli_layout_layer, layout->layers_n);
        for (unsigned at = 0; at < layout->nodes_n; at++)
                layout->layers[layout->nodes[at].layer].n++;
        for (unsigned layer = 0; layer < layout->layers_n; layer++) {
                layout->layers[layer].nodes = TK_ARENA_ARRAY(b->arena, unsigned, layout->layers[layer].n);
                layout->layers[layer].n = 0;
        }
        for (unsigned at = 0; at < layout->nodes_n; at++) {
                struct cli_layout_layer *layer = &layout->layers[layout->nodes[at].layer];
                layout->nodes[at].at = layer->n;
                layer->nodes[layer->n++] = at;
        }
}

/* The mean place of a node's neighbours; without any, its own. */
static double barycentre(const struct cli_layout *layout, unsigned node, bool up)
{
        const struct cli_layout_node *self = &layout->nodes[node];
        unsigned n = up ? self->up_n : self->down_n, sum = 0;

        for (unsigned at = 0; at < n; at++)
                sum += layout->nodes[up ? self->up[at] : self->down[at]].at;
        return n ? (double)sum / n : (double)self->at;
}

/* Insertion sort: stable, and layers are short or nearly in order. */
static void sort_layer(struct cli_layout *layout, unsigned layer, bool up, double *keys)
{
        struct cli_layout_layer *row = &layout->layers[layer];

        for (unsigned at = 0; at < row->n; at++)
                keys[at] = barycentre(layout, row->nodes[at], up);
        for (unsigned at = 1; at < row->n; at++) {
                unsigned node = row->nodes[at], to = at;
                double key = keys[at];
                for (; to > 0 && keys[to - 1] > key; to--) {
                        row->nodes[to] = row->nodes[to - 1];
                        keys[to] = keys[to - 1];
                }
                row->nodes[to] = node;
                keys[to] = key;
        }
        for (unsigned at = 0; at < row->n; at++)
                layout->nodes[row->nodes[at]].at = at;
}

static unsigned crossings(const struct build *b)
{
        const struct cli_layout_node *nodes = b->layout->nodes;
        unsigned n = 0;

        for (unsigned i = 0; i < b->edges.n; i++)
                for (unsigned j = 0; j < i; j++) {
                        const struct edge *a = &b->edges.items[i], *c = &b->edges.items[j];
                        if (nodes[a->from].layer == nodes[c->from].layer)
                                n += (nodes[a->from].at < nodes[c->from].at &&
                                      nodes[a->to].at > nodes[c->to].at) ||
                                     (nodes[a->from].at > nodes[c->from].at &&
                                      nodes[a->to].at < nodes[c->to].at);
                }
        return n;
}

static void order_layers(struct build *b)
{
        struct cli_layout *layout = b->layout;
        double *keys = TK_ARENA_ARRAY(b->arena, double, layout->nodes_n);
        unsigned *best = TK_ARENA_ARRAY(b->arena, unsigned, layout->nodes_n), fewest = crossings(b);

        for (unsigned at = 0; at < layout->nodes_n; at++)
                best[at] = layout->nodes[at].at;
        for (unsigned sweep = 0; sweep < SWEEPS && fewest; sweep++) {
                for (unsigned at = 1; at < layout->layers_n; at++)
                        if (sweep % 2)
                                sort_layer(layout, layout->layers_n - 1 - at, false, keys);
                        else
                                sort_layer(layout, at, true, keys);
                unsigned n = crossings(b);
                for (unsigned at = 0; n < fewest && at < layout->nodes_n; at++)
                        best[at] = layout->nodes[at].at;
                fewest = n < fewest ? n : fewest;
        }
        for (unsigned at = 0; at < layout->nodes_n; at++) {
                layout->nodes[at].at = best[at];
                layout->layers[layout->nodes[at].layer].nodes[best[at]] = at;
        }
}

static void sort_neighbours(const struct cli_layout *layout, unsigned *list, unsigned n)
{
        for (unsigned at = 1; at < n; at++)
                for (unsigned to = at; to > 0 && layout->nodes[list[to - 1]].at > layout->nodes[list[to]].at;
                     to--) {
                        unsigned node = list[to];
                        list[to] = list[to - 1];
                        list[to - 1] = node;
                }
}

int cli_layout(const struct cli_layout_step *steps, unsigned n, struct tk_arena *arena,
               struct cli_layout *ret)
{
        struct build b = {.steps = steps, .n = n, .arena = arena, .layout = ret};

        if (n == 0 || n > CLI_LAYOUT_STEPS_MAX)
                return CLI_LAYOUT_E_LARGE;
        *ret = (struct cli_layout){.nodes_n = n};
        ret->nodes = TK_ARENA_ARRAY(arena, struct cli_layout_node, CLI_LAYOUT_NODES_MAX);
        b.edges.max = 2 * CLI_LAYOUT_NODES_MAX;
        b.edges.items = TK_ARENA_ARRAY(arena, struct edge, b.edges.max);
        for (unsigned at = 0; at < n; at++)
                ret->nodes[at] = (struct cli_layout_node){.is_step = true, .width = steps[at].width};
        int r = assign_layers(&b);
        for (unsigned at = 0; at < n && r == CLI_LAYOUT_OK; at++)
                r = connect_step(&b, at);
        if (r)
                return r;
        link_nodes(&b);
        widen(ret);
        fill_layers(&b);
        order_layers(&b);
        for (unsigned at = 0; at < ret->nodes_n; at++) {
                sort_neighbours(ret, ret->nodes[at].up, ret->nodes[at].up_n);
                sort_neighbours(ret, ret->nodes[at].down, ret->nodes[at].down_n);
        }
        cli_columns(ret, arena);
        return CLI_LAYOUT_OK;
}
