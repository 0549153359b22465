/* SPDX-License-Identifier: MIT */
/* model/template_keys.c: every key of the template format, once: type, range, default. The table checks and fills. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/template_internal.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

enum kind { K_STR, K_INT, K_BOOL, K_ENUM, K_ANY, K_MAP, K_STRS, K_OBJECT, K_OBJECTS, K_NAMED /* a map of maps */ };
enum { POINTER_MAX = 1024 };

struct key_table;
struct key {
        const char *name, *alias;
        enum kind kind;
        bool required;
        int64_t min, max;                /* of the integer, or of the string's length */
        const char *or_else;             /* JSON text of the default; NULL: the key stays absent */
        const char *const *words;        /* K_ENUM */
        const struct key_table *members; /* K_OBJECT, K_OBJECTS, K_NAMED */
        bool (*well_formed)(const char *text);
        const char *form;                /* what well_formed wants, for people */
};
struct key_table {
        const struct key *keys;
        size_t n;
};
#define TABLE(keys_) ((struct key_table){keys_, tk_countof(keys_)})

static bool is_identifier(const char *text)
{
        if (!isalpha((unsigned char)*text) && *text != '_')
                return false;
        for (; *text; text++)
                if (!isalnum((unsigned char)*text) && *text != '_')
                        return false;
        return true;
}

/* Lower-case words joined by dots, at least one dot. */
static bool is_event_name(const char *text)
{
        size_t dots = 0;
        char before = '.';
        for (; *text; before = *text++) {
                if (*text == '.' && before == '.')
                        return false;
                dots += *text == '.';
                if (*text != '.' && *text != '_' && !islower((unsigned char)*text) && !isdigit((unsigned char)*text))
                        return false;
        }
        return dots && before != '.';
}

/* Names joined by "::" or ".". */
static bool is_publisher(const char *text)
{
        do {
                size_t n = 0;
                while (isalnum((unsigned char)text[n]) || text[n] == '_')
                        n++;
                if (!n || isdigit((unsigned char)*text))
                        return false;
                text += n;
                n = tk_str_starts(text, "::") ? 2 : *text == '.';
                if (*text && !n)
                        return false;
                text += n;
                if (n && !*text)
                        return false;
        } while (*text);
        return true;
}

const char *const tk_template_step_types[] = {"standard", "decision", "deferred_convergence", "batchable", "batch_worker", NULL};
const char *const tk_template_backoffs[] = {"none", "fixed", "linear", "exponential", "fibonacci", NULL};
static const char *const strategies[] = {"strict", "caller_provided", "always_unique", NULL};
static const char *const failure_strategies[] = {"continue_on_failure", "fail_fast", "isolate", NULL};
static const char *const conditions[] = {"success", "failure", "retryable_failure", "permanent_failure", "always", NULL};
static const char *const deliveries[] = {"durable", "fast", "broadcast", NULL};
static const char *const staleness[] = {"dlq", "error", "none", NULL};
static const char *const on_timeouts[] = {"retry", "error", "cancel", NULL};
static const char *const ends[] = {"error", "cancel", NULL}; /* of a task */

static const struct key handler_keys[] = {
        {.name = "callable", .kind = K_STR, .required = true, .min = 1, .max = 500},
        {.name = "method", .kind = K_STR, .min = 1, .max = 255, .or_else = "\"call\""},
        {.name = "resolver", .kind = K_STR, .min = 1, .max = 255},
        {.name = "initialization", .kind = K_MAP, .or_else = "{}"},
};
static const struct key retry_keys[] = {
        {.name = "retryable", .kind = K_BOOL, .or_else = "true"},
        {.name = "max_attempts", .kind = K_INT, .min = 0, .max = 100, .or_else = "3"},
        {.name = "backoff", .kind = K_ENUM, .words = tk_template_backoffs, .or_else = "\"exponential\""},
        {.name = "backoff_base_ms", .kind = K_INT, .min = 0, .max = 3600000, .or_else = "1000"},
        {.name = "max_backoff_ms", .kind = K_INT, .min = 0, .max = 3600000, .or_else = "30000"},
};
static const struct key batch_keys[] = {
        {.name = "batch_size", .kind = K_INT, .min = 1, .max = 100000, .or_else = "1000"},
        {.name = "parallelism", .kind = K_INT, .min = 1, .max = 1000, .or_else = "10"},
        {.name = "cursor_field", .kind = K_STR, .min = 1, .max = 255, .or_else = "\"id\""},
        {.name = "worker_template", .kind = K_STR, .min = 1, .max = 255},
        {.name = "failure_strategy", .kind = K_ENUM, .words = failure_strategies, .or_else = "\"continue_on_failure\""},
        {.name = "checkpoint_interval", .kind = K_INT, .min = 1, .max = 1000000},
};
static const struct key event_keys[] = {
        {.name = "name", .kind = K_STR, .required = true, .min = 3, .max = 255, .well_formed = is_event_name,
         .form = "lower-case words joined by dots, with at least one dot"},
        {.name = "description", .kind = K_STR, .min = 0, .max = 4096},
        {.name = "schema", .kind = K_MAP},
        {.name = "condition", .kind = K_ENUM, .words = conditions, .or_else = "\"success\""},
        {.name = "delivery_mode", .kind = K_ENUM, .words = deliveries, .or_else = "\"durable\""},
        {.name = "publisher", .kind = K_STR, .min = 1, .max = 255, .well_formed = is_publisher, .form = "names joined by '::' or '.'"},
};
static const struct key lifecycle_keys[] = {
        {.name = "max_duration_minutes", .kind = K_INT, .min = 1, .max = 43200},
        {.name = "max_waiting_for_dependencies_minutes", .kind = K_INT, .min = 1, .max = 10080},
        {.name = "max_waiting_for_retry_minutes", .kind = K_INT, .min = 1, .max = 10080},
        {.name = "max_steps_in_process_minutes", .kind = K_INT, .min = 1, .max = 10080},
        {.name = "staleness_action", .kind = K_ENUM, .words = staleness},
        {.name = "auto_fail_on_timeout", .kind = K_BOOL},
        {.name = "auto_dlq_on_timeout", .kind = K_BOOL},
};
static const struct key_table handler_table = TABLE(handler_keys), retry_table = TABLE(retry_keys),
                              batch_table = TABLE(batch_keys), event_table = TABLE(event_keys),
                              lifecycle_table = TABLE(lifecycle_keys);

static const struct key step_keys[] = {
        {.name = "name", .kind = K_STR, .required = true, .min = 1, .max = 128},
        {.name = "description", .kind = K_STR, .min = 0, .max = 4096},
        {.name = "type", .alias = "step_type", .kind = K_ENUM, .words = tk_template_step_types, .or_else = "\"standard\""},
        {.name = "handler", .kind = K_OBJECT, .required = true, .members = &handler_table},
        {.name = "dependencies", .alias = "depends_on", .kind = K_STRS, .or_else = "[]"},
        {.name = "retry", .kind = K_OBJECT, .members = &retry_table, .or_else = "{}"},
        {.name = "timeout_seconds", .kind = K_INT, .min = 1, .max = 86400},
        {.name = "on_timeout", .kind = K_ENUM, .words = on_timeouts},
        {.name = "queue_timeout_seconds", .kind = K_INT, .min = 1, .max = 604800},
        {.name = "on_queue_timeout", .kind = K_ENUM, .words = on_timeouts},
        {.name = "system_dependency", .kind = K_STR, .min = 0, .max = 255},
        {.name = "publishes_events", .kind = K_OBJECTS, .members = &event_table, .or_else = "[]"},
        {.name = "batch_config", .kind = K_OBJECT, .members = &batch_table},
        {.name = "lifecycle", .kind = K_ANY},
        {.name = "result_schema", .kind = K_ANY},
        {.name = "composition", .kind = K_ANY},
};
static const struct key_table step_table = TABLE(step_keys);

/* What an environment may change of a step. Absent stays absent: there are no defaults here. */
static const struct key override_handler_keys[] = {
        {.name = "initialization", .kind = K_MAP},
};
static const struct key override_retry_keys[] = {
        {.name = "retryable", .kind = K_BOOL},
        {.name = "max_attempts", .kind = K_INT, .min = 0, .max = 100},
        {.name = "backoff", .kind = K_ENUM, .words = tk_template_backoffs},
        {.name = "backoff_base_ms", .kind = K_INT, .min = 0, .max = 3600000},
        {.name = "max_backoff_ms", .kind = K_INT, .min = 0, .max = 3600000},
};
static const struct key_table override_handler_table = TABLE(override_handler_keys), override_retry_table = TABLE(override_retry_keys);
static const struct key override_keys[] = {
        {.name = "name", .kind = K_STR, .required = true, .min = 1, .max = 128},
        {.name = "handler", .kind = K_OBJECT, .members = &override_handler_table},
        {.name = "timeout_seconds", .kind = K_INT, .min = 1, .max = 86400},
        {.name = "retry", .kind = K_OBJECT, .members = &override_retry_table},
};
static const struct key_table override_table = TABLE(override_keys);
static const struct key environment_keys[] = {
        {.name = "steps", .kind = K_OBJECTS, .members = &override_table},
};
static const struct key_table environment_table = TABLE(environment_keys);

static const struct key template_keys[] = {
        {.name = "name", .kind = K_STR, .required = true, .min = 1, .max = 255},
        {.name = "namespace_name",
         .alias = "namespace",
         .kind = K_STR,
         .required = true,
         .min = 1,
         .max = 29,
         .well_formed = is_identifier,
         .form = "letters, digits and underscores, not beginning with a digit"},
        {.name = "version", .kind = K_STR, .required = true, .min = 1, .max = 50},
        {.name = "description", .kind = K_STR, .min = 0, .max = 4096},
        {.name = "identity_strategy", .kind = K_ENUM, .words = strategies, .or_else = "\"strict\""},
        {.name = "timeout_seconds", .kind = K_INT, .min = 1, .max = 2592000},
        {.name = "on_timeout", .kind = K_ENUM, .words = ends},
        {.name = "queue_timeout_seconds", .kind = K_INT, .min = 1, .max = 604800},
        {.name = "on_queue_timeout", .kind = K_ENUM, .words = on_timeouts},
        {.name = "metadata", .kind = K_ANY},
        {.name = "system_dependencies", .kind = K_ANY},
        {.name = "domain_events", .kind = K_ANY},
        {.name = "input_schema", .kind = K_ANY},
        {.name = "steps", .kind = K_OBJECTS, .members = &step_table, .or_else = "[]"},
        {.name = "environments", .kind = K_NAMED, .members = &environment_table},
        {.name = "lifecycle", .kind = K_OBJECT, .members = &lifecycle_table},
};
static const struct key_table template_table = TABLE(template_keys);

static const char *kind_name(enum kind kind)
{
        static const char *const names[] = {"a string",      "an integer", "true or false",     "a word",
                                            "anything",      "a map",      "a list of strings", "a map",
                                            "a list of maps", "a map of maps"};
        return names[kind];
}

static const char *found_name(const json_t *value)
{
        static const char *const names[] = {"a map", "a list", "a string", "an integer", "a number with a fraction",
                                            "true",  "false",  "nothing"};
        return names[json_typeof(value)];
}

static const struct key *find(const struct key_table *table, const char *name)
{
        for (size_t i = 0; i < table->n; i++)
                if (tk_streq(table->keys[i].name, name) || tk_streq(table->keys[i].alias, name))
                        return &table->keys[i];
        return NULL;
}

/* Edit distance, for "did you mean"; names are short. */
static size_t distance(const char *a, const char *b)
{
        enum { LONGEST = 40 };
        size_t row[LONGEST + 1], n = strlen(b);
        if (n > LONGEST || strlen(a) > LONGEST)
                return SIZE_MAX;
        for (size_t j = 0; j <= n; j++)
                row[j] = j;
        for (size_t i = 1; a[i - 1]; i++) {
                size_t diagonal = row[0];
                row[0] = i;
                for (size_t j = 1; j <= n; j++) {
                        size_t above = row[j], best = diagonal + (a[i - 1] != b[j - 1]);
                        best = above + 1 < best ? above + 1 : best;
                        best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
                        diagonal = above;
                        row[j] = best;
                }
        }
        return row[n];
}

static const char *nearest(const struct key_table *table, const char *name)
{
        const char *best = NULL;
        size_t least = 4;
        for (size_t i = 0; i < table->n; i++) {
                size_t d = distance(name, table->keys[i].name);
                if (d < least) {
                        least = d;
                        best = table->keys[i].name;
                }
        }
        return best;
}

static int check_string(struct tk_template_source *src, const struct key *key, const json_t *value,
                        const char *pointer, struct tk_err *err)
{
        const char *text = json_string_value(value);
        int64_t len = (int64_t)json_string_length(value);
        if (len < key->min || len > key->max)
                return tk_template_fail(src, err, pointer, "%s must have %lld to %lld characters, found %lld",
                                        key->name, (long long)key->min, (long long)key->max, (long long)len);
        if (key->well_formed && !key->well_formed(text))
                return tk_template_fail(src, err, pointer, "%s must be %s, found '%.100s'", key->name, key->form, text);
        return 0;
}

static int check_word(struct tk_template_source *src, const struct key *key, const json_t *value,
                      const char *pointer, struct tk_err *err)
{
        char words[256] = "";
        const char *text = json_string_value(value);
        size_t len = 0;
        for (size_t i = 0; key->words[i]; i++) {
                if (tk_streq(text, key->words[i]))
                        return 0;
                len += (size_t)snprintf(words + len, sizeof words - len, "%s%s", i ? ", " : "", key->words[i]);
        }
        return tk_template_fail(src, err, pointer, "%s must be one of %s; found '%.60s'", key->name, words, text);
}

static bool has_kind(const struct key *key, const json_t *value)
{
        switch (key->kind) {
        case K_STR:
        case K_ENUM:
                return json_is_string(value);
        case K_INT:
                return json_is_integer(value);
        case K_BOOL:
                return json_is_boolean(value);
        case K_MAP:
        case K_OBJECT:
        case K_NAMED:
                return json_is_object(value);
        case K_STRS:
        case K_OBJECTS:
                return json_is_array(value);
        case K_ANY:
                return true;
        }
        return false;
}

static int normalise(struct tk_template_source *src, const struct key_table *table, const json_t *in,
                     const char *pointer, json_t **ret, struct tk_err *err);

static int normalise_list(struct tk_template_source *src, const struct key *key, const json_t *value,
                          const char *pointer, json_t **ret, struct tk_err *err)
{
        size_t i;
        json_t *item;
        *ret = json_array();
        json_array_foreach((json_t *)(uintptr_t)value, i, item) {
                char at[POINTER_MAX];
                json_t *out = NULL;
                snprintf(at, sizeof at, "%s/%zu", pointer, i);
                if (key->kind == K_STRS) {
                        if (!json_is_string(item))
                                return tk_template_fail(src, err, at, "%s must be a list of strings, found %s",
                                                        key->name, found_name(item));
                        json_array_append(*ret, item);
                        continue;
                }
                if (!json_is_object(item))
                        return tk_template_fail(src, err, at, "%s must be a list of maps, found %s", key->name,
                                                found_name(item));
                int r = normalise(src, key->members, item, at, &out, err);
                json_array_append_new(*ret, out);
                if (r)
                        return r;
        }
        return 0;
}

static int normalise_named(struct tk_template_source *src, const struct key *key, const json_t *value, const char *pointer, json_t **ret,
                           struct tk_err *err)
{
        const char *name;
        json_t *item;
        *ret = json_object();
        json_object_foreach((json_t *)(uintptr_t)value, name, item) {
                char at[POINTER_MAX];
                json_t *out = NULL;
                snprintf(at, sizeof at, "%s/%s", pointer, name);
                if (json_is_null(item))
                        continue; /* as if it were absent */
                if (!json_is_object(item))
                        return tk_template_fail(src, err, at, "%s must be a map of maps, found %s", key->name, found_name(item));
                int r = normalise(src, key->members, item, at, &out, err);
                json_object_set_new(*ret, name, out);
                if (r)
                        return r;
        }
        return 0;
}

static int normalise_value(struct tk_template_source *src, const struct key *key, const json_t *value,
                           const char *pointer, json_t **ret, struct tk_err *err)
{
        if (!has_kind(key, value))
                return tk_template_fail(src, err, pointer, "%s must be %s, found %s%s", key->name,
                                        kind_name(key->kind), found_name(value),
                                        key->kind == K_STR && json_is_number(value) ? " (put it in quotes)" : "");
        if (key->kind == K_OBJECT)
                return normalise(src, key->members, value, pointer, ret, err);
        if (key->kind == K_NAMED)
                return normalise_named(src, key, value, pointer, ret, err);
        if (key->kind == K_STRS || key->kind == K_OBJECTS)
                return normalise_list(src, key, value, pointer, ret, err);
        *ret = json_incref((json_t *)(uintptr_t)value);
        if (key->kind == K_STR)
                return check_string(src, key, value, pointer, err);
        if (key->kind == K_ENUM)
                return check_word(src, key, value, pointer, err);
        int64_t number = json_integer_value(value);
        if (key->kind == K_INT && (number < key->min || number > key->max))
                return tk_template_fail(src, err, pointer, "%s must be between %lld and %lld, found %lld",
                                        key->name, (long long)key->min, (long long)key->max, (long long)number);
        return 0;
}

static int fill_default(struct tk_template_source *src, const struct key *key, const char *pointer, json_t *out,
                        struct tk_err *err)
{
        char at[POINTER_MAX];
        json_t *value = NULL;
        if (json_object_get(out, key->name))
                return 0;
        if (key->required)
                return tk_template_fail(src, err, pointer, "%s is missing", key->name);
        if (!key->or_else)
                return 0;
        json_t *given = json_loads(key->or_else, JSON_DECODE_ANY, NULL);
        snprintf(at, sizeof at, "%s/%s", pointer, key->name);
        int r = normalise_value(src, key, given, at, &value, err);
        json_decref(given);
        json_object_set_new(out, key->name, value);
        return r;
}

static int normalise(struct tk_template_source *src, const struct key_table *table, const json_t *in,
                     const char *pointer, json_t **ret, struct tk_err *err)
{
        const char *name;
        json_t *value;
        int r = 0;
        *ret = json_object();
        json_object_foreach((json_t *)(uintptr_t)in, name, value) {
                char at[POINTER_MAX];
                json_t *out = NULL;
                const struct key *key = find(table, name);
                snprintf(at, sizeof at, "%s/%s", pointer, name);
                if (!key) {
                        const char *like = nearest(table, name);
                        tk_template_warn(src, at, "unknown key '%.100s' is kept, but means nothing here%s%s%s",
                                         name, like ? " (did you mean '" : "", like ? like : "", like ? "'?)" : "");
                        json_object_set(*ret, name, value);
                        continue;
                }
                if (json_is_null(value))
                        continue; /* as if it were absent */
                if (json_object_get(*ret, key->name))
                        return tk_template_fail(src, err, at, "%s is given twice, also as %s", key->name, key->alias);
                r = normalise_value(src, key, value, at, &out, err);
                json_object_set_new(*ret, key->name, out ? out : json_null());
                if (r)
                        return r;
        }
        for (size_t i = 0; i < table->n && !r; i++)
                r = fill_default(src, &table->keys[i], pointer, *ret, err);
        return r;
}

int tk_template_normalise(struct tk_template_source *src, const json_t *in, json_t **ret, struct tk_err *err)
{
        if (!json_is_object(in))
                return tk_template_fail(src, err, "", "a template must be a map, found %s", found_name(in));
        return normalise(src, &template_table, in, "", ret, err);
}
