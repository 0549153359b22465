/* SPDX-License-Identifier: MIT */
/* model/yaml_scalar.h: what an unquoted YAML scalar means: the core schema of YAML 1.2, where only true and false (in
 * three spellings) are booleans, so that yes, no, on and off stay text. */
#pragma once
#include "base/attr.h"
#include <jansson.h>
#include <stddef.h>

/* New reference. NULL: a number that JSON has no text for (.inf, .nan, 1e999). text is followed by a NUL. */
TK_MUST json_t *tk_yaml_scalar_plain(const char *text, size_t len);
