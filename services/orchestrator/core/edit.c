/* SPDX-License-Identifier: MIT */
/* orchestrator/core/edit.c: see the header. */
#include "orchestrator/core/edit.h"
#include "json/json.h"
#include "model/step_action.h"
#include "schema/schema.h"
#include "tk_sql.h"

/* What was stored of ours, changed; or what came, alone. */
static int change(const struct tk_pg_result *res, const struct orch_edit *edit, json_t **ret, struct tk_err *err)
{
        static const struct tk_json_limits limits = {.bytes_max = 4u << 20, .depth_max = 128, .entries_max = 1000000, .string_max = 4u << 20};
        TK_AUTOJSON json_t *said = NULL;
        int at = tk_pg_column(res, "context");
        if (tk_json_read(edit->context, strlen(edit->context), &limits, &said, err))
                return ORCH_EDIT_E_MISFIT;
        if (!edit->patch) {
                *ret = json_incref(said);
                return 0;
        }
        if (tk_json_read(tk_pg_str(res, 0, at), tk_pg_len(res, 0, at), &limits, ret, err))
                return TK_PG_E_SERVER;
        tk_json_merge(*ret, said);
        return 0;
}

int orch_edit_context(struct orch_bodies *bodies, struct tk_pg *pg, struct tk_arena *arena, const struct orch_edit *edit,
                      const char **ret, struct tk_err *err)
{
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        TK_AUTOJSON json_t *context = NULL, *in = NULL;
        const struct tk_template *tpl;
        struct tk_pg_args args;
        *ret = NULL;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid(&args, &edit->task);
        int r = tk_pg_query(pg, &tk_sql_task_edit, &args, &res, err);
        if (r || !tk_pg_rows(res))
                return r;
        r = orch_bodies_get(bodies, pg, arena, tk_pg_str(res, 0, tk_pg_column(res, "template_digest")), &tpl, err);
        if (!r)
                r = change(res, edit, &context, err);
        if (r)
                return r;
        in = json_pack("{s:O}", "context", context);
        if (tk_step_action_context(in, "context", arena, ret, err)) {
                *ret = NULL;
                return ORCH_EDIT_E_MISFIT;
        }
        if (!tpl->input_schema || tk_schema_check(tpl->input_schema, context, err))
                return 0;
        *ret = NULL;
        tk_err_prefix(err, "context does not fit the template's input_schema");
        return ORCH_EDIT_E_MISFIT;
}
