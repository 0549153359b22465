/* SPDX-License-Identifier: MIT */
/* model/value_limits.h: bounds of a JSON value that was parsed already. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include <jansson.h>

/* 0, or -EINVAL with err: "<name>: nests deeper than …", "…has more than … entries", "…a string is longer than …". */
TK_MUST int tk_value_check(const char *name, const json_t *value, unsigned depth_max, size_t entries_max,
                           size_t string_max, struct tk_err *err);
