/* SPDX-License-Identifier: MIT */
/* worker/abi/context.c: see the header. */
#include "worker/abi/context.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "worker/abi/value.h"
#include <stdarg.h>
#include <stdio.h>

enum { FORMAT_MAX = 1 << 20, LOG_MAX = 4096, FETCH_MAX = 100 };

/* What our own services sent was checked when it came in from outside; these bounds only keep us whole. */
static const struct tk_json_limits limits = {
        .bytes_max = 64u << 20, .depth_max = 128, .entries_max = 1000000, .string_max = 64u << 20};

void work_context_deinit(struct tkw_context *ctx)
{
        json_decref(ctx->input);
        json_decref(ctx->dependencies);
        json_decref(ctx->results);
        json_decref(ctx->step_inputs);
        json_decref(ctx->checkpoint);
        ctx->input = ctx->dependencies = ctx->results = ctx->step_inputs = ctx->checkpoint = NULL;
}

const struct tkw_info *tkw_info(struct tkw_context *ctx)
{
        return &ctx->info;
}

static json_t *object_of(const struct work_text *text, struct tkw_context *ctx, const char *what)
{
        struct tk_err err = {0};
        json_t *value = NULL;
        if (text->len && tk_json_read(text->at, text->len, &limits, &value, &err))
                tk_log_error("step.bad_json", tk_err_text(&err), TK_STR("what", what), TK_STR("step_uuid", ctx->info.step_uuid));
        return value ? value : json_object();
}

const struct tkw_value *tkw_input(struct tkw_context *ctx, const char *path)
{
        if (!ctx->input)
                ctx->input = object_of(&ctx->input_json, ctx, "context");
        return work_value_view(ctx->input, path);
}

const struct tkw_value *tkw_config(struct tkw_context *ctx, const char *path)
{
        return work_value_view(ctx->tpl->steps[ctx->step].handler.initialization, path);
}

const struct tkw_value *tkw_step_input(struct tkw_context *ctx, const char *path)
{
        if (!ctx->step_inputs_json.len)
                return NULL;
        if (!ctx->step_inputs)
                ctx->step_inputs = object_of(&ctx->step_inputs_json, ctx, "step inputs");
        return work_value_view(ctx->step_inputs, path);
}

const struct tkw_value *tkw_checkpoint(struct tkw_context *ctx, const char *path)
{
        if (!ctx->checkpoint_json.len)
                return NULL;
        if (!ctx->checkpoint)
                ctx->checkpoint = object_of(&ctx->checkpoint_json, ctx, "checkpoint");
        return work_value_view(ctx->checkpoint, path);
}

bool tkw_is_no_op(struct tkw_context *ctx)
{
        bool no_op = false;
        (void)tkw_bool(tkw_step_input(ctx, "is_no_op"), &no_op);
        return no_op;
}

static json_t *dependencies(struct tkw_context *ctx)
{
        if (!ctx->dependencies)
                ctx->dependencies = object_of(&ctx->dependencies_json, ctx, "dependency results");
        return ctx->dependencies;
}

/* Fetches these and remembers what does not exist as null, so that nothing is asked twice. */
static void fetch(struct tkw_context *ctx, const char *const *names, size_t n)
{
        json_t *deps = dependencies(ctx);
        json_t *more = ctx->fetch ? ctx->fetch(ctx->user, names, n, ctx->deadline_ns) : NULL;
        if (!more) {
                ctx->unanswered = true;
                return;
        }
        json_object_update(deps, more);
        json_decref(more);
        for (size_t i = 0; i < n; i++)
                if (!json_object_get(deps, names[i]))
                        json_object_set_new(deps, names[i], json_null());
}

/* Marks every ancestor of the step, its own mark excluded. */
static void mark_ancestors(const struct tk_template *tpl, unsigned step, bool *marks, unsigned *todo)
{
        unsigned n = 0;
        todo[n++] = step;
        while (n) {
                const struct tk_template_step *at = &tpl->steps[todo[--n]];
                for (uint32_t i = 0; i < at->parents_n; i++)
                        if (!marks[at->parents[i]]) {
                                marks[at->parents[i]] = true;
                                todo[n++] = at->parents[i];
                        }
        }
}

/* The names of all ancestors whose results are not here. */
static const char **missing_names(struct tkw_context *ctx, size_t *ret_n)
{
        const struct tk_template *tpl = ctx->tpl;
        TK_AUTOFREE bool *marks = tk_calloc(tpl->steps_n, sizeof *marks);
        TK_AUTOFREE unsigned *todo = tk_calloc(tpl->steps_n + 1, sizeof *todo);
        const char **names = tk_calloc(tpl->steps_n + 1, sizeof *names);
        size_t n = 0;
        mark_ancestors(tpl, ctx->step, marks, todo);
        for (uint32_t i = 0; i < tpl->steps_n; i++)
                if (marks[i] && !json_object_get(dependencies(ctx), tpl->steps[i].name))
                        names[n++] = tpl->steps[i].name;
        *ret_n = n;
        return names;
}

static void fetch_all(struct tkw_context *ctx)
{
        if (ctx->dependencies_complete || ctx->all_fetched)
                return;
        ctx->all_fetched = true;
        size_t n;
        TK_AUTOFREE const char **names = missing_names(ctx, &n);
        for (size_t at = 0; at < n; at += FETCH_MAX)
                fetch(ctx, names + at, n - at < FETCH_MAX ? n - at : FETCH_MAX);
}

/* Whether the name is an ancestor's, or that of an instance of an ancestor: its worker's name, '_', its batch. */
static bool covers(const struct tk_template *tpl, const char *ancestor, const char *step)
{
        size_t len = strlen(ancestor);
        if (strncmp(ancestor, step, len))
                return false;
        return !step[len] || (step[len] == '_' && tpl->steps[tk_template_step_find(tpl, ancestor)].type == TK_STEP_BATCH_WORKER);
}

/* A result that travelled was chosen for being an ancestor's; only what did not needs this look. */
static bool is_ancestor(struct tkw_context *ctx, const char *step)
{
        size_t n;
        TK_AUTOFREE const char **missing = missing_names(ctx, &n);
        for (size_t i = 0; i < n; i++)
                if (covers(ctx->tpl, missing[i], step))
                        return true;
        return false;
}

/* The result of a step that succeeded, out of the text that came: usually one of a few documents of which only this member is wanted.
 * NULL: not there, or not to be found so simply. */
static const json_t *result_alone(struct tkw_context *ctx, const char *step)
{
        const json_t *known = json_object_get(ctx->results, step);
        const char *document, *success, *text;
        size_t document_len, success_len, len;
        json_t *value;
        if (known || ctx->dependencies)
                return known;
        if (!tk_json_member(ctx->dependencies_json.at, ctx->dependencies_json.len, step, &document, &document_len) ||
            !tk_json_member(document, document_len, "success", &success, &success_len) || success_len != 4 || memcmp(success, "true", 4) != 0 ||
            !tk_json_member(document, document_len, "result", &text, &len) || tk_json_read(text, len, &limits, &value, NULL))
                return NULL;
        if (!ctx->results)
                ctx->results = json_object();
        json_object_set_new(ctx->results, step, value);
        return value;
}

static const json_t *dependency(struct tkw_context *ctx, const char *step)
{
        const json_t *entry = json_object_get(dependencies(ctx), step);
        if (entry || ctx->dependencies_complete || !is_ancestor(ctx, step))
                return entry;
        fetch(ctx, &step, 1);
        return json_object_get(dependencies(ctx), step);
}

const struct tkw_value *tkw_dependency(struct tkw_context *ctx, const char *step, const char *path)
{
        const json_t *result = result_alone(ctx, step);
        if (result)
                return work_value_view(result, path);
        const json_t *entry = dependency(ctx, step);
        return json_is_true(json_object_get(entry, "success")) ? work_value_view(json_object_get(entry, "result"), path) : NULL;
}

const struct tkw_value *tkw_dependency_error(struct tkw_context *ctx, const char *step, const char *path)
{
        const json_t *entry = dependency(ctx, step);
        return json_is_false(json_object_get(entry, "success")) ? work_value_view(json_object_get(entry, "error"), path) : NULL;
}

static const char *name_at(struct tkw_context *ctx, const char *prefix, size_t at, bool success)
{
        struct work_seek *seek = &ctx->seeks[success];
        fetch_all(ctx);
        json_t *deps = dependencies(ctx);
        bool onward = seek->iter && at >= seek->at && tk_streq(prefix ? prefix : "", seek->prefix ? seek->prefix : "");
        size_t left = onward ? at - seek->at : at;
        for (void *iter = onward ? seek->iter : json_object_iter(deps); iter; iter = json_object_iter_next(deps, iter)) {
                const char *name = json_object_iter_key(iter);
                const json_t *succeeded = json_object_get(json_object_iter_value(iter), "success");
                if (!json_is_boolean(succeeded) || json_is_true(succeeded) != success || (prefix && !tk_str_starts(name, prefix)) || left--)
                        continue;
                if (!onward)
                        seek->prefix = prefix ? tk_arena_strndup(ctx->arena, prefix, strlen(prefix)) : NULL;
                seek->iter = iter;
                seek->at = at;
                return name;
        }
        return NULL;
}

const char *tkw_dependency_name(struct tkw_context *ctx, const char *prefix, size_t at)
{
        return name_at(ctx, prefix, at, true);
}

const char *tkw_failed_dependency_name(struct tkw_context *ctx, const char *prefix, size_t at)
{
        return name_at(ctx, prefix, at, false);
}

bool tkw_cancelled(struct tkw_context *ctx)
{
        return atomic_load_explicit(ctx->cancelled, memory_order_relaxed) || tk_time_mono_ns() >= ctx->deadline_ns;
}

int64_t tkw_remaining_ms(struct tkw_context *ctx)
{
        int64_t left_ns = ctx->deadline_ns - tk_time_mono_ns();
        return left_ns > 0 ? left_ns / TK_NS_PER_MS : 0;
}

static const char *arena_text(struct tkw_context *ctx, struct tk_buf *buf)
{
        return tk_arena_strndup(ctx->arena, tk_buf_str(buf), buf->len);
}

const char *tkw_json(struct tkw_context *ctx, const struct tkw_value *value)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, limits.bytes_max);
        work_value_dump(value, &buf);
        return arena_text(ctx, &buf);
}

const char *tkw_format(struct tkw_context *ctx, const char *fmt, ...)
{
        va_list ap, again;
        va_start(ap, fmt);
        va_copy(again, ap);
        int want = vsnprintf(NULL, 0, fmt, ap);
        va_end(ap);
        size_t size = want < 0 ? 1 : want >= FORMAT_MAX ? FORMAT_MAX : (size_t)want + 1;
        char *text = tk_arena_alloc(ctx->arena, size);
        if (want >= 0)
                vsnprintf(text, size, fmt, again);
        va_end(again);
        return text;
}

void tkw_log(struct tkw_context *ctx, enum tkw_level level, const char *fmt, ...)
{
        static const enum tk_log_level levels[] = {
                [TKW_ERROR] = TK_LOG_ERROR, [TKW_WARN] = TK_LOG_WARN, [TKW_INFO] = TK_LOG_INFO, [TKW_DEBUG] = TK_LOG_DEBUG,
        };
        char text[LOG_MAX];
        va_list ap;
        if ((size_t)level >= tk_countof(levels) || !tk_log_enabled(levels[level]))
                return;
        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        tk_log(levels[level], "handler.log", text, TK_STR("task_uuid", ctx->info.task_uuid), TK_STR("step_uuid", ctx->info.step_uuid),
               TK_STR("step_name", ctx->info.step_name), TK_INT("attempt", ctx->info.attempt),
               TK_STR("correlation_id", ctx->info.correlation_id));
}
