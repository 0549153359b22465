/* SPDX-License-Identifier: MIT */
/* cli/top_meters.h: the part of "tasker top" below the actors: streams, database connections, permit sets. Pure. */
#pragma once
#include "base/buf.h"
#include "json/json.h"

/* A line for each, of two answers of GET /v1/debug/runtime that are `seconds` apart; before may be NULL. */
void cli_top_put_meters(const json_t *before, const json_t *now, double seconds, bool colour, struct tk_buf *out);
