/* SPDX-License-Identifier: MIT */
/* crypto/sha256.h: SHA-256 in one call, or piece by piece. */
#pragma once
#include "base/attr.h"
#include <stddef.h>
#include <stdint.h>

enum { TK_SHA256_SIZE = 32, TK_SHA256_TEXT = 65 };

void tk_sha256(const void *data, size_t len, uint8_t ret[TK_SHA256_SIZE]);
void tk_sha256_hex(const void *data, size_t len, char ret[TK_SHA256_TEXT]); /* lower case */

struct tk_sha256 {
        void *ctx; /* owned; NULL after final */
};
void tk_sha256_init(struct tk_sha256 *sha);
void tk_sha256_update(struct tk_sha256 *sha, const void *data, size_t len);
void tk_sha256_final(struct tk_sha256 *sha,
                     uint8_t ret[TK_SHA256_SIZE]); /* releases; init again before the next use */
