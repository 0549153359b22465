/* SPDX-License-Identifier: MIT */
/* examples/handlers/tables.h: the handlers of each file. */
#pragma once
#include "util.h"

extern const struct example_table example_squares;  /* linear, diamond, tree, mixed graph */
extern const struct example_table example_outcomes; /* retries, errors, method dispatch */
extern const struct example_table example_orders;   /* order fulfilment */
extern const struct example_table example_shop;     /* e-commerce */
extern const struct example_table example_pipeline; /* data pipeline */
extern const struct example_table example_accounts; /* user registration */
extern const struct example_table example_refunds;  /* both refunds */
extern const struct example_table example_approval; /* conditional approval */
extern const struct example_table example_dataset;  /* a data set in batches */
extern const struct example_table example_inventory; /* a CSV file in batches */
extern const struct example_table example_parity;   /* diamond, decision and batches */
extern const struct example_table example_checkpoints; /* handlers that go on where they were */
extern const struct example_table example_quotes;   /* calls that may not answer in time */
