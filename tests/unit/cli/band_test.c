/* SPDX-License-Identifier: MIT */
/* Every drawn line is followed with a finger: from each step downwards one must arrive at exactly the layers'
 * children, on any graph. */
#include "base/mem.h"
#include "cli/band.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { GRAPHS = 1500, STEPS_MAX = 14, REACHED_MAX = 512 };

static unsigned random_below(uint64_t *seed, unsigned n)
{
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        return (unsigned)(*seed >> 33) % n;
}

struct trace {
        const struct cli_band *band;
        bool *seen; /* [rows][width][4 lines] */
        unsigned below[REACHED_MAX], below_n, above[REACHED_MAX], above_n;
};

/* Enters a cell moving along `line` and goes on wherever a reader's eye would. */
static void follow(struct trace *trace, int row, int column, unsigned line)
{
        static const struct {
                unsigned line, back;
                int row, column;
        } ways[] = {{CLI_BAND_UP, CLI_BAND_DOWN, -1, 0}, {CLI_BAND_DOWN, CLI_BAND_UP, 1, 0},
                    {CLI_BAND_LEFT, CLI_BAND_RIGHT, 0, -1}, {CLI_BAND_RIGHT, CLI_BAND_LEFT, 0, 1}};

        if (row < 0 || row == (int)trace->band->rows) {
                unsigned *list = row < 0 ? trace->above : trace->below,
                         *n = row < 0 ? &trace->above_n : &trace->below_n;
                assert_true(*n < REACHED_MAX);
                list[(*n)++] = (unsigned)column;
                return;
        }
        const struct cli_band_cell *cell =
                &trace->band->cells[(size_t)row * trace->band->width + (unsigned)column];
        for (unsigned way = 0; way < 4; way++) {
                bool back = ways[way].back == line, straight = ways[way].line == line;
                bool *seen = &trace->seen[((size_t)row * trace->band->width + (unsigned)column) * 4 + way];
                if (back || !(cell->lines & ways[way].line) || (!cell->joint && !straight) || *seen)
                        continue;
                *seen = true;
                follow(trace, row + ways[way].row, column + ways[way].column, ways[way].line);
        }
}

static unsigned node_at(const struct cli_layout *layout, unsigned layer, unsigned column)
{
        const struct cli_layout_layer *row = &layout->layers[layer];

        for (unsigned at = 0; at < row->n; at++) {
                const struct cli_layout_node *node = &layout->nodes[row->nodes[at]];
                if (column + cli_layout_left(node->width) >= node->x &&
                    column <= node->x + cli_layout_right(node->width))
                        return row->nodes[at];
        }
        fail_msg("a line ends at column %u of layer %u, where nothing is", column, layer);
        return 0;
}

static bool contains(const unsigned *list, unsigned n, unsigned item)
{
        for (unsigned at = 0; at < n; at++)
                if (list[at] == item)
                        return true;
        return false;
}

static void check_node(const struct cli_layout *layout, unsigned number, const struct cli_band *band)
{
        const struct cli_layout_node *node = &layout->nodes[number];
        TK_AUTOFREE bool *seen = tk_calloc((size_t)band->rows * band->width * 4, sizeof *seen);
        struct trace trace = {.band = band, .seen = seen};
        unsigned reached[REACHED_MAX];

        if (!node->down_n)
                return;
        follow(&trace, 0, (int)node->x, CLI_BAND_DOWN);
        for (unsigned at = 0; at < trace.below_n; at++) {
                reached[at] = node_at(layout, node->layer + 1, trace.below[at]);
                if (!contains(node->down, node->down_n, reached[at]))
                        fail_msg("a line leads from node %u to %u, which is no child of it", number,
                                 reached[at]);
        }
        for (unsigned at = 0; at < node->down_n; at++)
                if (!contains(reached, trace.below_n, node->down[at]))
                        fail_msg("no line leads from node %u to its child %u", number, node->down[at]);
        for (unsigned at = 0; at < trace.above_n; at++) {
                const struct cli_layout_node *mate =
                        &layout->nodes[node_at(layout, node->layer, trace.above[at])];
                assert_int_equal(mate->down_n, node->down_n);
                assert_memory_equal(mate->down, node->down, node->down_n * sizeof *node->down);
        }
}

/* Inside the picture, in order, and not touching. */
static void check_places(const struct cli_layout *layout)
{
        for (unsigned layer = 0; layer < layout->layers_n; layer++) {
                unsigned free_from = 0;
                for (unsigned at = 0; at < layout->layers[layer].n; at++) {
                        const struct cli_layout_node *node = &layout->nodes[layout->layers[layer].nodes[at]];
                        assert_in_range(node->x - cli_layout_left(node->width), free_from, layout->width);
                        free_from = node->x + cli_layout_right(node->width) + 2;
                        assert_in_range(free_from, 0, layout->width + 1);
                }
        }
}

static void lines_lead_where_they_should(void **state)
{
        uint64_t seed = 1;

        (void)state;
        for (unsigned graph = 0; graph < GRAPHS; graph++) {
                TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(1 << 20, 1 << 26);
                unsigned n = 2 + random_below(&seed, STEPS_MAX - 1), parents[STEPS_MAX][STEPS_MAX],
                         likely = 2 + random_below(&seed, 5);
                struct cli_layout_step steps[STEPS_MAX] = {0};
                struct cli_layout layout;
                for (unsigned step = 0; step < n; step++) {
                        steps[step].width = 6 + random_below(&seed, 14);
                        steps[step].parents = parents[step];
                        for (unsigned parent = 0; parent < step; parent++)
                                if (random_below(&seed, likely) == 0)
                                        parents[step][steps[step].parents_n++] = parent;
                }
                assert_int_equal(cli_layout(steps, n, arena, &layout), CLI_LAYOUT_OK);
                check_places(&layout);
                for (unsigned layer = 0; layer + 1 < layout.layers_n; layer++) {
                        struct cli_band band;
                        cli_band(&layout, layer, arena, &band);
                        for (unsigned at = 0; at < layout.layers[layer].n; at++)
                                check_node(&layout, layout.layers[layer].nodes[at], &band);
                }
        }
}

static void cycles_and_giants_are_refused(void **state)
{
        static const unsigned one = 1, zero = 0;
        const struct cli_layout_step cycle[] = {{5, &one, 1}, {5, &zero, 1}};
        static struct cli_layout_step giant[CLI_LAYOUT_STEPS_MAX + 1];
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(1 << 20, 1 << 26);
        struct cli_layout layout;

        (void)state;
        assert_int_equal(cli_layout(cycle, 2, arena, &layout), CLI_LAYOUT_E_CYCLE);
        assert_int_equal(cli_layout(giant, CLI_LAYOUT_STEPS_MAX + 1, arena, &layout), CLI_LAYOUT_E_LARGE);
        assert_int_equal(cli_layout(giant, 0, arena, &layout), CLI_LAYOUT_E_LARGE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines_lead_where_they_should),
                cmocka_unit_test(cycles_and_giants_are_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
