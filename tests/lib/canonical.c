/* SPDX-License-Identifier: MIT */
/* The canonical text of every line of its input: for tests that compare it with somebody else's. */
#include "base/mem.h"
#include "json/json.h"
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
        char *line = NULL;
        size_t room = 0;
        for (ssize_t len; (len = getline(&line, &room, stdin)) > 0;) {
                TK_AUTOJSON json_t *value = NULL;
                TK_AUTOBUF struct tk_buf text;
                struct tk_err err = {0};
                tk_buf_init(&text, SIZE_MAX / 2);
                if (tk_json_parse(line, (size_t)len - 1, &tk_json_limits_default, &value, &err))
                        tk_buf_puts(&text, tk_err_text(&err));
                else
                        tk_json_canonical(value, &text);
                puts(tk_buf_str(&text));
        }
        free(line);
        return 0;
}
