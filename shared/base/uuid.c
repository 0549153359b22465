/* SPDX-License-Identifier: MIT */
/* base/uuid.c: RFC 9562 versions 4 and 7. Version 7 holds 48 bits of milliseconds, then 12 bits counted up
 * within a millisecond by this thread, then 62 random bits. A clock that goes backwards, or a counter that is
 * used up, keeps counting from the last millisecond given out, so one thread's ids always ascend. */
#include "base/uuid.h"
#include "base/rand.h"
#include "base/time.h"
#include <errno.h>

enum { COUNTER_MAX = 0xfff, COUNTER_START_MASK = 0x7ff /* the upper half is room to count */ };

static void put_u64(uint8_t *at, uint64_t value)
{
        for (int i = 0; i < 8; i++)
                at[i] = (uint8_t)(value >> (56 - 8 * i));
}

static void put_version(struct tk_uuid *uuid, unsigned version)
{
        uuid->b[6] = (uint8_t)((uuid->b[6] & 0x0f) | version << 4);
        uuid->b[8] = (uint8_t)((uuid->b[8] & 0x3f) | 0x80);
}

void tk_uuid_v7(struct tk_uuid *ret_uuid)
{
        static _Thread_local uint64_t last_ms;
        static _Thread_local unsigned counter;
        uint64_t now_ms = (uint64_t)(tk_time_wall_ns() / TK_NS_PER_MS), noise = tk_rand_u64();

        if (now_ms > last_ms || (counter == COUNTER_MAX && ++last_ms)) {
                last_ms = now_ms > last_ms ? now_ms : last_ms;
                counter = (unsigned)(tk_rand_u64() & COUNTER_START_MASK);
        } else {
                counter++;
        }
        put_u64(ret_uuid->b, last_ms << 16 | counter);
        put_u64(ret_uuid->b + 8, noise);
        put_version(ret_uuid, 7);
}

void tk_uuid_v4(struct tk_uuid *ret_uuid)
{
        put_u64(ret_uuid->b, tk_rand_u64());
        put_u64(ret_uuid->b + 8, tk_rand_u64());
        put_version(ret_uuid, 4);
}

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int tk_uuid_parse_n(const char *text, size_t len, struct tk_uuid *ret_uuid)
{
        struct tk_uuid uuid;

        if (len != TK_UUID_TEXT - 1)
                return -EINVAL;
        for (size_t at = 0, n = 0; n < sizeof uuid.b; at += 2, n++) {
                int high, low;

                if (n == 4 || n == 6 || n == 8 || n == 10)
                        if (text[at++] != '-')
                                return -EINVAL;
                high = hex_digit(text[at]);
                low = hex_digit(text[at + 1]);
                if (high < 0 || low < 0)
                        return -EINVAL;
                uuid.b[n] = (uint8_t)(high << 4 | low);
        }
        *ret_uuid = uuid;
        return 0;
}

int tk_uuid_parse(const char *text, struct tk_uuid *ret_uuid)
{
        return tk_uuid_parse_n(text, strnlen(text, TK_UUID_TEXT), ret_uuid);
}

int tk_uuid_parse_any(const char *text, struct tk_uuid *ret_uuid)
{
        enum { DIGITS = 32 };
        static const uint8_t groups[] = {8, 4, 4, 4, 12};
        char dashed[TK_UUID_TEXT], *at = dashed;
        size_t len;

        if (!strncasecmp(text, "urn:uuid:", 9))
                text += 9;
        len = strnlen(text, TK_UUID_TEXT + 2);
        if (len == TK_UUID_TEXT + 1 && text[0] == '{' && text[len - 1] == '}')
                return tk_uuid_parse_n(text + 1, len - 2, ret_uuid);
        if (len != DIGITS)
                return tk_uuid_parse_n(text, len, ret_uuid);
        for (size_t i = 0; i < sizeof groups; i++) {
                memcpy(at, text, groups[i]);
                text += groups[i];
                at += groups[i];
                *at++ = '-';
        }
        at[-1] = 0;
        return tk_uuid_parse(dashed, ret_uuid);
}

void tk_uuid_format(const struct tk_uuid *uuid, char ret_text[TK_UUID_TEXT])
{
        static const char digits[] = "0123456789abcdef";
        char *at = ret_text;

        for (size_t n = 0; n < sizeof uuid->b; n++) {
                if (n == 4 || n == 6 || n == 8 || n == 10)
                        *at++ = '-';
                *at++ = digits[uuid->b[n] >> 4];
                *at++ = digits[uuid->b[n] & 0xf];
        }
        *at = 0;
}
