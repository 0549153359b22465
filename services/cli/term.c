/* SPDX-License-Identifier: MIT */
/* cli/term.c: see term.h. */
#include "cli/term.h"

#include "base/mem.h"
#include "base/str.h"
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void cli_term_look(struct cli_term *ret)
{
        const char *kind = getenv("TERM"), *no_colour = getenv("NO_COLOR");
        struct winsize size;

        (void)setlocale(LC_CTYPE, "");
        *ret = (struct cli_term){.ascii = !tk_streq(nl_langinfo(CODESET), "UTF-8")};
        if (!isatty(STDOUT_FILENO)) {
                ret->ascii = false; /* files and pipes get UTF-8 */
                return;
        }
        ret->live = kind && *kind && !tk_streq(kind, "dumb");
        ret->colour = ret->live && !(no_colour && *no_colour);
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
                ret->width = size.ws_col;
                ret->height = size.ws_row;
        }
}

void cli_live_erase(struct cli_live *live)
{
        if (live->term->live && live->lines)
                printf("\x1b[%uF\x1b[J", live->lines);
        live->lines = 0;
}

void cli_live_show(struct cli_live *live, const char *text)
{
        if (tk_streq(live->last, text))
                return;
        cli_live_erase(live);
        fputs(text, stdout);
        fflush(stdout);
        for (const char *at = text; (at = strchr(at, '\n')); at++)
                live->lines++;
        tk_free(live->last);
        live->last = tk_strdup(text);
}

void cli_live_deinit(struct cli_live *live)
{
        live->last = tk_free(live->last);
}

void cli_screen_begin(void)
{
        fputs("\x1b[?1049h\x1b[?25l", stdout);
}

void cli_screen_show(const struct cli_term *term, const char *text)
{
        unsigned lines = 0;
        fputs("\x1b[H", stdout);
        for (const char *end; *text && (!term->height || ++lines < term->height); text = end + (*end == '\n')) {
                end = strchrnul(text, '\n');
                printf("%.*s\x1b[K\n", (int)(end - text), text);
        }
        fputs("\x1b[J", stdout);
        fflush(stdout);
}

void cli_screen_end(void)
{
        fputs("\x1b[?25h\x1b[?1049l", stdout);
        fflush(stdout);
}
