/* SPDX-License-Identifier: MIT */
/* A template's YAML. What is accepted has a canonical body that reads back as the same template. */
#include "fuzz/fuzz.h"
#include "base/str.h"
#include "model/template.h"

static void accepted(const struct tk_template *tpl)
{
        TK_AUTOBUF struct tk_buf body, again, rows;
        TK_CLEANUP(tk_template_free) struct tk_template *second = NULL;
        struct tk_err err = {0};
        tk_buf_init(&body, SIZE_MAX / 2);
        tk_buf_init(&again, SIZE_MAX / 2);
        tk_buf_init(&rows, SIZE_MAX / 2);
        tk_template_canonical(tpl, &body);
        TK_CHECK(!tk_template_parse_json(body.data, body.len, &second, &err));
        TK_CHECK(tk_streq(tpl->digest, second->digest));
        tk_template_canonical(second, &again);
        TK_CHECK(tk_streq(body.data, again.data));
        tk_template_db_steps(tpl, &rows);
        tk_template_db_edges(tpl, &rows);
        for (uint32_t i = 0; i < tpl->steps_n; i++)
                TK_CHECK(tk_template_step_find(tpl, tpl->steps[tpl->order[i]].name) == tpl->order[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
        static const char *const environments[] = {NULL, "test"};
        for (size_t i = 0; i < 2; i++) {
                struct tk_template *tpl = NULL;
                struct tk_err err = {0};
                if (tk_template_parse_yaml("fuzz.yaml", data, len, environments[i], &tpl, &err))
                        TK_CHECK(*tk_err_text(&err));
                else
                        accepted(tpl);
                tk_template_free(tpl);
        }
        return 0;
}
