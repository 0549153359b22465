/* SPDX-License-Identifier: MIT */
/* conf/yaml.c: libyaml's events to dotted keys. One document of mappings, scalars, and lists of scalars; no
 * anchors, tags of one's own or merge keys. The only file that knows libyaml. */
#include "conf/yaml.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "conf/value.h"
#include <errno.h>
#include <stdio.h>
#include <yaml.h>

enum { FILE_MAX = 1024 * 1024, DEPTH_MAX = 8, ITEMS_MAX = 4096, KEY_MAX = 256 };

struct reader {
        yaml_parser_t parser;
        yaml_event_t event; /* the current one */
        bool has_event;
        const char *path;
        struct tk_conf_file *file;
        struct tk_err *err;
};

#define WRONG(reader, ...)                                                                                   \
        wrong((reader), tk_err_fill((reader)->err, -EINVAL, __FILE__, __LINE__, __VA_ARGS__))

static unsigned line_of(const struct reader *reader)
{
        return (unsigned)reader->event.start_mark.line + 1;
}

static int wrong(const struct reader *reader, int code)
{
        tk_err_prefix(reader->err, "%s:%u", reader->path, line_of(reader));
        return code;
}

static int next(struct reader *reader)
{
        if (reader->has_event)
                yaml_event_delete(&reader->event);
        reader->has_event = yaml_parser_parse(&reader->parser, &reader->event) == 1;
        if (!reader->has_event) {
                const yaml_parser_t *parser = &reader->parser;
                return TK_ERR(reader->err, -EINVAL, "%s:%zu: %s", reader->path, parser->problem_mark.line + 1,
                              parser->problem ? parser->problem : "not YAML");
        }
        return 0;
}

static const char *scalar_text(const struct reader *reader, size_t *ret_len)
{
        *ret_len = reader->event.data.scalar.length;
        return (const char *)reader->event.data.scalar.value;
}

/* Appends the current scalar to the list. An unquoted ~ or null means nothing, hence the empty text. */
static int take_scalar(struct reader *reader, struct tk_conf_list *list)
{
        bool plain = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        size_t len;
        const char *text = scalar_text(reader, &len);

        if (memchr(text, 0, len))
                return WRONG(reader, "a value contains a NUL byte");
        if (plain && (tk_streq(text, "~") || tk_streq(text, "null")))
                len = 0;
        tk_conf_list_append(list, text, len);
        return 0;
}

static struct tk_conf_item *item_add(struct reader *reader, const char *key)
{
        struct tk_conf_file *file = reader->file;

        file->items = tk_realloc(file->items, file->count + 1, sizeof *file->items);
        file->items[file->count] = (struct tk_conf_item){.key = tk_strdup(key), .line = line_of(reader)};
        return &file->items[file->count++];
}

static int read_sequence(struct reader *reader, struct tk_conf_item *item)
{
        int result;

        item->is_list = true;
        while (!(result = next(reader)) && reader->event.type == YAML_SCALAR_EVENT) {
                if (item->values.count == ITEMS_MAX)
                        return WRONG(reader, "%s has more than %d items", item->key, ITEMS_MAX);
                result = take_scalar(reader, &item->values);
                if (result)
                        return result;
        }
        if (!result && reader->event.type != YAML_SEQUENCE_END_EVENT)
                return WRONG(reader, "%s: a list may hold plain values only", item->key);
        return result;
}

static int read_mapping(struct reader *reader, const char *prefix, unsigned depth);

/* The value of `key`, whose first event is current. */
static int read_value(struct reader *reader, const char *key, unsigned depth)
{
        const struct tk_conf_file *file = reader->file;

        if (reader->event.type == YAML_MAPPING_START_EVENT)
                return read_mapping(reader, key, depth + 1);
        if (reader->event.type != YAML_SCALAR_EVENT && reader->event.type != YAML_SEQUENCE_START_EVENT)
                return WRONG(reader, "%s: aliases are not supported", key);
        for (size_t i = 0; i < file->count; i++)
                if (tk_streq(file->items[i].key, key))
                        return WRONG(reader, "%s stands here a second time; first in line %u", key,
                                     file->items[i].line);
        if (file->count == ITEMS_MAX)
                return WRONG(reader, "more than %d keys", ITEMS_MAX);
        if (reader->event.type == YAML_SCALAR_EVENT)
                return take_scalar(reader, &item_add(reader, key)->values);
        return read_sequence(reader, item_add(reader, key));
}

static int read_mapping(struct reader *reader, const char *prefix, unsigned depth)
{
        char key[KEY_MAX];
        int result;

        if (depth > DEPTH_MAX)
                return WRONG(reader, "nested deeper than %d levels", DEPTH_MAX);
        while (!(result = next(reader)) && reader->event.type == YAML_SCALAR_EVENT) {
                size_t len;
                const char *text = scalar_text(reader, &len);
                int n = snprintf(key, sizeof key, "%s%s%s", prefix, *prefix ? "." : "", text);

                if (n < 0 || (size_t)n >= sizeof key || !len || strlen(text) != len)
                        return WRONG(reader, "a key must have 1 to %d bytes and no NUL", KEY_MAX - 1);
                if ((result = next(reader)) || (result = read_value(reader, key, depth)))
                        return result;
        }
        if (!result && reader->event.type != YAML_MAPPING_END_EVENT)
                return WRONG(reader, "keys must be plain text");
        return result;
}

static int read_document(struct reader *reader)
{
        int result;

        if ((result = next(reader)) || (result = next(reader))) /* stream start, document start */
                return result;
        if (reader->event.type == YAML_STREAM_END_EVENT)
                return 0; /* an empty file */
        if ((result = next(reader)))
                return result;
        if (reader->event.type == YAML_SCALAR_EVENT && !reader->event.data.scalar.length)
                return 0; /* comments only, behind "---" */
        if (reader->event.type != YAML_MAPPING_START_EVENT)
                return WRONG(reader, "the file must be a mapping of keys to values");
        if ((result = read_mapping(reader, "", 1)) || (result = next(reader)) || (result = next(reader)))
                return result;
        if (reader->event.type != YAML_STREAM_END_EVENT)
                return WRONG(reader, "only one document is allowed");
        return 0;
}

static int read_bytes(const char *path, struct tk_buf *buf, struct tk_err *err)
{
        FILE *stream = fopen(path, "re");
        char chunk[4096];
        size_t n;
        bool bad;

        if (!stream)
                return TK_ERR(err, -errno, "%s: %s", path, strerrordesc_np(errno));
        while ((n = fread(chunk, 1, sizeof chunk, stream)) > 0 && !tk_buf_failed(buf))
                tk_buf_put(buf, chunk, n);
        bad = ferror(stream);
        fclose(stream);
        if (bad)
                return TK_ERR(err, -EIO, "%s: cannot be read", path);
        if (tk_buf_failed(buf))
                return TK_ERR(err, -EFBIG, "%s: larger than %d bytes", path, FILE_MAX);
        return 0;
}

int tk_conf_file_read(const char *path, struct tk_conf_file *ret_file, struct tk_err *err)
{
        struct reader reader = {.path = path, .file = ret_file, .err = err};
        TK_AUTOBUF struct tk_buf buf;
        int result;

        *ret_file = (struct tk_conf_file){0};
        tk_buf_init(&buf, FILE_MAX);
        result = read_bytes(path, &buf, err);
        if (result)
                return result;
        TK_CHECK(yaml_parser_initialize(&reader.parser) == 1);
        yaml_parser_set_input_string(&reader.parser, (const unsigned char *)tk_buf_str(&buf), buf.len);
        result = read_document(&reader);
        if (reader.has_event)
                yaml_event_delete(&reader.event);
        yaml_parser_delete(&reader.parser);
        return result;
}

void tk_conf_file_deinit(struct tk_conf_file *file)
{
        for (size_t i = 0; i < file->count; i++) {
                tk_free(file->items[i].key);
                tk_conf_list_deinit(&file->items[i].values);
        }
        tk_free(file->items);
        *file = (struct tk_conf_file){0};
}
