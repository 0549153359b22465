/* SPDX-License-Identifier: MIT */
/* model/template_env.c: environments.<name>.steps[]: {name, handler.initialization, timeout_seconds, retry}. `ALL` stands for
 * every step. Initialization merges key by key, the others replace; in list order. */
#include "base/str.h"
#include "model/template_internal.h"
#include <stdio.h>

enum { POINTER_MAX = 512 };

static void override_step(json_t *step, const json_t *over)
{
        json_t *initialization = json_object_get(json_object_get(over, "handler"), "initialization");
        json_t *retry = json_object_get(over, "retry"), *timeout = json_object_get(over, "timeout_seconds");
        if (json_is_object(initialization))
                json_object_update(json_object_get(json_object_get(step, "handler"), "initialization"), initialization);
        if (json_is_object(retry))
                json_object_update(json_object_get(step, "retry"), retry);
        if (json_is_integer(timeout))
                json_object_set(step, "timeout_seconds", timeout);
}

int tk_template_apply_environment(struct tk_template_source *src, json_t *body, const char *environment, struct tk_err *err)
{
        json_t *overrides = json_object_get(json_object_get(json_object_get(body, "environments"), environment), "steps");
        json_t *steps = json_object_get(body, "steps"), *over, *step, *checked = NULL;
        size_t i, k;
        if (!json_is_array(overrides))
                return 0;
        json_array_foreach(overrides, i, over) {
                const char *name = json_string_value(json_object_get(over, "name"));
                bool met = false;
                json_array_foreach(steps, k, step) {
                        if (!tk_streq(name, "ALL") && !tk_streq(name, json_string_value(json_object_get(step, "name"))))
                                continue;
                        override_step(step, over);
                        met = true;
                }
                if (!met) {
                        char at[POINTER_MAX];
                        snprintf(at, sizeof at, "/environments/%s/steps/%zu", environment, i);
                        tk_template_warn(
                                src, at,
                                "environment %s overrides a step '%.100s' that this template does not have",
                                environment, name ? name : "");
                }
        }
        /* Once more through the table: what was put in must keep the ranges too. */
        uint32_t warned = src->warnings_n;
        int r = tk_template_normalise(src, body, &checked, err);
        src->warnings_n = warned;
        json_decref(checked);
        return r;
}
