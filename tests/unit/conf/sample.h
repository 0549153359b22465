/* SPDX-License-Identifier: MIT */
/* A configuration with a row of every type. */
#pragma once
#include "conf/rows.h"

struct sample {
#define CONF TK_CONF_FIELD
#include "rows.inc"
#undef CONF
};
static const struct tk_conf_row sample_rows[] = {
#define CONF(...) TK_CONF_ROW(struct sample, __VA_ARGS__)
#include "rows.inc"
#undef CONF
};
enum { SAMPLE_ROWS = tk_countof(sample_rows) };
