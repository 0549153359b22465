/* SPDX-License-Identifier: MIT */
/* cli/band.h: the lines between two layers of a layout, as characters. Pure.
 *
 * Steps with the same children make one net: stems down from the parents, one horizontal bus, stems down to
 * the children. Nets keep apart: each has its own stems, a bus shares a row only with buses it does not
 * touch, and where lines of two nets cross the vertical one is drawn through. */
#pragma once
#include "cli/layout.h"

struct cli_band {
        unsigned rows, width;
        struct cli_band_cell {
                unsigned char lines; /* CLI_BAND_UP | … */
                bool joint;          /* a stem meets its bus here */
        } *cells;                    /* [rows][width] */
};
enum { CLI_BAND_UP = 1, CLI_BAND_DOWN = 2, CLI_BAND_LEFT = 4, CLI_BAND_RIGHT = 8 };
/* Between `layer` and the next. May move the column of a passing line by one or two. */
void cli_band(struct cli_layout *layout, unsigned layer, struct tk_arena *arena, struct cli_band *ret);
/* " ", "│", "┬", …; ASCII when asked. Static storage. */
const char *cli_band_glyph(const struct cli_band_cell *cell, bool ascii);
