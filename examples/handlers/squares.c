/* SPDX-License-Identifier: MIT */
/* examples/handlers/squares.c: linear, diamond, tree and mixed graph: every step multiplies what its parents found and
 * squares it. One row per step says who the parents are; numbers have any size (GMP). */
#include "tables.h"
#include <gmp.h>
#include <string.h>

enum { PARENTS_MAX = 4 };

struct step {
        const char *name;
        const char *parents[PARENTS_MAX + 1]; /* none: the task's even_number */
        unsigned exponent;                    /* of the input, for the check that rides along */
        bool wide;                            /* always a decimal text */
        bool saturates;                       /* at the largest 128-bit number */
};

static const struct step steps[] = {
        {.name = "linear_step_1", .exponent = 2},
        {.name = "linear_step_2", .parents = {"linear_step_1"}, .exponent = 4},
        {.name = "linear_step_3", .parents = {"linear_step_2"}, .exponent = 8},
        {.name = "linear_step_4", .parents = {"linear_step_3"}, .exponent = 16},

        {.name = "diamond_start", .exponent = 2},
        {.name = "diamond_branch_b", .parents = {"diamond_start"}, .exponent = 4},
        {.name = "diamond_branch_c", .parents = {"diamond_start"}, .exponent = 4},
        {.name = "diamond_end", .parents = {"diamond_branch_b", "diamond_branch_c"}, .exponent = 16},

        {.name = "tree_root", .exponent = 2},
        {.name = "tree_branch_left", .parents = {"tree_root"}, .exponent = 4},
        {.name = "tree_branch_right", .parents = {"tree_root"}, .exponent = 4},
        {.name = "tree_leaf_d", .parents = {"tree_branch_left"}, .exponent = 8},
        {.name = "tree_leaf_e", .parents = {"tree_branch_left"}, .exponent = 8},
        {.name = "tree_leaf_f", .parents = {"tree_branch_right"}, .exponent = 8},
        {.name = "tree_leaf_g", .parents = {"tree_branch_right"}, .exponent = 8},
        {.name = "tree_final_convergence",
         .parents = {"tree_leaf_d", "tree_leaf_e", "tree_leaf_f", "tree_leaf_g"},
         .exponent = 64,
         .wide = true},

        {.name = "dag_init", .exponent = 2},
        {.name = "dag_process_left", .parents = {"dag_init"}, .exponent = 4},
        {.name = "dag_process_right", .parents = {"dag_init"}, .exponent = 4},
        {.name = "dag_validate", .parents = {"dag_process_left", "dag_process_right"}, .exponent = 16},
        {.name = "dag_transform", .parents = {"dag_process_left"}, .exponent = 8},
        {.name = "dag_analyze", .parents = {"dag_process_right"}, .exponent = 8},
        {.name = "dag_finalize",
         .parents = {"dag_validate", "dag_transform", "dag_analyze"},
         .exponent = 64,
         .wide = true,
         .saturates = true},
};
enum { STEPS = sizeof steps / sizeof steps[0] };

/* Integers travel as numbers as long as they fit, then as decimal text. */
static bool read(mpz_t ret, const struct tkw_value *value)
{
        int64_t small;
        const char *text = tkw_str(value);
        if (text)
                return !mpz_set_str(ret, text, 10);
        if (!tkw_i64(value, &small))
                return false;
        mpz_set_si(ret, small);
        return true;
}

static void saturate(mpz_t value)
{
        mpz_t max;
        mpz_init(max);
        mpz_ui_pow_ui(max, 2, 128);
        mpz_sub_ui(max, max, 1);
        if (mpz_cmp(value, max) > 0)
                mpz_set(value, max);
        mpz_clear(max);
}

/* The product of what the parents found, or the input. 0, or what the handler returns. */
static int gather(struct tkw_context *ctx, struct tkw_result *result, const struct step *step, mpz_t product,
                  bool *ret_failed)
{
        *ret_failed = true;
        if (!step->parents[0]) {
                int64_t n;
                if (!tkw_i64(tkw_input(ctx, "even_number"), &n))
                        return tkw_permanent(result, "ValidationError", "even_number must be an integer");
                if (n % 2)
                        return tkw_permanent(result, "ValidationError", "even_number must be even, got %lld", (long long)n);
                mpz_set_si(product, n);
        }
        mpz_t factor;
        mpz_init(factor);
        for (size_t i = 0; step->parents[i]; i++) {
                if (!read(factor, tkw_dependency(ctx, step->parents[i], NULL))) {
                        mpz_clear(factor);
                        return example_missing(result, step->parents[i]);
                }
                mpz_mul(product, product, factor);
        }
        mpz_clear(factor);
        *ret_failed = false;
        return 0;
}

/* Whether the result is the power of the input it should be; a note beside the result. */
static void verify(struct tkw_context *ctx, struct tkw_result *result, const struct step *step, const mpz_t found)
{
        int64_t n;
        mpz_t expected;
        if (!tkw_i64(tkw_input(ctx, "even_number"), &n))
                return;
        mpz_init_set_si(expected, n);
        mpz_pow_ui(expected, expected, step->exponent);
        if (step->saturates)
                saturate(expected);
        tkw_set_note(result, "verification",
                     tkw_format(ctx, "{\"input\":%lld,\"exponent\":%u,\"matches\":%s}", (long long)n,
                                step->exponent, mpz_cmp(expected, found) ? "false" : "true"));
        mpz_clear(expected);
}

static int multiply_and_square(struct tkw_context *ctx, struct tkw_result *result, const struct step *step)
{
        bool failed;
        mpz_t value;
        mpz_init_set_ui(value, 1);
        int r = gather(ctx, result, step, value, &failed);
        if (!failed) {
                char *digits;
                mpz_mul(value, value, value);
                if (step->saturates)
                        saturate(value);
                verify(ctx, result, step, value);
                digits = mpz_get_str(NULL, 10, value);
                tkw_set_note(result, "operation",
                             step->parents[0] && step->parents[1] ? "\"multiply_and_square\"" : "\"square\"");
                r = tkw_success_json(result, step->wide || !mpz_fits_slong_p(value)
                                                     ? tkw_format(ctx, "\"%s\"", digits)
                                                     : digits);
                void (*gmp_free)(void *, size_t);
                mp_get_memory_functions(NULL, NULL, &gmp_free);
                gmp_free(digits, strlen(digits) + 1);
        }
        mpz_clear(value);
        return r;
}

static int square(struct tkw_context *ctx, struct tkw_result *result)
{
        const char *name = tkw_info(ctx)->step_name;
        for (size_t i = 0; i < STEPS; i++)
                if (!strcmp(steps[i].name, name))
                        return multiply_and_square(ctx, result, &steps[i]);
        return tkw_permanent(result, "ValidationError", "no step of the squaring graphs is called %s", name);
}

#define ROW(step) {.name = step, .fn = square}
static const struct tkw_handler example_squares_rows[] = {
        ROW("linear_step_1"), ROW("linear_step_2"), ROW("linear_step_3"), ROW("linear_step_4"),
        ROW("diamond_start"), ROW("diamond_branch_b"), ROW("diamond_branch_c"), ROW("diamond_end"),
        ROW("tree_root"), ROW("tree_branch_left"), ROW("tree_branch_right"), ROW("tree_leaf_d"), ROW("tree_leaf_e"),
        ROW("tree_leaf_f"), ROW("tree_leaf_g"), ROW("tree_final_convergence"),
        ROW("dag_init"), ROW("dag_process_left"), ROW("dag_process_right"), ROW("dag_validate"), ROW("dag_transform"),
        ROW("dag_analyze"), ROW("dag_finalize"),
};
_Static_assert(sizeof example_squares_rows / sizeof example_squares_rows[0] == STEPS, "a handler per step");
EXAMPLE_TABLE(example_squares);
