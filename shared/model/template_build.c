/* SPDX-License-Identifier: MIT */
/* model/template_build.c: a normalised body as structs. Names become numbers here. */
#include "base/map.h"
#include "base/str.h"
#include "json/json.h"
#include "model/template_internal.h"
#include <stdio.h>

enum { POINTER_MAX = 128, MS_PER_S = 1000 };

static unsigned word(const char *const *words, const char *text)
{
        for (unsigned i = 0; words[i]; i++)
                if (tk_streq(words[i], text))
                        return i;
        return 0;
}

static void build_retry(struct tk_template_step *step, const json_t *retry)
{
        step->retryable = tk_json_bool(retry, "retryable", 1);
        step->max_attempts = (uint16_t)tk_json_i64(retry, "max_attempts", 3);
        step->backoff = (enum tk_backoff)word(tk_template_backoffs, tk_json_str(retry, "backoff"));
        step->backoff_base_ms = (uint32_t)tk_json_i64(retry, "backoff_base_ms", 1000);
        step->backoff_max_ms = (uint32_t)tk_json_i64(retry, "max_backoff_ms", 30000);
}

/* What a step does not say of its queue, its template says for all. */
static void build_times(struct tk_template_step *step, const json_t *in, const json_t *body)
{
        const char *on_queue_timeout = tk_json_str(in, "on_queue_timeout");
        step->timeout_ms = (uint32_t)tk_json_i64(in, "timeout_seconds", 0) * MS_PER_S;
        step->on_timeout = tk_json_str(in, "on_timeout");
        step->queue_timeout_ms = (uint32_t)tk_json_i64(in, "queue_timeout_seconds", tk_json_i64(body, "queue_timeout_seconds", 0)) * MS_PER_S;
        step->on_queue_timeout = on_queue_timeout ? on_queue_timeout : tk_json_str(body, "on_queue_timeout");
}

static void build_step(struct tk_template_step *step, const json_t *in, const json_t *body)
{
        const json_t *handler = json_object_get(in, "handler");
        step->name = tk_json_str(in, "name");
        step->description = tk_json_str(in, "description");
        step->type = (enum tk_step_type)word(tk_template_step_types, tk_json_str(in, "type"));
        step->handler.callable = tk_json_str(handler, "callable");
        step->handler.method = tk_json_str(handler, "method");
        step->handler.resolver = tk_json_str(handler, "resolver");
        step->handler.initialization = json_object_get(handler, "initialization");
        build_times(step, in, body);
        build_retry(step, json_object_get(in, "retry"));
        const json_t *batch = json_object_get(in, "batch_config");
        step->batch.worker_template = tk_json_str(batch, "worker_template");
        step->batch.cursor_field = tk_json_str(batch, "cursor_field");
        step->batch.failure_strategy = tk_json_str(batch, "failure_strategy");
        step->batch.parallelism = (uint32_t)tk_json_i64(batch, "parallelism", 0);
}

/* Map values are step numbers + 1. */
static void *number(uint32_t i)
{
        return (void *)((uintptr_t)i + 1);
}

static int build_names(struct tk_template_source *src, struct tk_template *tpl, struct tk_map *names, struct tk_err *err)
{
        for (uint32_t i = 0; i < tpl->steps_n; i++) {
                char at[POINTER_MAX];
                void *before = tk_map_puts(names, tpl->steps[i].name, number(i));
                if (!before)
                        continue;
                snprintf(at, sizeof at, "/steps/%u/name", i);
                return tk_template_fail(src, err, at, "step '%s' stands here a second time (it is also step %zu)",
                                        tpl->steps[i].name, (size_t)(uintptr_t)before);
        }
        return 0;
}

static int build_parents(struct tk_template_source *src, struct tk_template *tpl, uint32_t at_step,
                         const struct tk_map *names, const json_t *dependencies, struct tk_err *err)
{
        struct tk_template_step *step = &tpl->steps[at_step];
        step->parents = TK_ARENA_ARRAY(tpl->arena, uint16_t, json_array_size(dependencies) + 1);
        for (size_t i = 0; i < json_array_size(dependencies); i++) {
                char at[POINTER_MAX];
                const char *name = json_string_value(json_array_get(dependencies, i));
                uintptr_t parent = (uintptr_t)tk_map_gets(names, name);
                snprintf(at, sizeof at, "/steps/%u/dependencies/%zu", at_step, i);
                if (!parent)
                        return tk_template_fail(
                                src, err, at, "step '%s' depends on '%.100s', which is not a step of this template",
                                step->name, name);
                if (parent - 1 == at_step)
                        return tk_template_fail(src, err, at, "step '%s' depends on itself", step->name);
                for (uint32_t k = 0; k < step->parents_n; k++)
                        if (step->parents[k] == parent - 1)
                                return tk_template_fail(src, err, at, "step '%s' names its dependency '%s' twice",
                                                        step->name, name);
                step->parents[step->parents_n++] = (uint16_t)(parent - 1);
        }
        return 0;
}

int tk_template_build(struct tk_template_source *src, struct tk_template *tpl, struct tk_err *err)
{
        const json_t *steps = json_object_get(tpl->body, "steps");
        size_t n = json_array_size(steps);
        TK_CLEANUP(tk_map_free) struct tk_map *names = tk_map_new();
        tpl->ns = tk_json_str(tpl->body, "namespace_name");
        tpl->name = tk_json_str(tpl->body, "name");
        tpl->version = tk_json_str(tpl->body, "version");
        tpl->description = tk_json_str(tpl->body, "description");
        tpl->identity = tk_json_str(tpl->body, "identity_strategy");
        if (!n || n > TK_TEMPLATE_STEPS_MAX)
                return tk_template_fail(src, err, "/steps", "steps must have 1 to %d entries, found %zu",
                                        TK_TEMPLATE_STEPS_MAX, n);
        tpl->steps_n = (uint32_t)n;
        tpl->steps = TK_ARENA_ARRAY(tpl->arena, struct tk_template_step, n);
        for (uint32_t i = 0; i < n; i++)
                build_step(&tpl->steps[i], json_array_get(steps, i), tpl->body);
        int r = build_names(src, tpl, names, err);
        for (uint32_t i = 0; i < n && !r; i++)
                r = build_parents(src, tpl, i, names, json_object_get(json_array_get(steps, i), "dependencies"), err);
        for (uint32_t i = 0; i < n && !r; i++)
                r = tk_template_build_events(src, tpl, i, err);
        return r;
}
