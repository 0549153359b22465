/* SPDX-License-Identifier: MIT */
/* conf/conf.h: table-driven configuration: YAML file, then environment, then command line (`--set key=value`).
 *
 * A service lists its keys once, in tbl/conf.h, as rows
 *     CONF(type, field, "dotted.key", default_text, min, max, "unit", flags, env, "What it does.")
 * with type one of str, u32, i64, dur (int64 ns; "30s"), size (bytes; "64k"), bool, list (comma separated / YAML list).
 * Rows become struct fields and a table (see conf/rows.h); the engine below parses, checks ranges, prints
 * --dump-config and --help, masks secrets. Environment name: TASKER_ + key in capitals, '.' → '_'
 * (TASKER_REST_PORT), which wins over the row's alias `env`; an empty variable counts as not set. Unknown keys of the file
 * are refused with file:line and the nearest known key. `${NAME}` and `${NAME:-default}` in file values are substituted;
 * the default also stands in for an empty variable. Keys of the file may be nested or dotted. */
#pragma once
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tk_conf_type { TK_CONF_str, TK_CONF_u32, TK_CONF_i64, TK_CONF_dur, TK_CONF_size, TK_CONF_bool, TK_CONF_list };
enum { TK_CONF_SECRET = 1 };

struct tk_conf_list {
        char **items; /* owned by the configuration */
        size_t count;
};
struct tk_conf_row {
        enum tk_conf_type type;
        size_t offset;          /* of the field in the service's struct */
        const char *key;        /* "database.url" */
        const char *default_text;
        int64_t min, max;       /* of the number, the text's length, or the list's count; both 0: any */
        const char *unit;       /* "messages", "ms", …, or "" */
        unsigned flags;
        const char *env;        /* a second environment name that is also read ("DATABASE_URL"), or NULL */
        const char *doc;        /* one or two sentences */
};

/* Fills `conf` (zeroed by the caller) from defaults, file (NULL: none), environment, and `sets` ("key=value" each,
 * NULL-terminated, may be NULL). 0, or negative with err naming key, source, limit and what was found. */
TK_MUST int tk_conf_load(const struct tk_conf_row *rows, size_t n, void *conf, const char *file,
                         const char *const *sets, struct tk_err *err);
void tk_conf_deinit(const struct tk_conf_row *rows, size_t n, void *conf);
/* As YAML with comments (unit, range, env name, doc); secrets are "********"; passwords inside URLs are masked too. */
void tk_conf_dump(const struct tk_conf_row *rows, size_t n, const void *conf, struct tk_buf *out);
/* As a JSON object nested by dots; masked likewise. */
void tk_conf_dump_json(const struct tk_conf_row *rows, size_t n, const void *conf, struct tk_buf *out);
/* "postgresql://u:secret@h/db" → "postgresql://u:********@h/db". */
void tk_conf_mask_url(const char *url, struct tk_buf *out);
