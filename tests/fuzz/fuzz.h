/* SPDX-License-Identifier: MIT */
/* fuzz.h: one target is one file that defines the function libFuzzer calls. Without libFuzzer replay.c calls it, once per file of
 * corpus/ and crashes/. A property that does not hold ends the process, as a sanitizer would. */
#pragma once
#include "base/check.h"
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
