/* SPDX-License-Identifier: MIT */
/* model/growth_decision.c: {"type": "no_branches"} or {"type": "create_steps", "step_names": […]}, checked name by name. */
#include "base/mem.h"
#include "base/str.h"
#include "json/json.h"
#include "model/growth_internal.h"
#include <errno.h>

static uint32_t depth_of(const struct tk_growing *g)
{
        const struct tk_template *tpl = g->tpl;
        TK_AUTOFREE uint32_t *depth = tk_calloc(tpl->steps_n, sizeof *depth);
        for (uint32_t i = 0; i < tpl->steps_n; i++) {
                const struct tk_template_step *step = &tpl->steps[tpl->order[i]];
                uint32_t *mine = &depth[tpl->order[i]];
                for (uint32_t k = 0; k < step->parents_n; k++)
                        *mine = depth[step->parents[k]] > *mine ? depth[step->parents[k]] : *mine;
                *mine += step->type == TK_STEP_DECISION;
        }
        return depth[g->source];
}

static int check_name(struct tk_growing *g, const bool *segment, const json_t *item, size_t at, struct tk_err *err)
{
        const char *decision = g->tpl->steps[g->source].name, *name = json_string_value(item);
        if (!name)
                return TK_ERR(err, -EINVAL, "decision '%s': step_names[%zu] is not a string", decision, at);
        int no = tk_template_step_find(g->tpl, name);
        if (no < 0)
                return TK_ERR(err, -EINVAL, "decision '%s' names '%.100s', which is not a step of its template", decision, name);
        if (g->named[no])
                return TK_ERR(err, -EINVAL, "decision '%s' names '%s' twice", decision, name);
        if (g->tpl->steps[no].type == TK_STEP_DECISION)
                return TK_ERR(err, -EINVAL,
                              "decision '%s' names '%s', another decision: decisions follow the steps they depend on and cannot be named",
                              decision, name);
        if (g->tpl->steps[no].type == TK_STEP_BATCH_WORKER)
                return TK_ERR(err, -EINVAL, "decision '%s' names '%s', a batch_worker: only its analyzer makes instances of it", decision, name);
        if (!segment[no])
                return TK_ERR(err, -EINVAL, "decision '%s' names '%s', which is not below it, or below another decision", decision, name);
        g->named[no] = true;
        if (g->status[no] == TK_GROWTH_ABSENT) /* another decision may have named it before */
                g->created[no] = true;
        return 0;
}

static int check_names(struct tk_growing *g, const json_t *names, struct tk_err *err)
{
        const char *decision = g->tpl->steps[g->source].name;
        size_t n = json_array_size(names);
        if (!json_is_array(names) || !n)
                return TK_ERR(err, -EINVAL, "decision '%s': create_steps needs step_names, a list of at least one; no_branches says none", decision);
        if (n > g->limits->decision_steps_max)
                return TK_ERR(err, -EINVAL, "decision '%s' names %zu steps, %u are allowed (decision.steps_max)", decision, n,
                              g->limits->decision_steps_max);
        uint32_t depth = depth_of(g);
        if (depth > g->limits->decision_depth_max)
                return TK_ERR(err, -EINVAL, "decision '%s' is number %u of the decisions on its way, %u are allowed (decision.depth_max)",
                              decision, depth, g->limits->decision_depth_max);
        TK_AUTOFREE bool *segment = tk_calloc(g->tpl->steps_n, sizeof *segment);
        tk_growing_segment(g, segment);
        for (size_t i = 0; i < n; i++) {
                int r = check_name(g, segment, json_array_get(names, i), i, err);
                if (r)
                        return r;
        }
        g->branches = true;
        g->names_n = (uint32_t)n;
        g->depth = depth;
        return 0;
}

int tk_growing_decide(struct tk_growing *g, const json_t *outcome, struct tk_err *err)
{
        const char *type = tk_json_str(outcome, "type"), *decision = g->tpl->steps[g->source].name;
        if (!outcome)
                return TK_ERR(err, -EINVAL, "decision '%s': its result has no decision_point_outcome", decision);
        if (tk_streq(type, "no_branches"))
                return 0;
        if (tk_streq(type, "create_steps"))
                return check_names(g, json_object_get(outcome, "step_names"), err);
        return TK_ERR(err, -EINVAL, "decision '%s': decision_point_outcome.type must be no_branches or create_steps, found %.60s", decision,
                      type ? type : "none");
}
