/* SPDX-License-Identifier: MIT */
/* base/utf8.h: one UTF-8 character at a time, strictly (RFC 3629): no overlongs, no surrogates, nothing above
 * U+10FFFF. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Size in bytes of the character at `at` (1..4), or 0 when there is none that is valid within len bytes. */
static inline size_t tk_utf8_size(const unsigned char *at, size_t len)
{
        static const struct {
                unsigned char first, last, size, low, high; /* low..high: allowed second byte */
        } forms[] = {
                {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf},
                {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf},
                {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
        };

        if (!len)
                return 0;
        if (at[0] < 0x80)
                return 1;
        for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
                if (at[0] < forms[i].first || at[0] > forms[i].last)
                        continue;
                if (len < forms[i].size || at[1] < forms[i].low || at[1] > forms[i].high)
                        return 0;
                for (size_t k = 2; k < forms[i].size; k++)
                        if ((at[k] & 0xc0) != 0x80)
                                return 0;
                return forms[i].size;
        }
        return 0;
}

/* The code point of a character that tk_utf8_size accepted. */
static inline uint32_t tk_utf8_decode(const unsigned char *at, size_t size)
{
        uint32_t code = size == 1 ? at[0] : at[0] & (0xffU >> (size + 1));

        for (size_t k = 1; k < size; k++)
                code = code << 6 | (at[k] & 0x3fU);
        return code;
}
