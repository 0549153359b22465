/* SPDX-License-Identifier: MIT */
/* cli/draw.h: a task's graph as text: layers from top to bottom, each step with the symbol of its state, its
 * name, and below it how long it took and how often it was tried. Pure: model in, text out. */
#pragma once
#include "base/buf.h"

struct cli_draw_step {
        const char *name, *state;
        double ms;               /* of the last attempt; negative: not known */
        unsigned attempts;
        const unsigned *parents; /* numbers of the steps it depends on */
        unsigned parents_n;
};
struct cli_draw_style {
        unsigned width;          /* columns there are; 0: any number */
        bool colour, ascii;
};
/* A graph that does not fit the width, even with shortened names, or is no graph at all, becomes a list of
 * its steps. */
void cli_draw(const struct cli_draw_step *steps, unsigned n, const struct cli_draw_style *style,
              struct tk_buf *out);
/* "✔" for "complete" and so on, and its colour as an escape sequence. An unknown state is "?". Static
 * storage. */
const char *cli_draw_symbol(const char *state, bool ascii);
const char *cli_draw_colour(const char *state);
/* Terminal columns of UTF-8 text (one per code point). */
unsigned cli_draw_columns(const char *text);
/* "3.1 ms", "12 s"; "" when negative. */
void cli_draw_duration(double ms, char *ret_text, size_t size);
