/* SPDX-License-Identifier: MIT */
/* json/member.c: finds a member's text, or how deep a text goes, by counting brackets; nothing is built. */
#include "json/json.h"
#include <string.h>

static bool blank(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_blanks(const char *text, size_t len, size_t at)
{
        while (at < len && blank(text[at]))
                at++;
        return at;
}

/* From its opening quote to behind the closing one. */
static size_t skip_string(const char *text, size_t len, size_t at)
{
        for (at++; at < len && text[at] != '"'; at++)
                at += text[at] == '\\';
        return at < len ? at + 1 : len;
}

/* From the first byte of a value to the comma or bracket behind it. */
static size_t skip_value(const char *text, size_t len, size_t at)
{
        size_t depth = 0;
        while (at < len) {
                char c = text[at];
                if (c == '"') {
                        at = skip_string(text, len, at);
                        continue;
                }
                if (!depth && (c == ',' || c == '}' || c == ']'))
                        break;
                depth += c == '{' || c == '[';
                depth -= c == '}' || c == ']';
                at++;
        }
        return at;
}

bool tk_json_deeper(const char *text, size_t len, size_t depth_max)
{
        size_t depth = 0, openings = 0;
        for (size_t at = 0; at < len; at++) /* nearly every text ends here, sixteen bytes at a time: asked of each result */
                openings += text[at] == '{' || text[at] == '[';
        if (openings <= depth_max)
                return false;
        for (size_t at = 0; at < len; at++) {
                char c = text[at];
                if (c == '"')
                        at = skip_string(text, len, at) - 1;
                else if ((c == '{' || c == '[') && ++depth > depth_max)
                        return true;
                else if ((c == '}' || c == ']') && depth)
                        depth--;
        }
        return false;
}

bool tk_json_member(const char *text, size_t len, const char *key, const char **ret, size_t *ret_len)
{
        size_t key_len = strlen(key), at = skip_blanks(text, len, 0);
        if (at >= len || text[at] != '{')
                return false;
        for (at = skip_blanks(text, len, at + 1); at < len && text[at] == '"'; at = skip_blanks(text, len, at + 1)) {
                size_t name = at + 1, name_len, value;
                at = skip_string(text, len, at);
                name_len = at - name ? at - name - 1 : 0;
                at = skip_blanks(text, len, at);
                if (at >= len || text[at] != ':')
                        return false;
                value = skip_blanks(text, len, at + 1);
                at = skip_value(text, len, value);
                if (name_len == key_len && !memcmp(text + name, key, key_len)) {
                        size_t end = at;
                        while (end > value && blank(text[end - 1]))
                                end--;
                        *ret = text + value;
                        *ret_len = end - value;
                        return end > value;
                }
                if (at >= len || text[at] != ',')
                        return false;
        }
        return false;
}
