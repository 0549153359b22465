/* SPDX-License-Identifier: MIT */
/* base/str.h: small text helpers with explicit lengths and outcomes. */
#pragma once
#include "base/attr.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* For C interfaces that say char * and only read (protobuf-c): the constness is kept by promise. */
static inline char *tk_str_unconst(const char *text) { return (char *)(uintptr_t)text; }
static inline bool tk_streq(const char *a, const char *b) { return a == b || (a && b && !strcmp(a, b)); }
static inline bool tk_str_starts(const char *text, const char *prefix) { return !strncmp(text, prefix, strlen(prefix)); }
/* Copies with a NUL; 0, or -E2BIG when cut (dst then holds the cut text). */
int tk_str_copy(char *dst, size_t size, const char *src);
TK_MUST int tk_str_to_i64(const char *text, int64_t min, int64_t max, int64_t *ret_value); /* whole text; -EINVAL / -ERANGE */
TK_MUST int tk_str_to_f64(const char *text, double *ret_value);
TK_MUST int tk_str_to_size(const char *text, uint64_t *ret_bytes); /* "64k", "10M", "1G", bare = bytes */
bool tk_str_utf8_valid(const char *text, size_t len); /* strict: no surrogates, no overlongs, no NUL */
