/* SPDX-License-Identifier: MIT */
/* examples/handlers/module.c: the entry symbol of the shared object, and all tables in one. */
#include "tables.h"

enum { HANDLERS_MAX = 128 };

const struct tkw_module *tasker_handlers_v1(void)
{
        static const struct example_table *const tables[] = {&example_squares, &example_outcomes, &example_orders,
                                                             &example_shop,    &example_pipeline, &example_accounts,
                                                             &example_refunds, &example_approval,  &example_dataset,  &example_inventory,
                                                             &example_parity,   &example_checkpoints, &example_quotes};
        static struct tkw_handler all[HANDLERS_MAX];
        static struct tkw_module module = {.abi = TKW_ABI, .name = "examples", .version = "1.0.0", .handlers = all};
        size_t n = 0;
        for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
                for (size_t i = 0; i < tables[t]->n; i++) {
                        if (n == HANDLERS_MAX)
                                return NULL; /* the worker refuses to start */
                        all[n++] = tables[t]->handlers[i];
                }
        module.handlers_n = n;
        return &module;
}
