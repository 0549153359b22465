/* SPDX-License-Identifier: MIT */
/* conf/value.c: every type's parser ends in one range check and one store. */
#include "conf/value.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

enum { SHOWN_MAX = 80 }; /* bytes of a wrong value in a message */

static bool is_number(enum tk_conf_type type)
{
        return type != TK_CONF_str && type != TK_CONF_list;
}

void tk_conf_list_append(struct tk_conf_list *list, const char *text, size_t len)
{
        list->items = tk_realloc(list->items, list->count + 1, sizeof *list->items);
        list->items[list->count++] = tk_strndup(text, len);
}

void tk_conf_list_deinit(struct tk_conf_list *list)
{
        for (size_t i = 0; i < list->count; i++)
                tk_free(list->items[i]);
        tk_free(list->items);
        *list = (struct tk_conf_list){0};
}

void tk_conf_value_free(const struct tk_conf_row *row, void *conf)
{
        void *field = tk_conf_field(row, conf);

        if (row->type == TK_CONF_str)
                *(char **)field = tk_free(*(char **)field);
        else if (row->type == TK_CONF_list)
                tk_conf_list_deinit(field);
}

static void put_scaled(int64_t value, const char *const units[], const int64_t factors[], size_t n,
                       struct tk_buf *out)
{
        for (size_t i = 0; i < n; i++) {
                if (value && value % factors[i] == 0) {
                        tk_buf_printf(out, "%" PRId64 "%s", value / factors[i], units[i]);
                        return;
                }
        }
        tk_buf_printf(out, "%" PRId64, value);
}

void tk_conf_number_put(enum tk_conf_type type, int64_t value, struct tk_buf *out)
{
        static const char *const times[] = {"d", "h", "m", "s", "ms", "us", "ns"};
        static const int64_t times_ns[] = {86400 * TK_NS_PER_S, 3600 * TK_NS_PER_S, 60 * TK_NS_PER_S,
                                           TK_NS_PER_S, TK_NS_PER_MS, TK_NS_PER_US, 1};
        static const char *const sizes[] = {"G", "M", "k"};
        static const int64_t sizes_bytes[] = {1 << 30, 1 << 20, 1 << 10};

        if (type == TK_CONF_dur)
                put_scaled(value, times, times_ns, tk_countof(times), out);
        else if (type == TK_CONF_size)
                put_scaled(value, sizes, sizes_bytes, tk_countof(sizes), out);
        else if (type == TK_CONF_bool)
                tk_buf_puts(out, value ? "true" : "false");
        else
                tk_buf_printf(out, "%" PRId64, value);
}

int64_t tk_conf_number(const struct tk_conf_row *row, const void *conf)
{
        const void *field = tk_conf_field_const(row, conf);

        switch (row->type) {
        case TK_CONF_u32: return *(const uint32_t *)field;
        case TK_CONF_i64:
        case TK_CONF_dur: return *(const int64_t *)field;
        case TK_CONF_size: return (int64_t)*(const uint64_t *)field;
        case TK_CONF_bool: return *(const bool *)field;
        case TK_CONF_str:
        case TK_CONF_list: break;
        }
        TK_BUG("not a number");
}

static int wrong_value(const struct tk_conf_row *row, const char *text, const char *source,
                       const char *wanted, struct tk_err *err)
{
        return TK_ERR(err, -EINVAL, "%s (%s): \"%.*s\" is not %s", row->key, source, SHOWN_MAX,
                      row->flags & TK_CONF_SECRET ? "********" : text, wanted);
}

static void range_of(const struct tk_conf_row *row, int64_t *ret_min, int64_t *ret_max)
{
        bool any = !row->min && !row->max;

        *ret_min = any ? (row->type == TK_CONF_i64 ? INT64_MIN : 0) : row->min;
        *ret_max = any ? (row->type == TK_CONF_u32 ? UINT32_MAX : INT64_MAX) : row->max;
}

/* `value` is the number itself, or the length or count of what is not a number. */
static int check_range(const struct tk_conf_row *row, int64_t value, const char *source, struct tk_err *err)
{
        const char *what = row->type == TK_CONF_str ? "length " : row->type == TK_CONF_list ? "count " : "";
        enum tk_conf_type shown = is_number(row->type) ? row->type : TK_CONF_i64;
        TK_AUTOBUF struct tk_buf text = {.max = TK_ERR_TEXT_MAX};
        int64_t min, max;

        range_of(row, &min, &max);
        if (value >= min && value <= max)
                return 0;
        tk_conf_number_put(shown, value, &text);
        tk_buf_puts(&text, " is outside of ");
        tk_conf_number_put(shown, min, &text);
        tk_buf_puts(&text, "..");
        tk_conf_number_put(shown, max, &text);
        if (is_number(row->type) && *row->unit)
                tk_buf_printf(&text, " %s", row->unit);
        return TK_ERR(err, -ERANGE, "%s (%s): %s%s", row->key, source, what, tk_buf_str(&text));
}

static int parse_bool(const char *text, int64_t *ret_value)
{
        static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};

        for (size_t i = 0; i < tk_countof(words); i++) {
                if (!strcasecmp(text, words[i])) {
                        *ret_value = i & 1;
                        return 0;
                }
        }
        return -EINVAL;
}

static int parse_size(const char *text, int64_t *ret_value)
{
        uint64_t bytes = 0;
        int result = tk_str_to_size(text, &bytes);

        if (!result && bytes > INT64_MAX)
                result = -ERANGE;
        *ret_value = (int64_t)bytes;
        return result;
}

static int set_number(const struct tk_conf_row *row, void *conf, const char *text, const char *source,
                      struct tk_err *err)
{
        static const char *const wanted[] = {[TK_CONF_u32] = "a whole number",
                                             [TK_CONF_i64] = "a whole number",
                                             [TK_CONF_dur] = "a duration such as 250ms, 30s, 5m or 2h",
                                             [TK_CONF_size] = "a size such as 4096, 64k or 10M",
                                             [TK_CONF_bool] = "true or false"};
        void *field = tk_conf_field(row, conf);
        int64_t value = 0;
        int result = row->type == TK_CONF_dur    ? tk_time_duration_parse(text, &value)
                     : row->type == TK_CONF_size ? parse_size(text, &value)
                     : row->type == TK_CONF_bool ? parse_bool(text, &value)
                                                 : tk_str_to_i64(text, INT64_MIN, INT64_MAX, &value);

        if (result)
                return wrong_value(row, text, source, wanted[row->type], err);
        result = check_range(row, value, source, err);
        if (result)
                return result;
        if (row->type == TK_CONF_u32)
                *(uint32_t *)field = (uint32_t)value;
        else if (row->type == TK_CONF_bool)
                *(bool *)field = value;
        else if (row->type == TK_CONF_size)
                *(uint64_t *)field = (uint64_t)value;
        else
                *(int64_t *)field = value;
        return 0;
}

static int set_str(const struct tk_conf_row *row, void *conf, const char *text, const char *source,
                   struct tk_err *err)
{
        char **field = tk_conf_field(row, conf);
        int result = check_range(row, (int64_t)strlen(text), source, err);

        if (result)
                return result;
        tk_free(*field);
        *field = tk_strdup(text);
        return 0;
}

/* Items between commas, without the blanks around them; empty ones do not count. */
static void split(const char *text, struct tk_conf_list *ret_list)
{
        while (*text) {
                size_t len = strcspn(text, ","), skip = len + (text[len] == ',');
                const char *next = text + skip;

                while (len && isspace((unsigned char)*text))
                        text++, len--;
                while (len && isspace((unsigned char)text[len - 1]))
                        len--;
                if (len)
                        tk_conf_list_append(ret_list, text, len);
                text = next;
        }
}

int tk_conf_value_set_list(const struct tk_conf_row *row, void *conf, const struct tk_conf_list *list,
                           const char *source, struct tk_err *err)
{
        struct tk_conf_list *field = tk_conf_field(row, conf);
        int result;

        if (row->type != TK_CONF_list)
                return TK_ERR(err, -EINVAL, "%s (%s): a list is given, but one value is wanted", row->key,
                              source);
        result = check_range(row, (int64_t)list->count, source, err);
        if (result)
                return result;
        tk_conf_list_deinit(field);
        for (size_t i = 0; i < list->count; i++)
                tk_conf_list_append(field, list->items[i], strlen(list->items[i]));
        return 0;
}

int tk_conf_value_set(const struct tk_conf_row *row, void *conf, const char *text, const char *source,
                      struct tk_err *err)
{
        if (!tk_str_utf8_valid(text, strlen(text)))
                return wrong_value(row, "…", source, "valid UTF-8", err);
        if (row->type == TK_CONF_str)
                return set_str(row, conf, text, source, err);
        if (row->type == TK_CONF_list) {
                struct tk_conf_list list = {0};
                int result;

                split(text, &list);
                result = tk_conf_value_set_list(row, conf, &list, source, err);
                tk_conf_list_deinit(&list);
                return result;
        }
        return set_number(row, conf, text, source, err);
}
