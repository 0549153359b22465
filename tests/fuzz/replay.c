/* SPDX-License-Identifier: MIT */
/* Runs a target over every file of the folders it is given, a test each: what a fuzzer found once is looked at in every build. */
#include "fuzz/fuzz.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { FILES_MAX = 4096, PATH_BYTES = 4096 };

static void replay(void **state)
{
        static const size_t file_max = 16u << 20;
        TK_AUTOBUF struct tk_buf text;
        uint8_t bytes[65536];
        size_t n;
        FILE *file = fopen(*state, "rb");
        assert_non_null(file);
        tk_buf_init(&text, file_max);
        while ((n = fread(bytes, 1, sizeof bytes, file)))
                tk_buf_put(&text, bytes, n);
        (void)fclose(file);
        /* A copy of exactly this length, so that a sanitizer sees one byte too many. */
        TK_AUTOFREE uint8_t *exact = tk_malloc(text.len + !text.len);
        if (text.len)
                memcpy(exact, text.data, text.len);
        assert_int_equal(LLVMFuzzerTestOneInput(exact, text.len), 0);
}

static size_t add(struct tk_arena *arena, const char *folder, struct CMUnitTest *tests, size_t n)
{
        DIR *dir = opendir(folder);
        if (!dir) /* no crash was ever found */
                return n;
        for (struct dirent *entry; (entry = readdir(dir));) {
                if (*entry->d_name == '.')
                        continue;
                TK_CHECK(n < FILES_MAX);
                char path[PATH_BYTES];
                snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
                char *kept = tk_arena_strdup(arena, path);
                tests[n++] = (struct CMUnitTest){.name = kept, .test_func = replay, .initial_state = kept};
        }
        (void)closedir(dir);
        return n;
}

int main(int argc, char **argv)
{
        static struct CMUnitTest tests[FILES_MAX];
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(65536, 64u << 20);
        size_t n = 0;
        for (int i = 1; i < argc; i++)
                n = add(arena, argv[i], tests, n);
        if (!n) {
                (void)fputs("no file to replay\n", stderr);
                return 1;
        }
        return _cmocka_run_group_tests("replay", tests, n, NULL, NULL);
}
