/* SPDX-License-Identifier: MIT */
/* json/scan.c: one pass over the bytes with a stack of the open objects and arrays. Broken text may confuse
 * the counts, never the scan; the parser finds it afterwards. */
#include "json/scan.h"
#include "base/mem.h"
#include <inttypes.h>
#include <string.h>

enum { POINTER_MAX = 200, FEW = 64 };

struct level {
        size_t entries;      /* begun so far */
        size_t key, key_len; /* of an object: where the text of the current key stands */
        bool object, in_value;
};

struct scan {
        const char *text;
        size_t len, at;
        const struct tk_json_limits *limits;
        struct level *levels; /* depth_max of them */
        size_t depth;
        struct tk_err *err;
};

/* "/steps/3/name": where the scan stands. */
static void put_pointer(const struct scan *scan, struct tk_buf *buf)
{
        for (size_t i = 0; i < scan->depth; i++) {
                const struct level *level = &scan->levels[i];

                if (!level->entries)
                        break;
                if (level->object && !level->in_value)
                        break; /* inside a key: that names nothing yet */
                if (level->object)
                        tk_buf_printf(buf, "/%.*s", (int)(level->key_len < 64 ? level->key_len : 64),
                                      scan->text + level->key);
                else
                        tk_buf_printf(buf, "/%zu", level->entries - 1);
        }
}

static int over_limit(const struct scan *scan, const char *what, size_t limit, size_t found)
{
        TK_AUTOBUF struct tk_buf pointer;

        tk_buf_init(&pointer, POINTER_MAX);
        put_pointer(scan, &pointer);
        return TK_ERR(scan->err, TK_JSON_E_LIMIT, "at \"%s\": %s %zu or more, the limit is %zu",
                      tk_buf_str(&pointer), what, found, limit);
}

/* Bytes that an escape at `at` (behind the backslash) stands for; half a surrogate pair counts two of the
 * pair's four. */
static size_t escape_size(const struct scan *scan, size_t at, size_t *ret_raw)
{
        unsigned code = 0;

        *ret_raw = 1;
        if (scan->text[at] != 'u' || scan->len - at < 5)
                return 1;
        for (size_t i = 1; i <= 4; i++) {
                char c = scan->text[at + i];
                if (c >= '0' && c <= '9')
                        code = code * 16 + (unsigned)(c - '0');
                else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
                        code = code * 16 + (unsigned)((c | 0x20) - 'a') + 10;
                else
                        return 1;
        }
        *ret_raw = 5;
        return code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 2 : 3;
}

/* At a quote; ends on the closing one (or at the end of the text). */
static int scan_string(struct scan *scan)
{
        struct level *level = scan->depth ? &scan->levels[scan->depth - 1] : NULL;
        size_t start = ++scan->at, size = 0, raw;

        while (scan->at < scan->len && scan->text[scan->at] != '"') {
                if (scan->text[scan->at] == '\\' && scan->at + 1 < scan->len) {
                        size += escape_size(scan, scan->at + 1, &raw);
                        scan->at += raw;
                } else {
                        size++;
                }
                scan->at++;
                if (size > scan->limits->string_max)
                        return over_limit(scan, "a string has a length in bytes of", scan->limits->string_max,
                                          size);
        }
        if (level && level->object && !level->in_value) {
                level->key = start;
                level->key_len = scan->at - start;
        }
        return TK_JSON_OK;
}

/* The first byte of an entry of the innermost object or array. */
static int begin_entry(struct scan *scan)
{
        struct level *level = scan->depth ? &scan->levels[scan->depth - 1] : NULL;
        size_t max = scan->limits->entries_max;

        if (!level || level->in_value)
                return TK_JSON_OK;
        level->entries++;
        level->in_value = !level->object; /* an object's entry begins with its key */
        if (level->entries <= max)
                return TK_JSON_OK;
        scan->depth--; /* name the container, not the entry */
        return over_limit(scan, level->object ? "the number of members is" : "the number of elements is", max,
                          level->entries);
}

static int open_level(struct scan *scan, bool object)
{
        if (scan->depth == scan->limits->depth_max)
                return over_limit(scan, "the nesting depth is", scan->limits->depth_max, scan->depth + 1);
        scan->levels[scan->depth++] = (struct level){.object = object};
        return TK_JSON_OK;
}

static int scan_byte(struct scan *scan)
{
        struct level *level = scan->depth ? &scan->levels[scan->depth - 1] : NULL;
        char c = scan->text[scan->at];
        int result;

        switch (c) {
        case ' ':
        case '\t':
        case '\r':
        case '\n': return TK_JSON_OK;
        case ',':
                if (level)
                        level->in_value = false;
                return TK_JSON_OK;
        case ':':
                if (level)
                        level->in_value = true;
                return TK_JSON_OK;
        case '}':
        case ']':
                if (level)
                        scan->depth--;
                return TK_JSON_OK;
        default:
                result = begin_entry(scan);
                if (result)
                        return result;
                return c == '"'               ? scan_string(scan)
                       : c == '{' || c == '[' ? open_level(scan, c == '{')
                                              : TK_JSON_OK;
        }
}

int tk_json_scan(const char *text, size_t len, const struct tk_json_limits *limits, struct tk_err *err)
{
        struct scan scan = {.text = text, .len = len, .limits = limits, .err = err};
        int result = TK_JSON_OK;

        if (len > limits->bytes_max)
                return TK_ERR(err, TK_JSON_E_LIMIT, "the text has %zu bytes, the limit is %zu", len,
                              limits->bytes_max);
        struct level few[FEW]; /* each is set when it is opened */
        scan.levels = limits->depth_max <= FEW ? few : tk_calloc(limits->depth_max, sizeof *scan.levels);
        for (; scan.at < len && !result; scan.at++)
                result = scan_byte(&scan);
        if (scan.levels != few)
                tk_free(scan.levels);
        return result;
}
