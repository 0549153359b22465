/* SPDX-License-Identifier: MIT */
/* tests/lib/handlers/handlers.h: what the files of this module share. */
#ifndef TESTS_HANDLERS_H
#define TESTS_HANDLERS_H
#include <tasker/worker.h>

/* False: it was cancelled meanwhile, and asked to look. */
bool test_pause_ms(struct tkw_context *ctx, int64_t ms, bool until_cancelled);
int test_model(struct tkw_context *ctx, struct tkw_result *result);
#endif
