/* SPDX-License-Identifier: MIT */
/* model/template_schema.c: the schemas of a template: of a task's context, and of the steps' results. A file with a broken one is refused with its
 * place; a stored template, registered before anybody looked at its schemas, keeps running without the broken one. */
#include "model/template_internal.h"
#include <stdio.h>

enum { POINTER_MAX = 64 + TK_SCHEMA_POINTER_MAX };

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

int tk_template_schemas(struct tk_template_source *src, struct tk_template *tpl, struct tk_err *err)
{
        int r = compile(src, json_object_get(tpl->body, "input_schema"), "/input_schema", &tpl->input_schema, err);
        for (uint32_t i = 0; i < tpl->steps_n && !r; i++) {
                char pointer[48];
                snprintf(pointer, sizeof pointer, "/steps/%u/result_schema", i);
                r = compile(src, json_object_get(json_array_get(json_object_get(tpl->body, "steps"), i), "result_schema"), pointer,
                            &tpl->steps[i].result_schema, err);
        }
        return r;
}
