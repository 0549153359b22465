/* SPDX-License-Identifier: MIT */
/* model/template_schema.c: the schemas of a template: of a task's context, of the steps' results, and of what their events say. A file with a
 * broken one is refused with its place; a stored template, registered before anybody looked at its schemas, keeps running without the broken one. */
#include "model/template_internal.h"
#include <stdio.h>

enum { PLACE_MAX = 64, POINTER_MAX = PLACE_MAX + TK_SCHEMA_POINTER_MAX };

static int compile(struct tk_template_source *src, const json_t *document, const char *pointer, struct tk_schema **ret, struct tk_err *err)
{
        char within[TK_SCHEMA_POINTER_MAX], at[POINTER_MAX];
        struct tk_err why = {0};
        if (!document || json_is_null(document) || !tk_schema_compile(document, ret, within, &why))
                return 0;
        snprintf(at, sizeof at, "%s%s", pointer, within);
        if (src->tree)
                return tk_template_fail(src, err, at, "%s: %s", pointer + 1, tk_err_text(&why));
        tk_template_warn(src, at, "%s is not checked: %s", pointer + 1, tk_err_text(&why));
        return 0;
}

static int compile_step(struct tk_template_source *src, const json_t *in, struct tk_template_step *step, uint32_t at, struct tk_err *err)
{
        char pointer[PLACE_MAX];
        const json_t *events = json_object_get(in, "publishes_events");
        snprintf(pointer, sizeof pointer, "/steps/%u/result_schema", at);
        int r = compile(src, json_object_get(in, "result_schema"), pointer, &step->result_schema, err);
        for (uint32_t i = 0; i < step->events_n && !r; i++) {
                snprintf(pointer, sizeof pointer, "/steps/%u/publishes_events/%u/schema", at, i);
                r = compile(src, json_object_get(json_array_get(events, i), "schema"), pointer, &step->events[i].schema, err);
        }
        return r;
}

int tk_template_schemas(struct tk_template_source *src, struct tk_template *tpl, struct tk_err *err)
{
        const json_t *steps = json_object_get(tpl->body, "steps");
        int r = compile(src, json_object_get(tpl->body, "input_schema"), "/input_schema", &tpl->input_schema, err);
        for (uint32_t i = 0; i < tpl->steps_n && !r; i++)
                r = compile_step(src, json_array_get(steps, i), &tpl->steps[i], i, err);
        return r;
}
