/* SPDX-License-Identifier: MIT */
/* cli/table.c: see table.h. */
#include "cli/table.h"

#include "base/check.h"
#include "cli/draw.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { CELL_MAX = 512, GAP = 2 };

struct cell {
        struct cell *next;
        const char *text, *colour;
        unsigned columns;
};
struct cli_table {
        struct tk_arena *arena;
        unsigned columns_n, cells_n;
        unsigned width[CLI_TABLE_COLUMNS_MAX];
        bool right[CLI_TABLE_COLUMNS_MAX];
        struct cell *first, **end;
};

static void put(struct cli_table *table, const char *colour, const char *text)
{
        struct cell *cell = TK_ARENA_NEW(table->arena, struct cell);
        unsigned *width = &table->width[table->cells_n++ % table->columns_n];

        cell->text = tk_arena_strdup(table->arena, text);
        cell->colour = colour;
        cell->columns = cli_draw_columns(text);
        *width = cell->columns > *width ? cell->columns : *width;
        *table->end = cell;
        table->end = &cell->next;
}

struct cli_table *cli_table_new(struct tk_arena *arena, const char *const *titles)
{
        struct cli_table *table = TK_ARENA_NEW(arena, struct cli_table);

        table->arena = arena;
        table->end = &table->first;
        for (; titles[table->columns_n]; table->columns_n++)
                TK_CHECK(table->columns_n < CLI_TABLE_COLUMNS_MAX);
        for (unsigned at = 0; at < table->columns_n; at++) {
                table->right[at] = titles[at][0] == '>';
                put(table, "\x1b[1m", titles[at] + table->right[at]);
        }
        return table;
}

void cli_table_put(struct cli_table *table, const char *colour, const char *fmt, ...)
{
        char text[CELL_MAX];
        va_list args;

        va_start(args, fmt);
        (void)vsnprintf(text, sizeof text, fmt, args);
        va_end(args);
        put(table, colour, text);
}

void cli_table_print(const struct cli_table *table, bool colour, struct tk_buf *out)
{
        unsigned at = 0;

        TK_CHECK(table->cells_n % table->columns_n == 0);
        for (const struct cell *cell = table->first; cell; cell = cell->next, at++) {
                unsigned column = at % table->columns_n;
                bool last = column + 1 == table->columns_n, painted = colour && cell->colour && *cell->colour;
                int pad = (int)(table->width[column] - cell->columns);
                tk_buf_printf(out, "%*s%s%s%s", table->right[column] ? pad : 0, "",
                              painted ? cell->colour : "", cell->text, painted ? "\x1b[0m" : "");
                tk_buf_printf(out, "%*s%s", last ? 0 : (table->right[column] ? 0 : pad) + GAP, "",
                              last ? "\n" : "");
        }
}
