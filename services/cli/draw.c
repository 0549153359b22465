/* SPDX-License-Identifier: MIT */
/* cli/draw.c: see draw.h. Places come from layout.c, lines from band.c; here are labels and rows. */
#include "cli/draw.h"

#include "base/str.h"
#include "cli/band.h"
#include "cli/layout.h"
#include <stdio.h>

enum {
        NAME_MAX_COLUMNS = 40,
        DETAIL_BYTES = 64,
        LABEL_BYTES = 256,
        ARENA_BLOCK = 1 << 16,
        ARENA_MAX = 256 << 20
};
#define DIM "\x1b[2m"
#define PLAIN "\x1b[0m"

static const struct look {
        const char *state, *symbol, *ascii, *colour, *word;
} looks[] = {
        {"pending", "○", ".", "\x1b[2m", "pending"},
        {"enqueued", "◔", ":", "\x1b[36m", "enqueued"},
        {"in_progress", "▶", ">", "\x1b[36;1m", "running"},
        {"enqueued_for_orchestration", "◕", ")", "\x1b[36m", "waits"},
        {"enqueued_as_error_for_orchestration", "◕", ")", "\x1b[33m", "reported"},
        {"waiting_for_retry", "↻", "~", "\x1b[33m", "will retry"},
        {"complete", "✔", "+", "\x1b[32m", ""},
        {"error", "✘", "x", "\x1b[31;1m", "failed"},
        {"cancelled", "⊘", "-", "\x1b[35m", "cancelled"},
        {"resolved_manually", "✓", "*", "\x1b[32m", "resolved"},
};
static const struct look unknown = {"", "?", "?", "", ""};

struct label {
        char name[LABEL_BYTES], detail[DETAIL_BYTES];
        unsigned name_columns, detail_columns;
};
struct picture {
        const struct cli_draw_step *steps;
        unsigned n;
        const struct cli_draw_style *style;
        struct tk_arena *arena;
        struct label *labels;
        struct cli_layout layout;
        struct tk_buf *out;
};

static const struct look *look_of(const char *state)
{
        for (size_t at = 0; at < tk_countof(looks); at++)
                if (tk_streq(looks[at].state, state))
                        return &looks[at];
        return &unknown;
}

const char *cli_draw_symbol(const char *state, bool ascii)
{
        return ascii ? look_of(state)->ascii : look_of(state)->symbol;
}

const char *cli_draw_colour(const char *state)
{
        return look_of(state)->colour;
}

unsigned cli_draw_columns(const char *text)
{
        unsigned n = 0;

        for (; *text; text++)
                n += (*text & 0xc0) != 0x80;
        return n;
}

void cli_draw_duration(double ms, char *ret_text, size_t size)
{
        ret_text[0] = '\0';
        if (ms >= 60e3)
                (void)snprintf(ret_text, size, "%.0f min %.0f s", (double)(long)(ms / 60e3),
                               (double)((long)(ms / 1e3) % 60));
        else if (ms >= 10e3)
                (void)snprintf(ret_text, size, "%.1f s", ms / 1e3);
        else if (ms >= 0)
                (void)snprintf(ret_text, size, ms < 100 ? "%.1f ms" : "%.0f ms", ms);
}

/* The first `columns` columns of text, the last of them an ellipsis when something was left out. */
static void shorten(const char *text, unsigned columns, bool ascii, char *ret_text, size_t size)
{
        size_t len = 0;

        if (cli_draw_columns(text) <= columns) {
                (void)tk_str_copy(ret_text, size, text);
                return;
        }
        for (unsigned seen = 0; text[len] && len + 4 < size; len++)
                if ((text[len] & 0xc0) != 0x80 && ++seen == columns)
                        break;
        (void)snprintf(ret_text, size, "%.*s%s", (int)len, text, ascii ? "~" : "…");
}

static void make_label(const struct cli_draw_step *step, unsigned name_max, bool ascii, struct label *ret)
{
        char name[LABEL_BYTES - 8], duration[24], tries[16] = "";
        const struct look *look = look_of(step->state);

        shorten(step->name, name_max, ascii, name, sizeof name);
        (void)snprintf(ret->name, sizeof ret->name, "%s %s", ascii ? look->ascii : look->symbol, name);
        cli_draw_duration(step->ms, duration, sizeof duration);
        if (step->attempts > 1)
                (void)snprintf(tries, sizeof tries, " %s%u", ascii ? "x" : "×", step->attempts);
        const char *word = look == &unknown ? step->state : look->word;
        (void)snprintf(ret->detail, sizeof ret->detail, "%.24s%s%s%s", word, *word && *duration ? " " : "",
                       duration, tries);
        ret->name_columns = cli_draw_columns(ret->name);
        ret->detail_columns = cli_draw_columns(ret->detail);
}

static int lay_out(struct picture *picture, unsigned name_max)
{
        struct cli_layout_step *steps = TK_ARENA_ARRAY(picture->arena, struct cli_layout_step, picture->n);

        for (unsigned at = 0; at < picture->n; at++) {
                struct label *label = &picture->labels[at];
                make_label(&picture->steps[at], name_max, picture->style->ascii, label);
                steps[at].width = label->name_columns > label->detail_columns ? label->name_columns
                                                                              : label->detail_columns;
                steps[at].parents = picture->steps[at].parents;
                steps[at].parents_n = picture->steps[at].parents_n;
        }
        return cli_layout(steps, picture->n, picture->arena, &picture->layout);
}

static void put_coloured(struct picture *picture, const char *colour, const char *text)
{
        bool colours = picture->style->colour && *colour;

        tk_buf_printf(picture->out, "%s%s%s", colours ? colour : "", text, colours ? PLAIN : "");
}

static unsigned skip_to(struct picture *picture, unsigned from, unsigned to)
{
        for (; from < to; from++)
                tk_buf_putc(picture->out, ' ');
        return from;
}

/* One of the two rows of a layer's labels, with the lines that pass by. */
static void put_labels(struct picture *picture, const struct cli_layout_layer *layer, bool detail)
{
        static const struct cli_band_cell line = {.lines = CLI_BAND_UP | CLI_BAND_DOWN};
        unsigned column = 0;

        for (unsigned at = 0; at < layer->n; at++) {
                const struct cli_layout_node *node = &picture->layout.nodes[layer->nodes[at]];
                if (!node->is_step) {
                        column = skip_to(picture, column, node->x) + 1;
                        put_coloured(picture, DIM, cli_band_glyph(&line, picture->style->ascii));
                        continue;
                }
                const struct label *label = &picture->labels[layer->nodes[at]];
                const char *text = detail ? label->detail : label->name;
                unsigned columns = detail ? label->detail_columns : label->name_columns;
                if (!columns)
                        continue;
                column = skip_to(picture, column, node->x - cli_layout_left(columns)) + columns;
                put_coloured(picture, detail ? DIM : cli_draw_colour(picture->steps[layer->nodes[at]].state),
                             text);
        }
        tk_buf_putc(picture->out, '\n');
}

static void put_band(struct picture *picture, unsigned layer)
{
        struct cli_band band;

        cli_band(&picture->layout, layer, picture->arena, &band);
        for (unsigned row = 0; row < band.rows; row++) {
                const struct cli_band_cell *cells = &band.cells[(size_t)row * band.width];
                unsigned end = band.width, column = 0;
                while (end && !cells[end - 1].lines)
                        end--;
                tk_buf_puts(picture->out, picture->style->colour ? DIM : "");
                for (; column < end; column++)
                        tk_buf_puts(picture->out, cli_band_glyph(&cells[column], picture->style->ascii));
                tk_buf_printf(picture->out, "%s\n", picture->style->colour ? PLAIN : "");
        }
}

/* What is left when no picture is possible: the steps as they came, with the names they depend on. */
static void put_list(struct picture *picture)
{
        unsigned widest = 0;

        for (unsigned at = 0; at < picture->n; at++) {
                make_label(&picture->steps[at], NAME_MAX_COLUMNS, picture->style->ascii,
                           &picture->labels[at]);
                if (picture->labels[at].name_columns > widest)
                        widest = picture->labels[at].name_columns;
        }
        for (unsigned at = 0; at < picture->n; at++) {
                const struct cli_draw_step *step = &picture->steps[at];
                const struct label *label = &picture->labels[at];
                put_coloured(picture, cli_draw_colour(step->state), label->name);
                tk_buf_printf(picture->out, "%*s  %s", (int)(widest - label->name_columns), "",
                              label->detail);
                for (unsigned p = 0; p < step->parents_n; p++)
                        tk_buf_printf(picture->out, "%s%s",
                                      p                       ? ", "
                                      : picture->style->ascii ? "  <- "
                                                              : "  ← ",
                                      picture->steps[step->parents[p]].name);
                tk_buf_putc(picture->out, '\n');
        }
}

void cli_draw(const struct cli_draw_step *steps, unsigned n, const struct cli_draw_style *style,
              struct tk_buf *out)
{
        static const unsigned name_max[] = {NAME_MAX_COLUMNS, 24, 16, 10};
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        struct picture picture = {.steps = steps, .n = n, .style = style, .arena = arena, .out = out};

        picture.labels = TK_ARENA_ARRAY(arena, struct label, n);
        for (size_t at = 0; at < tk_countof(name_max); at++) {
                if (lay_out(&picture, name_max[at]) != CLI_LAYOUT_OK)
                        break;
                if (style->width && picture.layout.width > style->width)
                        continue;
                for (unsigned layer = 0; layer < picture.layout.layers_n; layer++) {
                        put_labels(&picture, &picture.layout.layers[layer], false);
                        put_labels(&picture, &picture.layout.layers[layer], true);
                        if (layer + 1 < picture.layout.layers_n)
                                put_band(&picture, layer);
                }
                return;
        }
        put_list(&picture);
}
