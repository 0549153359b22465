/* SPDX-License-Identifier: MIT */
/* crypto/sha256.c: libcrypto's EVP digests. They fail only when memory is gone or SHA-256 is missing: both
 * abort. */
#include "crypto/sha256.h"
#include "base/check.h"
#include <openssl/evp.h>

void tk_sha256_init(struct tk_sha256 *sha)
{
        sha->ctx = EVP_MD_CTX_new();
        TK_CHECK(sha->ctx && EVP_DigestInit_ex(sha->ctx, EVP_sha256(), NULL) == 1);
}

void tk_sha256_update(struct tk_sha256 *sha, const void *data, size_t len)
{
        TK_CHECK(EVP_DigestUpdate(sha->ctx, data, len) == 1);
}

void tk_sha256_final(struct tk_sha256 *sha, uint8_t ret[TK_SHA256_SIZE])
{
        unsigned len = 0;

        TK_CHECK(EVP_DigestFinal_ex(sha->ctx, ret, &len) == 1 && len == TK_SHA256_SIZE);
        EVP_MD_CTX_free(sha->ctx);
        sha->ctx = NULL;
}

void tk_sha256(const void *data, size_t len, uint8_t ret[TK_SHA256_SIZE])
{
        struct tk_sha256 sha;

        tk_sha256_init(&sha);
        tk_sha256_update(&sha, data, len);
        tk_sha256_final(&sha, ret);
}

void tk_sha256_hex(const void *data, size_t len, char ret[TK_SHA256_TEXT])
{
        static const char digits[] = "0123456789abcdef";
        uint8_t hash[TK_SHA256_SIZE];

        tk_sha256(data, len, hash);
        for (size_t i = 0; i < sizeof hash; i++) {
                ret[2 * i] = digits[hash[i] >> 4];
                ret[2 * i + 1] = digits[hash[i] & 0xf];
        }
        ret[TK_SHA256_TEXT - 1] = 0;
}
