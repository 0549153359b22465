/* SPDX-License-Identifier: MIT */
/* examples/handlers/csv.c: see the header. */
#include "csv.h"

bool csv_open(struct csv *csv, const char *path)
{
        csv->file = fopen(path, "re");
        csv->fields_n = 0;
        return csv->file != NULL;
}

void csv_close(struct csv *csv)
{
        if (csv->file)
                fclose(csv->file);
        csv->file = NULL;
}

/* One field into row[*len…]; returns what ended it: ',' or '\n' or EOF, or -2: no room. */
static int read_field(struct csv *csv, size_t *len)
{
        int c = getc(csv->file);
        bool quoted = c == '"';
        if (quoted)
                c = getc(csv->file);
        for (;; c = getc(csv->file)) {
                if (quoted && c == '"') {
                        c = getc(csv->file);
                        if (c != '"') {
                                quoted = false;
                                if (c == '\r')
                                        c = getc(csv->file);
                        }
                }
                if (c == EOF || (!quoted && (c == ',' || c == '\n')))
                        break;
                if (!quoted && c == '\r')
                        continue;
                if (*len + 2 > sizeof csv->row)
                        return -2;
                csv->row[(*len)++] = (char)c;
        }
        csv->row[(*len)++] = '\0';
        return c;
}

int csv_next(struct csv *csv)
{
        for (;;) {
                size_t len = 0;
                int end = ',';
                csv->fields_n = 0;
                while (end == ',') {
                        if (csv->fields_n == CSV_FIELDS_MAX || len + 2 > sizeof csv->row)
                                return -1;
                        csv->fields[csv->fields_n++] = csv->row + len;
                        end = read_field(csv, &len);
                }
                if (end == -2 || ferror(csv->file))
                        return -1;
                if (csv->fields_n > 1 || *csv->fields[0])
                        return 1;
                if (end == EOF)
                        return 0;
        }
}
