/* SPDX-License-Identifier: MIT */
/* crypto/sha256: the vectors of FIPS 180-2, whole and in pieces. */
#include "crypto/sha256.h"
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void known_vectors(void **state)
{
        static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        char hex[TK_SHA256_TEXT];
        (void)state;

        tk_sha256_hex("", 0, hex);
        assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        tk_sha256_hex("abc", 3, hex);
        assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        tk_sha256_hex(text, sizeof text - 1, hex);
        assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void pieces_make_the_whole(void **state)
{
        uint8_t whole[TK_SHA256_SIZE], pieces[TK_SHA256_SIZE];
        struct tk_sha256 sha;
        char data[1000];
        (void)state;

        memset(data, 'a', sizeof data);
        tk_sha256(data, sizeof data, whole);
        tk_sha256_init(&sha);
        for (size_t at = 0, n = 1; at < sizeof data; at += n, n = n * 2 < sizeof data - at ? n * 2 : 1)
                tk_sha256_update(&sha, data + at, n);
        tk_sha256_final(&sha, pieces);
        assert_memory_equal(whole, pieces, sizeof whole);
        assert_null(sha.ctx);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(known_vectors),
                cmocka_unit_test(pieces_make_the_whole),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
