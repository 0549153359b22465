/* SPDX-License-Identifier: MIT */
/* conf: the four layers, ranges, and messages that name key, place, limit and what was found. */
#include "base/str.h"
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char path[] = "/tmp/tasker-conf-XXXXXX";

/* Loads a file of this text; err says "FILE" where it named the path. */
static int load(struct sample *conf, const char *text, const char *const *sets,
                char ret_text[TK_ERR_TEXT_MAX])
{
        struct tk_err err = {0};
        FILE *file;
        const char *at;
        int result;

        if (text) {
                file = fopen(path, "w");
                assert_non_null(file);
                assert_true(fputs(text, file) >= 0);
                assert_int_equal(fclose(file), 0);
        }
        memset(conf, 0, sizeof *conf);
        result = tk_conf_load(sample_rows, SAMPLE_ROWS, conf, text ? path : NULL, sets, &err);
        at = strstr(err.text, path);
        if (at)
                snprintf(ret_text, TK_ERR_TEXT_MAX, "%.*sFILE%s", (int)(at - err.text), err.text,
                         at + sizeof path - 1);
        else
                snprintf(ret_text, TK_ERR_TEXT_MAX, "%s", err.text);
        return result;
}

static void expect_error(const char *text, const char *const *sets, const char *message)
{
        struct sample conf;
        char found[TK_ERR_TEXT_MAX];
        int result = load(&conf, text, sets, found);

        if (result >= 0 || strcmp(found, message) != 0)
                fail_msg("got %d \"%s\", expected \"%s\"", result, found, message);
        assert_null(conf.url); /* nothing is left to free */
}

static void defaults(void **state)
{
        struct sample conf;
        char text[TK_ERR_TEXT_MAX];
        (void)state;

        assert_int_equal(load(&conf, NULL, NULL, text), 0);
        assert_string_equal(conf.url, "postgresql://localhost/tasker");
        assert_int_equal(conf.threads, 2);
        assert_int_equal(conf.offset, -5);
        assert_int_equal(conf.lease, 30000000000);
        assert_int_equal(conf.body_max, 2097152);
        assert_true(conf.endpoint);
        assert_int_equal(conf.peers.count, 0);
        tk_conf_deinit(sample_rows, SAMPLE_ROWS, &conf);
        assert_null(conf.url);
        tk_conf_deinit(sample_rows, SAMPLE_ROWS, &conf);
}

static void file_values(void **state)
{
        struct sample conf;
        char text[TK_ERR_TEXT_MAX];
        (void)state;

        if (load(&conf,
                 "# a comment\ndatabase:\n  url: 'postgresql://db/x'\nrest: {threads: 8, limits: {endpoint: "
                 "off}}\n"
                 "rest.body_max: 64k\ndispatch:\n  lease: 90s\npeers:\n  - a:1\n  - \"b:2\"\ncache:\n  "
                 "address: ~\n",
                 NULL, text))
                fail_msg("%s", text);
        assert_string_equal(conf.url, "postgresql://db/x");
        assert_int_equal(conf.threads, 8);
        assert_false(conf.endpoint);
        assert_int_equal(conf.body_max, 65536);
        assert_int_equal(conf.lease, 90000000000);
        assert_int_equal(conf.peers.count, 2);
        assert_string_equal(conf.peers.items[1], "b:2");
        assert_string_equal(conf.cache, "");
        tk_conf_deinit(sample_rows, SAMPLE_ROWS, &conf);
        assert_int_equal(load(&conf, "", NULL, text), 0);
        tk_conf_deinit(sample_rows, SAMPLE_ROWS, &conf);
        assert_int_equal(load(&conf, "---\n# nothing\n", NULL, text), 0);
        tk_conf_deinit(sample_rows, SAMPLE_ROWS, &conf);
}

static void later_layers_win(void **state)
{
        static const char *const sets[] = {"rest.threads=4", "peers= x:1 ,, y:2,", "rest.threads=5", NULL};
        struct sample conf;
        char text[TK_ERR_TEXT_MAX];
        (void)state;

        setenv("TASKER_REST_THREADS", "3", 1);
        setenv("TASKER_REST_LIMITS_ENDPOINT", "no", 1);
        setenv("TEST_DATABASE_URL", "alias", 1);
        assert_int_equal(load(&conf, "rest: {threads: 8}\ndatabase: {url: file}\n", sets, text), 0);
        assert_int_equal(conf.threads, 5);
        assert_false(conf.endpoint);
        assert_string_equal(conf.url, "alias");
        assert_int_equal(conf.peers.count, 2);
        assert_string_equal(conf.peers.items[0], "x:1");
        tk_conf_deinit(sample_rows, SAMPLE_ROWS, &conf);

        setenv("TASKER_DATABASE_URL", "own name", 1);
        assert_int_equal(load(&conf, "rest: {threads: 8}\n", NULL, text), 0);
        assert_int_equal(conf.threads, 3);
        assert_string_equal(conf.url, "own name");
        tk_conf_deinit(sample_rows, SAMPLE_ROWS, &conf);

        setenv("TASKER_REST_THREADS", "many", 1);
        expect_error(NULL, NULL,
                     "rest.threads (environment TASKER_REST_THREADS): \"many\" is not a whole number");
        setenv("TASKER_REST_THREADS", "", 1);
        assert_int_equal(load(&conf, NULL, NULL, text), 0);
        assert_int_equal(conf.threads, 2);
        tk_conf_deinit(sample_rows, SAMPLE_ROWS, &conf);
        unsetenv("TASKER_REST_THREADS");
        unsetenv("TASKER_REST_LIMITS_ENDPOINT");
        unsetenv("TASKER_DATABASE_URL");
        unsetenv("TEST_DATABASE_URL");
}

static void substitution(void **state)
{
        struct sample conf;
        char text[TK_ERR_TEXT_MAX];
        (void)state;

        setenv("TEST_HOST", "db.example", 1);
        setenv("TEST_EMPTY", "", 1);
        if (load(&conf,
                 "database:\n  url: postgresql://${TEST_HOST}:${TEST_PORT:-5432}/a$b${TEST_EMPTY}\n"
                 "rest: {threads: \"${TEST_EMPTY:-7}\"}\npeers: ['${TEST_HOST}:1']\n",
                 NULL, text))
                fail_msg("%s", text);
        assert_string_equal(conf.url, "postgresql://db.example:5432/a$b");
        assert_int_equal(conf.threads, 7);
        assert_string_equal(conf.peers.items[0], "db.example:1");
        tk_conf_deinit(sample_rows, SAMPLE_ROWS, &conf);
        expect_error(
                "cache:\n  address: ${TEST_PORT}\n", NULL,
                "FILE:2: cache.address: the environment has no variable TEST_PORT, and no default is given");
        expect_error("cache:\n  address: ${TEST_HOST\n", NULL, "FILE:2: cache.address: \"${\" without \"}\"");
        expect_error("cache:\n  address: \"${TEST_HOST:=x}\"\n", NULL,
                     "FILE:2: cache.address: \"${TEST_HOST:=x}\" is neither ${NAME} nor ${NAME:-default}");
        expect_error("cache:\n  address: \"${}\"\n", NULL,
                     "FILE:2: cache.address: \"${}\" is neither ${NAME} nor ${NAME:-default}");
}

static void ranges(void **state)
{
        static const struct {
                const char *set, *message;
        } cases[] = {
                {"rest.threads=0", "rest.threads (--set): 0 is outside of 1..64 threads"},
                {"rest.threads=65", "rest.threads (--set): 65 is outside of 1..64 threads"},
                {"rest.threads=-1", "rest.threads (--set): -1 is outside of 1..64 threads"},
                {"rest.threads=", "rest.threads (--set): \"\" is not a whole number"},
                {"dispatch.lease=10ms", "dispatch.lease (--set): 10ms is outside of 1s..1h"},
                {"dispatch.lease=2d", "dispatch.lease (--set): 2d is outside of 1s..1h"},
                {"dispatch.lease=soon",
                 "dispatch.lease (--set): \"soon\" is not a duration such as 250ms, 30s, 5m or 2h"},
                {"rest.body_max=1G", "rest.body_max (--set): 1G is outside of 1k..64M bytes"},
                {"rest.body_max=x", "rest.body_max (--set): \"x\" is not a size such as 4096, 64k or 10M"},
                {"rest.limits.endpoint=maybe",
                 "rest.limits.endpoint (--set): \"maybe\" is not true or false"},
                {"peers=a,b,c,d", "peers (--set): count 4 is outside of 0..3"},
                {"database.url=", "database.url (--set): length 0 is outside of 1..2048"},
                {"database.url=\xff", "database.url (--set): \"********\" is not valid UTF-8"},
                {"rest.threads", "--set \"rest.threads\": key=value is wanted"},
                {"rest.thread=1", "--set: unknown key \"rest.thread\"; did you mean \"rest.threads\"?"},
                {"completely.different=1", "--set: unknown key \"completely.different\""},
        };
        (void)state;

        for (size_t i = 0; i < tk_countof(cases); i++) {
                const char *const sets[] = {cases[i].set, NULL};
                expect_error(NULL, sets, cases[i].message);
        }
}

static void file_errors(void **state)
{
        (void)state;

        expect_error("rest:\n  threads: 8\ndatabse:\n  url: x\n", NULL,
                     "FILE:4: unknown key \"databse.url\"; did you mean \"database.url\"?");
        expect_error("rest:\n  threads: 800\n", NULL,
                     "rest.threads (FILE:2): 800 is outside of 1..64 threads");
        expect_error("rest:\n  threads: [1]\n", NULL,
                     "rest.threads (FILE:2): a list is given, but one value is wanted");
        expect_error("rest:\n  threads: 1\nrest.threads: 2\n", NULL,
                     "FILE:3: rest.threads stands here a second time; first in line 2");
        expect_error("peers: [[a]]\n", NULL, "FILE:1: peers: a list may hold plain values only");
        expect_error("cache: &a {address: x}\npeers: *a\n", NULL, "FILE:2: peers: aliases are not supported");
        expect_error("- a\n- b\n", NULL, "FILE:1: the file must be a mapping of keys to values");
        expect_error("peers: a\n---\npeers: b\n", NULL, "FILE:2: only one document is allowed");
        expect_error("[a]: b\n", NULL, "FILE:1: keys must be plain text");
        expect_error("? [a]\n: b\n", NULL, "FILE:1: keys must be plain text");
        expect_error("cache:\n  address: \"a\\0b\"\n", NULL, "FILE:2: a value contains a NUL byte");
        expect_error("{a: {a: {a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}}}}", NULL,
                     "FILE:1: nested deeper than 8 levels");
}

static void broken_yaml_and_missing_file(void **state)
{
        struct sample conf = {0};
        struct tk_err err = {0};
        char text[TK_ERR_TEXT_MAX];
        (void)state;

        assert_true(load(&conf, "rest:\n  threads: 'open\n", NULL, text) < 0);
        assert_true(tk_str_starts(text, "FILE:"));
        assert_true(tk_conf_load(sample_rows, SAMPLE_ROWS, &conf, "/nonexistent/x.yaml", NULL, &err) < 0);
        assert_string_equal(err.text, "/nonexistent/x.yaml: No such file or directory");
        assert_true(tk_conf_load(sample_rows, SAMPLE_ROWS, &conf, "/tmp", NULL, &err) < 0);
}

static int make_file(void **state)
{
        (void)state;
        int fd = mkstemp(path);
        return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
        (void)state;
        return unlink(path);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(defaults),
                cmocka_unit_test(file_values),
                cmocka_unit_test(later_layers_win),
                cmocka_unit_test(substitution),
                cmocka_unit_test(ranges),
                cmocka_unit_test(file_errors),
                cmocka_unit_test(broken_yaml_and_missing_file),
        };

        return cmocka_run_group_tests(tests, make_file, remove_file);
}
