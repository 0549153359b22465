/* SPDX-License-Identifier: MIT */
/* examples/handlers/halves.c: a sum by divide and conquer: a half with more than one number is the business of another task. */
#include "tables.h"
#include <string.h>

enum { NUMBERS_MAX = 256 };

static int divide(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *numbers = tkw_input(ctx, "numbers");
        size_t n = tkw_count(numbers);
        if (tkw_type(numbers) != TKW_ARRAY || !n || n > NUMBERS_MAX)
                return tkw_permanent(result, "ValidationError", "numbers must be a list of 1 to %d integers, found %zu", NUMBERS_MAX, n);
        for (size_t i = 0; i < n; i++)
                if (tkw_type(tkw_at(numbers, i)) != TKW_INTEGER)
                        return tkw_permanent(result, "ValidationError", "numbers[%zu] must be an integer", i);
        tkw_put_i64(result, "count", (int64_t)n);
        return tkw_success(result);
}

/* {"numbers": those from `from` to before `to`} */
static const char *part(struct tkw_context *ctx, const struct tkw_value *numbers, size_t from, size_t to)
{
        struct example_json json = {0};
        int64_t number = 0;
        example_json_add(&json, "{\"numbers\":[");
        for (size_t i = from; i < to; i++) {
                (void)tkw_i64(tkw_at(numbers, i), &number);
                example_json_add(&json, "%s%lld", i > from ? "," : "", (long long)number);
        }
        example_json_add(&json, "]}");
        return tkw_format(ctx, "%s", json.text);
}

static int half(struct tkw_context *ctx, struct tkw_result *result)
{
        const struct tkw_value *numbers = tkw_input(ctx, "numbers");
        const char *which = tkw_str(tkw_config(ctx, "half"));
        size_t n = tkw_count(numbers), middle = (n + 1) / 2;
        bool left = which && !strcmp(which, "left");
        size_t from = left ? 0 : middle, to = left ? middle : n;
        if (to - from > 1)
                return tkw_start_task(result, &(struct tkw_task){.name = tkw_info(ctx)->template_name, .context_json = part(ctx, numbers, from, to),
                                                                 .reason = left ? "the left half" : "the right half"});
        int64_t sum = 0;
        if (to > from)
                (void)tkw_i64(tkw_at(numbers, from), &sum);
        tkw_put_i64(result, "sum", sum);
        tkw_put_i64(result, "tasks", 0);
        return tkw_success(result);
}

/* Of a step that added up by itself, or of the task it waited for. */
static bool found(struct tkw_context *ctx, const char *step, int64_t *sum, int64_t *tasks)
{
        int64_t s, t;
        bool by_task = tkw_dependency(ctx, step, "sub_task") != NULL;
        if (!tkw_i64(tkw_dependency(ctx, step, by_task ? "results/add/sum" : "sum"), &s) ||
            !tkw_i64(tkw_dependency(ctx, step, by_task ? "results/add/tasks" : "tasks"), &t))
                return false;
        *sum += s;
        *tasks += t;
        return true;
}

static int add(struct tkw_context *ctx, struct tkw_result *result)
{
        int64_t sum = 0, tasks = 1; /* this one, and those below */
        if (!found(ctx, "left", &sum, &tasks))
                return example_missing(result, "left");
        if (!found(ctx, "right", &sum, &tasks))
                return example_missing(result, "right");
        tkw_put_i64(result, "sum", sum);
        tkw_put_i64(result, "tasks", tasks);
        return tkw_success(result);
}

static const struct tkw_handler example_halves_rows[] = {
        {.name = "halves_divide", .fn = divide}, {.name = "halves_half", .fn = half}, {.name = "halves_add", .fn = add},
};
EXAMPLE_TABLE(example_halves);
