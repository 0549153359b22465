/* SPDX-License-Identifier: MIT */
/* conf: dumps load again, nest by dots, and tell no secret. */
#include "sample.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void load(struct sample *conf, const char *file)
{
        static const char *const sets[] = {"database.url=postgresql://u:secret@h/db",
                                           "cache.address=tcp://me:hidden@host:1",
                                           "peers=a:1,b:2",
                                           "dispatch.lease=1500ms",
                                           "log.offset=7",
                                           NULL};
        struct tk_err err = {0};

        memset(conf, 0, sizeof *conf);
        if (tk_conf_load(sample_rows, SAMPLE_ROWS, conf, file, file ? NULL : sets, &err))
                fail_msg("%s", err.text);
}

static void yaml_is_commented_masked_and_loads_again(void **state)
{
        char path[] = "/tmp/tasker-conf-XXXXXX";
        int fd = mkstemp(path);
        struct sample conf, again;
        TK_AUTOBUF struct tk_buf buf;
        (void)state;

        tk_buf_init(&buf, 100000);
        load(&conf, NULL);
        tk_conf_dump(sample_rows, SAMPLE_ROWS, &conf, &buf);
        assert_null(strstr(buf.data, "secret"));
        assert_null(strstr(buf.data, "hidden"));
        assert_non_null(strstr(
                buf.data,
                "# The truth.\n# Length 1..2048; environment TASKER_DATABASE_URL or TEST_DATABASE_URL.\n"
                "database.url: \"********\"\n"));
        assert_non_null(strstr(buf.data,
                               "# Range 1..64 threads; environment TASKER_REST_THREADS.\nrest.threads: 2\n"));
        assert_non_null(strstr(buf.data, "cache.address: \"tcp://me:********@host:1\"\n"));
        assert_non_null(strstr(
                buf.data, "# Range 1s..1h; environment TASKER_DISPATCH_LEASE.\ndispatch.lease: 1500ms\n"));
        assert_non_null(strstr(buf.data, "rest.body_max: 2M\n"));
        assert_int_equal(write(fd, buf.data, buf.len), buf.len);
        close(fd);
        load(&again, path);
        assert_int_equal(again.lease, conf.lease);
        assert_int_equal(again.body_max, conf.body_max);
        assert_int_equal(again.offset, 7);
        assert_int_equal(again.peers.count, 2);
        unlink(path);
        tk_conf_deinit(sample_rows, SAMPLE_ROWS, &conf);
        tk_conf_deinit(sample_rows, SAMPLE_ROWS, &again);
}

static void json_nests_by_dots(void **state)
{
        struct sample conf;
        TK_AUTOBUF struct tk_buf buf;
        json_t *value;
        int threads = 0, offset = 0, endpoint = 0;
        const char *url = NULL, *body = NULL, *lease = NULL, *peer = NULL;
        (void)state;

        tk_buf_init(&buf, 100000);
        load(&conf, NULL);
        tk_conf_dump_json(sample_rows, SAMPLE_ROWS, &conf, &buf);
        value = json_loads(tk_buf_str(&buf), JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(value);
        assert_int_equal(json_unpack(value, "{s:{s:s},s:{s:i,s:s,s:{s:b}},s:{s:i},s:{s:s},s:[s,*]}",
                                     "database", "url", &url, "rest", "threads", &threads, "body_max", &body,
                                     "limits", "endpoint", &endpoint, "log", "offset", &offset, "dispatch",
                                     "lease", &lease, "peers", &peer),
                         0);
        assert_string_equal(url, "********");
        assert_string_equal(body, "2M");
        assert_string_equal(lease, "1500ms");
        assert_string_equal(peer, "a:1");
        assert_int_equal(threads, 2);
        assert_int_equal(offset, 7);
        assert_true(endpoint);
        assert_int_equal(json_object_size(value), 6);
        json_decref(value);
        tk_conf_deinit(sample_rows, SAMPLE_ROWS, &conf);
}

static void urls(void **state)
{
        static const struct {
                const char *in, *out;
        } cases[] = {
                {"postgresql://u:secret@h/db", "postgresql://u:********@h/db"},
                {"postgresql://u:se@cr:et@h:5432/db?x=1", "postgresql://u:********@h:5432/db?x=1"},
                {"redis://:secret@h", "redis://:********@h"},
                {"postgresql://u@h/db", "postgresql://u@h/db"},
                {"postgresql://h:5432/a@b:c", "postgresql://h:5432/a@b:c"},
                {"postgresql://h/db?password=x&user=y", "postgresql://h/db?password=********&user=y"},
                {"postgresql://h/db?user=y&PASSWORD=x#f", "postgresql://h/db?user=y&PASSWORD=********#f"},
                {"postgresql://h?sslpassword=x", "postgresql://h?sslpassword=********"},
                {"0.0.0.0:8080", "0.0.0.0:8080"},
                {"", ""},
        };
        (void)state;

        for (size_t i = 0; i < tk_countof(cases); i++) {
                TK_AUTOBUF struct tk_buf buf;
                tk_buf_init(&buf, 1000);
                tk_conf_mask_url(cases[i].in, &buf);
                assert_string_equal(tk_buf_str(&buf), cases[i].out);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(yaml_is_commented_masked_and_loads_again),
                cmocka_unit_test(json_nests_by_dots),
                cmocka_unit_test(urls),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
