/* SPDX-License-Identifier: MIT */
/* cli/band.c: see band.h. */
#include "cli/band.h"

#include <string.h>

enum { STRAIGHT = -1 };

struct net {
        const struct cli_layout_node *like; /* its first parent: all have the same children */
        unsigned *parents, parents_n;       /* columns of the stems above */
        unsigned *ports;                    /* columns of the stems below, one per child */
        unsigned left, right;               /* of the bus */
        double centre;                      /* mean of the parents' columns */
        int row;
};
struct plan {
        struct cli_layout *layout;
        const struct cli_layout_layer *above, *below;
        struct tk_arena *arena;
        struct net *nets;
        unsigned nets_n;
};

static bool same_children(const struct cli_layout_node *a, const struct cli_layout_node *b)
{
        return a->down_n == b->down_n && !memcmp(a->down, b->down, a->down_n * sizeof *a->down);
}

static void group_nets(struct plan *plan)
{
        plan->nets = TK_ARENA_ARRAY(plan->arena, struct net, plan->above->n);
        for (unsigned at = 0; at < plan->above->n; at++) {
                const struct cli_layout_node *node = &plan->layout->nodes[plan->above->nodes[at]];
                struct net *net = plan->nets;
                if (!node->down_n)
                        continue;
                while (net < plan->nets + plan->nets_n && !same_children(net->like, node))
                        net++;
                if (net == plan->nets + plan->nets_n) {
                        plan->nets_n++;
                        net->like = node;
                        net->parents = TK_ARENA_ARRAY(plan->arena, unsigned, plan->above->n);
                        net->ports = TK_ARENA_ARRAY(plan->arena, unsigned, node->down_n);
                }
                net->parents[net->parents_n++] = node->x;
        }
        for (struct net *net = plan->nets; net < plan->nets + plan->nets_n; net++) {
                for (unsigned at = 0; at < net->parents_n; at++)
                        net->centre += net->parents[at];
                net->centre /= net->parents_n;
        }
}

/* Would a stem of `net` at this column run into a stem of another net? */
static bool column_taken(const struct plan *plan, const struct net *net, unsigned column)
{
        for (const struct net *other = plan->nets; other < plan->nets + plan->nets_n; other++)
                for (unsigned at = 0; other != net && at < other->parents_n; at++)
                        if (other->parents[at] == column)
                                return true;
        return false;
}

static bool used_before(unsigned *const *ports, unsigned n, unsigned column)
{
        for (unsigned at = 0; at < n; at++)
                if (*ports[at] == column)
                        return true;
        return false;
}

/* The free column nearest to `want` above the label of the node; `want` itself when all are taken. */
static unsigned free_column(const struct plan *plan, const struct net *net,
                            const struct cli_layout_node *node, int want, unsigned *const *before,
                            unsigned before_n)
{
        int first = (int)(node->x - cli_layout_left(node->width)),
            last = (int)(node->x + cli_layout_right(node->width));

        want = want < first ? first : want > last ? last : want;
        for (int away = 0; away <= last - first; away++)
                for (int side = 1; side >= -1; side -= 2) {
                        int column = want + side * away;
                        if (column >= first && column <= last &&
                            !used_before(before, before_n, (unsigned)column) &&
                            !column_taken(plan, net, (unsigned)column))
                                return (unsigned)column;
                }
        return (unsigned)want;
}

static void sort_by_centre(struct net **nets, unsigned **ports, unsigned n)
{
        for (unsigned at = 1; at < n; at++)
                for (unsigned to = at; to > 0 && nets[to - 1]->centre > nets[to]->centre; to--) {
                        struct net *net = nets[to];
                        unsigned *port = ports[to];
                        nets[to] = nets[to - 1], ports[to] = ports[to - 1];
                        nets[to - 1] = net, ports[to - 1] = port;
                }
}

/* An only child takes the line straight from a parent that stands nearly above it. */
static int wish(const struct net *net, const struct cli_layout_node *node)
{
        int centre = (int)node->x, slack = node->is_step ? (int)node->width / 4 : 1, best = slack + 1,
            want = centre;

        for (unsigned at = 0; net->like->down_n == 1 && at < net->parents_n; at++) {
                int away = (int)net->parents[at] - centre;
                if ((away < 0 ? -away : away) < best) {
                        best = away < 0 ? -away : away;
                        want = (int)net->parents[at];
                }
        }
        return want;
}

/* Each net that feeds this node gets a column of its own above the label, in the order of where they come
 * from. */
static void assign_ports(struct plan *plan, unsigned number)
{
        struct cli_layout_node *node = &plan->layout->nodes[number];
        struct net **nets = TK_ARENA_ARRAY(plan->arena, struct net *, plan->nets_n);
        unsigned **ports = TK_ARENA_ARRAY(plan->arena, unsigned *, plan->nets_n), n = 0;

        for (struct net *net = plan->nets; net < plan->nets + plan->nets_n; net++)
                for (unsigned child = 0; child < net->like->down_n; child++)
                        if (net->like->down[child] == number)
                                nets[n] = net, ports[n++] = &net->ports[child];
        sort_by_centre(nets, ports, n);
        int step = n > 1 && 2 * n - 1 <= node->width ? 2 : 1;
        for (unsigned at = 0; at < n; at++) {
                int want = n == 1 ? wish(nets[0], node)
                                  : (int)node->x + step * (int)at - step * (int)(n - 1) / 2;
                *ports[at] = free_column(plan, nets[at], node, want, ports, at);
        }
        if (!node->is_step && n)
                node->x = *ports[0]; /* a passing line goes on where it came in */
}

static void measure(struct net *net)
{
        net->left = net->right = net->parents[0];
        for (unsigned at = 0; at < net->parents_n + net->like->down_n; at++) {
                unsigned column = at < net->parents_n ? net->parents[at] : net->ports[at - net->parents_n];
                net->left = column < net->left ? column : net->left;
                net->right = column > net->right ? column : net->right;
        }
}

static bool row_is_free(const struct plan *plan, const struct net *net, int row)
{
        for (const struct net *other = plan->nets; other < net; other++)
                if (other->row == row && net->left <= other->right + 1 && other->left <= net->right + 1)
                        return false;
        return true;
}

/* The first row a bus fits in; a straight line needs none. Returns how many rows there are. */
static unsigned assign_rows(struct plan *plan)
{
        int rows = 1;

        for (struct net *net = plan->nets; net < plan->nets + plan->nets_n; net++) {
                measure(net);
                net->row = STRAIGHT;
                if (net->left == net->right)
                        continue;
                for (net->row = 0; !row_is_free(plan, net, net->row); net->row++)
                        ;
                rows = net->row >= rows ? net->row + 1 : rows;
        }
        return (unsigned)rows;
}

static struct cli_band_cell *cell(struct cli_band *band, unsigned row, unsigned column)
{
        return &band->cells[(size_t)row * band->width + column];
}

static void draw_stem(struct cli_band *band, unsigned column, int from, int to)
{
        for (int row = from; row < to; row++)
                cell(band, (unsigned)row, column)->lines |= CLI_BAND_UP | CLI_BAND_DOWN;
}

static void draw_joint(struct cli_band *band, unsigned row, unsigned column, unsigned char line)
{
        struct cli_band_cell *at = cell(band, row, column);

        at->lines |= line;
        at->joint = true;
}

static void draw_net(struct cli_band *band, const struct net *net)
{
        if (net->row == STRAIGHT) {
                draw_stem(band, net->left, 0, (int)band->rows);
                return;
        }
        for (unsigned column = net->left; column < net->right; column++) {
                cell(band, (unsigned)net->row, column)->lines |= CLI_BAND_RIGHT;
                cell(band, (unsigned)net->row, column + 1)->lines |= CLI_BAND_LEFT;
        }
        for (unsigned at = 0; at < net->parents_n; at++) {
                draw_stem(band, net->parents[at], 0, net->row);
                draw_joint(band, (unsigned)net->row, net->parents[at], CLI_BAND_UP);
        }
        for (unsigned at = 0; at < net->like->down_n; at++) {
                draw_joint(band, (unsigned)net->row, net->ports[at], CLI_BAND_DOWN);
                draw_stem(band, net->ports[at], net->row + 1, (int)band->rows);
        }
}

void cli_band(struct cli_layout *layout, unsigned layer, struct tk_arena *arena, struct cli_band *ret)
{
        struct plan plan = {.layout = layout,
                            .above = &layout->layers[layer],
                            .below = &layout->layers[layer + 1],
                            .arena = arena};

        group_nets(&plan);
        for (unsigned at = 0; at < plan.below->n; at++)
                assign_ports(&plan, plan.below->nodes[at]);
        *ret = (struct cli_band){.rows = assign_rows(&plan), .width = layout->width};
        ret->cells = TK_ARENA_ARRAY(arena, struct cli_band_cell, (size_t)ret->rows * ret->width);
        for (unsigned at = 0; at < plan.nets_n; at++)
                draw_net(ret, &plan.nets[at]);
}

const char *cli_band_glyph(const struct cli_band_cell *at, bool ascii)
{
        static const char *const box[] = {" ", "╵", "╷", "│", "╴", "┘", "┐", "┤",
                                          "╶", "└", "┌", "├", "─", "┴", "┬", "┼"};
        static const char *const plain[] = {" ", "|", "|", "|", "-", "+", "+", "+",
                                            "-", "+", "+", "+", "-", "+", "+", "+"};
        unsigned lines = at->lines;

        if (!at->joint && (lines & (CLI_BAND_UP | CLI_BAND_DOWN)))
                lines &= CLI_BAND_UP | CLI_BAND_DOWN; /* two nets cross */
        return (ascii ? plain : box)[lines];
}
