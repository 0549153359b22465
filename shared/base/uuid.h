/* SPDX-License-Identifier: MIT */
/* base/uuid.h: UUIDs as 16 bytes in network order. */
#pragma once
#include "base/attr.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { TK_UUID_TEXT = 37 };
struct tk_uuid {
        uint8_t b[16];
};
void tk_uuid_v7(struct tk_uuid *ret_uuid); /* time ordered, monotonic within a thread's millisecond (RFC 9562) */
void tk_uuid_v4(struct tk_uuid *ret_uuid);
TK_MUST int tk_uuid_parse(const char *text, struct tk_uuid *ret_uuid); /* 36 characters, either case; 0 or -EINVAL */
TK_MUST int tk_uuid_parse_any(const char *text, struct tk_uuid *ret_uuid); /* also 32 plain digits, in braces, after "urn:uuid:" */
TK_MUST int tk_uuid_parse_n(const char *text, size_t len, struct tk_uuid *ret_uuid);
void tk_uuid_format(const struct tk_uuid *uuid, char ret_text[TK_UUID_TEXT]); /* lower case */
static inline bool tk_uuid_eq(const struct tk_uuid *a, const struct tk_uuid *b) { return !memcmp(a, b, sizeof *a); }
static inline bool tk_uuid_is_nil(const struct tk_uuid *u)
{
        static const struct tk_uuid nil;
        return tk_uuid_eq(u, &nil);
}
