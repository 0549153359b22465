/* SPDX-License-Identifier: MIT */
/* model/template_internal.h: the way of a template: YAML → tree → checked keys (template_keys.c) → environment overrides
 * (template_env.c) → structs (template_build.c) → graph (template_graph.c) → rules (template_check.c) → schemas (template_schema.c). */
#pragma once
#include "model/template.h"
#include "model/yaml_tree.h"

/* Where messages come from; tree NULL: a stored body, which has no lines. */
struct tk_template_source {
        const char *file;
        const struct tk_yaml_tree *tree;
        struct tk_arena *arena;
        char **warnings;
        uint32_t warnings_n;
};
/* "file:line:column: " + text as error; returns -EINVAL. */
int tk_template_fail(const struct tk_template_source *src, struct tk_err *err, const char *pointer, const char *fmt,
                     ...) TK_PRINTF(4, 5);
void tk_template_warn(struct tk_template_source *src, const char *pointer, const char *fmt, ...) TK_PRINTF(3, 4);

/* The words of enum tk_step_type and enum tk_backoff, in their order; NULL ends them. */
extern const char *const tk_template_step_types[], *const tk_template_backoffs[];

/* A new document with every known key checked, aliases resolved and defaults filled; unknown keys are kept and warned of. */
TK_MUST int tk_template_normalise(struct tk_template_source *src, const json_t *in, json_t **ret, struct tk_err *err);
/* Applies environments.<name> to the steps of a normalised body. */
TK_MUST int tk_template_apply_environment(struct tk_template_source *src, json_t *body, const char *environment,
                                          struct tk_err *err);
/* Fills steps from the body; parents by name. */
TK_MUST int tk_template_build(struct tk_template_source *src, struct tk_template *tpl, struct tk_err *err);
/* What the step publishes (template_events.c). */
TK_MUST int tk_template_build_events(struct tk_template_source *src, struct tk_template *tpl, uint32_t at_step, struct tk_err *err);
/* Cycle check, ancestors, at_start. */
TK_MUST int tk_template_graph(struct tk_template_source *src, struct tk_template *tpl, struct tk_err *err);
/* The other rules: decisions have a dependency, event names, batch workers. */
TK_MUST int tk_template_check(struct tk_template_source *src, const struct tk_template *tpl, struct tk_err *err);
/* Compiles input_schema, and the schemas of every step's result and events. */
TK_MUST int tk_template_schemas(struct tk_template_source *src, struct tk_template *tpl, struct tk_err *err);
