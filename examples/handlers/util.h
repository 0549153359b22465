/* SPDX-License-Identifier: MIT */
/* examples/handlers/util.h: what several of the example workflows need. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <tasker/worker.h>

/* One table per file; module.c joins them. */
struct example_table {
        const struct tkw_handler *handlers;
        size_t n;
};
#define EXAMPLE_TABLE(name) const struct example_table name = {name##_rows, sizeof name##_rows / sizeof name##_rows[0]}

/* "RES-3f2a…": the same for every attempt of a step, so that running twice reserves once. Lives until the handler returns. */
const char *example_id(struct tkw_context *ctx, const char *prefix);
/* UTC, RFC 3339, `days` from now. */
const char *example_time(struct tkw_context *ctx, int days);
double example_cents(double amount); /* rounded to two digits */
/* something@something.something, no blanks */
bool example_email(const char *text);
/* The text at path of the task's context, or `otherwise` when there is none. */
const char *example_text(struct tkw_context *ctx, const char *path, const char *otherwise);
double example_number(const struct tkw_value *value, const char *path, double otherwise);
/* A dependency that must have a result: a missing one is retryable, its parent may still be on its way to us. */
int example_missing(struct tkw_result *result, const char *step);

/* The text as a JSON string, quotes and all. */
const char *example_quoted(struct tkw_context *ctx, const char *text);

/* JSON text put together piece by piece, in the handler's own memory; cut when longer than the buffer. */
struct example_json {
        size_t len;
        char text[16384];
};
void example_json_add(struct example_json *json, const char *fmt, ...) TKW_PRINTF(2, 3);
