/* SPDX-License-Identifier: MIT */
/* conf/dump.c: a configuration for people (YAML that loads again) and for programs (JSON), without its
 * secrets. */
#include "base/str.h"
#include "conf/conf.h"
#include "conf/env.h"
#include "conf/value.h"
#include <string.h>

enum { TEXT_MAX = 64 * 1024 };
static const char mask[] = "********";

/* The password stands between the first ':' and the last '@' of the authority, and behind each "password=" of
 * the query
 * ("sslpassword=" too). */
static void mask_authority(const char *authority, size_t len, struct tk_buf *out)
{
        const char *at = memrchr(authority, '@', len);
        const char *colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;

        if (!colon) {
                tk_buf_put(out, authority, len);
                return;
        }
        tk_buf_put(out, authority, (size_t)(colon - authority) + 1);
        tk_buf_puts(out, mask);
        tk_buf_put(out, at, len - (size_t)(at - authority));
}

static void mask_query(const char *rest, struct tk_buf *out)
{
        static const char name[] = "password=";

        for (const char *at; (at = strcasestr(rest, name));) {
                at += sizeof name - 1;
                tk_buf_put(out, rest, (size_t)(at - rest));
                tk_buf_puts(out, mask);
                rest = at + strcspn(at, "&#");
        }
        tk_buf_puts(out, rest);
}

void tk_conf_mask_url(const char *url, struct tk_buf *out)
{
        const char *scheme_end = strstr(url, "://");
        const char *authority, *rest;

        if (!scheme_end) {
                tk_buf_puts(out, url);
                return;
        }
        authority = scheme_end + 3;
        rest = authority + strcspn(authority, "/?#");
        tk_buf_put(out, url, (size_t)(authority - url));
        mask_authority(authority, (size_t)(rest - authority), out);
        if (*rest)
                mask_query(rest, out);
}

/* A JSON string that YAML reads as the same: to YAML three characters beyond ASCII are ends of lines (U+0085, U+2028, U+2029). */
static void put_string(const char *text, size_t len, struct tk_buf *out)
{
        static const struct { const char *raw, *escaped; } special[] = {
                {"\xc2\x85", "\\u0085"}, {"\xe2\x80\xa8", "\\u2028"}, {"\xe2\x80\xa9", "\\u2029"}};
        TK_AUTOBUF struct tk_buf quoted;
        tk_buf_init(&quoted, (size_t)8 * TEXT_MAX);
        tk_buf_put_json_str(&quoted, text, len);
        for (const char *at = tk_buf_str(&quoted); *at;) {
                size_t i = 0;
                while (i < tk_countof(special) && strncmp(at, special[i].raw, strlen(special[i].raw)) != 0)
                        i++;
                if (i < tk_countof(special)) {
                        tk_buf_puts(out, special[i].escaped);
                        at += strlen(special[i].raw);
                } else {
                        tk_buf_putc(out, *at++);
                }
        }
}

static void put_masked(const struct tk_conf_row *row, const char *text, struct tk_buf *out)
{
        TK_AUTOBUF struct tk_buf shown;

        tk_buf_init(&shown, TEXT_MAX);
        if (row->flags & TK_CONF_SECRET)
                tk_buf_puts(&shown, *text ? mask : "");
        else
                tk_conf_mask_url(text, &shown);
        put_string(tk_buf_str(&shown), shown.len, out);
}

static void put_list(const struct tk_conf_row *row, const struct tk_conf_list *list, struct tk_buf *out)
{
        tk_buf_putc(out, '[');
        for (size_t i = 0; i < list->count; i++) {
                if (i)
                        tk_buf_puts(out, ", ");
                put_masked(row, list->items[i], out);
        }
        tk_buf_putc(out, ']');
}

/* JSON and YAML agree about everything here, except that durations and sizes need quotes in JSON. */
static void put_value(const struct tk_conf_row *row, const void *conf, bool json, struct tk_buf *out)
{
        const void *field = tk_conf_field_const(row, conf);
        bool quote = json && (row->type == TK_CONF_dur || row->type == TK_CONF_size);

        if (row->type == TK_CONF_str) {
                const char *text = *(char *const *)field;
                put_masked(row, text ? text : "", out);
        } else if (row->type == TK_CONF_list) {
                put_list(row, field, out);
        } else {
                if (quote)
                        tk_buf_putc(out, '"');
                tk_conf_number_put(row->type, tk_conf_number(row, conf), out);
                if (quote)
                        tk_buf_putc(out, '"');
        }
}

static void put_comment(const struct tk_conf_row *row, struct tk_buf *out)
{
        enum tk_conf_type number =
                row->type == TK_CONF_str || row->type == TK_CONF_list ? TK_CONF_i64 : row->type;
        char env[TK_CONF_ENV_MAX];

        tk_conf_env_name(row, env);
        tk_buf_printf(out, "# %s\n# ", row->doc);
        if (row->min || row->max) {
                tk_buf_puts(out, row->type == TK_CONF_str    ? "Length "
                                 : row->type == TK_CONF_list ? "Count "
                                                             : "Range ");
                tk_conf_number_put(number, row->min, out);
                tk_buf_puts(out, "..");
                tk_conf_number_put(number, row->max, out);
                tk_buf_printf(out, "%s%s; ", *row->unit ? " " : "", row->unit);
        } else if (*row->unit) {
                tk_buf_printf(out, "In %s; ", row->unit);
        }
        tk_buf_printf(out, "environment %s", env);
        if (row->env && !tk_streq(row->env, env))
                tk_buf_printf(out, " or %s", row->env);
        tk_buf_puts(out, ".\n");
}

void tk_conf_dump(const struct tk_conf_row *rows, size_t n, const void *conf, struct tk_buf *out)
{
        for (size_t i = 0; i < n; i++) {
                if (i)
                        tk_buf_putc(out, '\n');
                put_comment(&rows[i], out);
                tk_buf_printf(out, "%s: ", rows[i].key);
                put_value(&rows[i], conf, false, out);
                tk_buf_putc(out, '\n');
        }
}

static bool under(const struct tk_conf_row *row, const char *prefix, size_t len)
{
        return !strncmp(row->key, prefix, len);
}

/* The object of all rows whose keys begin with the first len bytes of prefix ("rest."): its members are the
 * next parts of those keys, each when it is met first. */
static void put_object(const struct tk_conf_row *rows, size_t n, const void *conf, const char *prefix,
                       size_t len, struct tk_buf *out)
{
        bool first = true;

        tk_buf_putc(out, '{');
        for (size_t i = 0; i < n; i++) {
                size_t part, met = 0;

                if (!under(&rows[i], prefix, len))
                        continue;
                part = strcspn(rows[i].key + len, ".");
                if (rows[i].key[len + part]) {
                        while (!under(&rows[met], rows[i].key, len + part + 1))
                                met++;
                        if (met < i)
                                continue;
                }
                if (!first)
                        tk_buf_putc(out, ',');
                first = false;
                tk_buf_put_json_str(out, rows[i].key + len, part);
                tk_buf_putc(out, ':');
                if (rows[i].key[len + part])
                        put_object(rows, n, conf, rows[i].key, len + part + 1, out);
                else
                        put_value(&rows[i], conf, true, out);
        }
        tk_buf_putc(out, '}');
}

void tk_conf_dump_json(const struct tk_conf_row *rows, size_t n, const void *conf, struct tk_buf *out)
{
        put_object(rows, n, conf, "", 0, out);
}
