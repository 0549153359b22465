/* SPDX-License-Identifier: MIT */
/* conf/load.c: four layers, later ones win: defaults, file, environment, command line. Each value is checked
 * in the layer it comes from, so that a wrong one is reported even where another layer would hide it. */
#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "conf/conf.h"
#include "conf/env.h"
#include "conf/expand.h"
#include "conf/value.h"
#include "conf/yaml.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { VALUE_MAX = 64 * 1024, KEY_SHOWN_MAX = 128, SOURCE_MAX = 256 };

struct table {
        const struct tk_conf_row *rows;
        size_t n;
        void *conf;
};

static const struct tk_conf_row *row_find(const struct table *table, const char *key)
{
        for (size_t i = 0; i < table->n; i++)
                if (tk_streq(table->rows[i].key, key))
                        return &table->rows[i];
        return NULL;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
        unsigned ab = a < b ? a : b;

        return ab < c ? ab : c;
}

/* Levenshtein: letters to insert, remove or replace; texts beyond KEY_SHOWN_MAX are far from everything. */
static unsigned distance(const char *a, const char *b)
{
        unsigned row[KEY_SHOWN_MAX + 1];
        size_t b_len = strlen(b);

        if (strlen(a) > KEY_SHOWN_MAX || b_len > KEY_SHOWN_MAX)
                return UINT32_MAX;
        for (unsigned i = 0; i <= b_len; i++)
                row[i] = i;
        for (; *a; a++) {
                unsigned diagonal = row[0]++;
                for (size_t i = 1; i <= b_len; i++) {
                        unsigned cost = min3(row[i] + 1, row[i - 1] + 1, diagonal + (*a != b[i - 1]));
                        diagonal = row[i];
                        row[i] = cost;
                }
        }
        return row[b_len];
}

static int unknown_key(const struct table *table, const char *key, const char *source, struct tk_err *err)
{
        unsigned best = UINT32_MAX;
        const char *nearest = NULL;

        for (size_t i = 0; i < table->n; i++) {
                unsigned found = distance(key, table->rows[i].key);
                if (found < best) {
                        best = found;
                        nearest = table->rows[i].key;
                }
        }
        if (nearest && best <= 2 + strlen(key) / 3)
                return TK_ERR(err, -EINVAL, "%s: unknown key \"%.*s\"; did you mean \"%s\"?", source,
                              KEY_SHOWN_MAX, key, nearest);
        return TK_ERR(err, -EINVAL, "%s: unknown key \"%.*s\"", source, KEY_SHOWN_MAX, key);
}

static int load_defaults(const struct table *table, struct tk_err *err)
{
        for (size_t i = 0; i < table->n; i++) {
                const struct tk_conf_row *row = &table->rows[i];
                int result = tk_conf_value_set(row, table->conf, row->default_text, "default", err);
                if (result)
                        return result;
        }
        return 0;
}

/* Variables are substituted in each value; `ret` then holds new texts. */
static int expand_values(const struct tk_conf_item *item, struct tk_conf_list *ret, struct tk_err *err)
{
        for (size_t i = 0; i < item->values.count; i++) {
                TK_AUTOBUF struct tk_buf text;
                int result;

                tk_buf_init(&text, VALUE_MAX);
                result = tk_conf_expand(item->values.items[i], &text, err);
                if (!result && tk_buf_failed(&text))
                        result = TK_ERR(err, -E2BIG, "longer than %d bytes", VALUE_MAX);
                if (result) {
                        tk_err_prefix(err, "%s", item->key);
                        return result;
                }
                tk_conf_list_append(ret, tk_buf_str(&text), text.len);
        }
        return 0;
}

static int load_item(const struct table *table, const struct tk_conf_item *item, const char *source,
                     struct tk_err *err)
{
        const struct tk_conf_row *row = row_find(table, item->key);
        struct tk_conf_list values = {0};
        int result;

        if (!row)
                return unknown_key(table, item->key, source, err);
        result = expand_values(item, &values, err);
        if (result)
                tk_err_prefix(err, "%s", source);
        else if (item->is_list)
                result = tk_conf_value_set_list(row, table->conf, &values, source, err);
        else
                result = tk_conf_value_set(row, table->conf, values.items[0], source, err);
        tk_conf_list_deinit(&values);
        return result;
}

static int load_file(const struct table *table, const char *path, struct tk_err *err)
{
        struct tk_conf_file file;
        int result = tk_conf_file_read(path, &file, err);

        for (size_t i = 0; i < file.count && !result; i++) {
                char source[SOURCE_MAX];
                snprintf(source, sizeof source, "%s:%u", path, file.items[i].line);
                result = load_item(table, &file.items[i], source, err);
        }
        tk_conf_file_deinit(&file);
        return result;
}

static int load_environment(const struct table *table, struct tk_err *err)
{
        for (size_t i = 0; i < table->n; i++) {
                const struct tk_conf_row *row = &table->rows[i];
                char name[TK_CONF_ENV_MAX], source[SOURCE_MAX];
                const char *used = name, *value;
                int result;

                tk_conf_env_name(row, name);
                value = getenv(name);
                if ((!value || !*value) && row->env) {
                        used = row->env;
                        value = getenv(used);
                }
                if (!value || !*value)
                        continue;
                snprintf(source, sizeof source, "environment %s", used);
                result = tk_conf_value_set(row, table->conf, value, source, err);
                if (result)
                        return result;
        }
        return 0;
}

static int load_set(const struct table *table, const char *set, struct tk_err *err)
{
        const char *equals = strchr(set, '=');
        TK_AUTOFREE char *key = NULL;
        const struct tk_conf_row *row;

        if (!equals)
                return TK_ERR(err, -EINVAL, "--set \"%.*s\": key=value is wanted", KEY_SHOWN_MAX, set);
        key = tk_strndup(set, (size_t)(equals - set));
        row = row_find(table, key);
        if (!row)
                return unknown_key(table, key, "--set", err);
        return tk_conf_value_set(row, table->conf, equals + 1, "--set", err);
}

int tk_conf_load(const struct tk_conf_row *rows, size_t n, void *conf, const char *file,
                 const char *const *sets, struct tk_err *err)
{
        const struct table table = {.rows = rows, .n = n, .conf = conf};
        int result = load_defaults(&table, err);

        if (!result && file)
                result = load_file(&table, file, err);
        if (!result)
                result = load_environment(&table, err);
        for (; !result && sets && *sets; sets++)
                result = load_set(&table, *sets, err);
        if (result)
                tk_conf_deinit(rows, n, conf);
        return result;
}

void tk_conf_deinit(const struct tk_conf_row *rows, size_t n, void *conf)
{
        for (size_t i = 0; i < n; i++)
                tk_conf_value_free(&rows[i], conf);
}
