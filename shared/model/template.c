/* SPDX-License-Identifier: MIT */
/* model/template.c: what is asked of a template that is there. */
#include "model/template.h"
#include "base/mem.h"
#include "base/str.h"
#include "json/json.h"

void tk_template_canonical(const struct tk_template *tpl, struct tk_buf *buf)
{
        tk_json_canonical(tpl->body, buf);
}

struct tk_template *tk_template_free(struct tk_template *tpl)
{
        if (!tpl)
                return NULL;
        for (uint32_t i = 0; i < tpl->steps_n; i++) {
                tk_schema_free(tpl->steps[i].result_schema);
                for (uint32_t k = 0; k < tpl->steps[i].events_n; k++)
                        tk_schema_free(tpl->steps[i].events[k].schema);
        }
        tk_schema_free(tpl->input_schema);
        json_decref(tpl->body);
        tk_arena_free(tpl->arena);
        return tk_free(tpl);
}

int tk_template_step_find(const struct tk_template *tpl, const char *name)
{
        for (uint32_t i = 0; i < tpl->steps_n; i++)
                if (tk_streq(tpl->steps[i].name, name))
                        return (int)i;
        return -1;
}
