/* SPDX-License-Identifier: MIT */
/* examples/handlers/csv.h: reads a CSV file row by row: fields may be quoted, a quote in them is doubled. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

enum { CSV_FIELDS_MAX = 32, CSV_ROW_MAX = 16384 };
struct csv {
        FILE *file;
        char row[CSV_ROW_MAX];
        const char *fields[CSV_FIELDS_MAX]; /* of the row read last */
        int fields_n;
};
bool csv_open(struct csv *csv, const char *path); /* false: errno says why */
void csv_close(struct csv *csv);
/* 1: a row, 0: the end, -1: a row that is too long, has too many fields, or cannot be read. Blank lines are passed by. */
int csv_next(struct csv *csv);
