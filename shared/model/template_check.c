/* SPDX-License-Identifier: MIT */
/* model/template_check.c: rules beyond types, ranges and edges. */
#include "base/str.h"
#include "json/json.h"
#include "model/template_internal.h"
#include <stdio.h>

enum { POINTER_MAX = 64 };

static int check_step(struct tk_template_source *src, const struct tk_template *tpl, uint32_t i, struct tk_err *err)
{
        const struct tk_template_step *step = &tpl->steps[i];
        const json_t *batch = json_object_get(json_array_get(json_object_get(tpl->body, "steps"), i), "batch_config");
        char at[POINTER_MAX];
        snprintf(at, sizeof at, "/steps/%u", i);
        if (step->type == TK_STEP_DECISION && !step->parents_n)
                return tk_template_fail(src, err, at, "decision step '%s' needs at least one dependency", step->name);
        if (step->backoff_max_ms < step->backoff_base_ms)
                tk_template_warn(src, at, "step '%s': max_backoff_ms (%u) is below backoff_base_ms (%u) and wins",
                                 step->name, step->backoff_max_ms, step->backoff_base_ms);
        const char *worker = tk_json_str(batch, "worker_template");
        int number = worker ? tk_template_step_find(tpl, worker) : -1;
        if (worker && (number < 0 || tpl->steps[number].type != TK_STEP_BATCH_WORKER))
                return tk_template_fail(src, err, at,
                                        "step '%s': batch_config.worker_template '%.100s' is not a batch_worker "
                                        "step of this template",
                                        step->name, worker);
        return 0;
}

int tk_template_check(struct tk_template_source *src, const struct tk_template *tpl, struct tk_err *err)
{
        int r = 0;
        for (uint32_t i = 0; i < tpl->steps_n && !r; i++)
                r = check_step(src, tpl, i, err);
        if (!r && !tpl->at_start_n)
                return tk_template_fail(
                        src, err, "/steps",
                        "no step exists from the start: every one waits for something that is made later");
        return r;
}
