/* SPDX-License-Identifier: MIT */
/* json/scan.h: bounds of a JSON text, checked before a parser builds anything from it. Not a syntax check. */
#pragma once
#include "json/json.h"

/* TK_JSON_OK, or TK_JSON_E_LIMIT with err saying where (JSON pointer), which limit, and what was found. */
TK_MUST int tk_json_scan(const char *text, size_t len, const struct tk_json_limits *limits, struct tk_err *err);
