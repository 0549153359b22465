/* SPDX-License-Identifier: MIT */
/* cli/term.h: what standard output can show. Colours and live pictures only on a terminal; NO_COLOR and
 * TERM=dumb are respected. */
#pragma once
#include "base/attr.h"
#include <stdbool.h>

struct cli_term {
        bool live;      /* a terminal that moves its cursor */
        bool colour, ascii;
        unsigned width, height; /* 0: not known (not a terminal) */
};
void cli_term_look(struct cli_term *ret);
/* Replaces what the last call printed, on a live terminal; elsewhere prints only what changed.. */
struct cli_live {
        const struct cli_term *term;
        unsigned lines; /* printed last */
        char *last;     /* owned */
};
void cli_live_show(struct cli_live *live, const char *text);
void cli_live_erase(struct cli_live *live); /* leaves nothing of it on a live terminal */
void cli_live_deinit(struct cli_live *live);

/* The whole screen of a live terminal, for as long as something wants it; what was there before comes back. Text that is
 * higher than the screen is cut. */
void cli_screen_begin(void);
void cli_screen_show(const struct cli_term *term, const char *text);
void cli_screen_end(void);
