/* SPDX-License-Identifier: MIT */
/* "tasker template …": files found, checked without a server, and sent to a small one. */
#include "base/check.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/client.h"
#include "cli/cmd_template.h"
#include "http/http.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static const char good_yaml[] = "name: small\nnamespace_name: shop\nversion: 1.2.0\n"
                                "steps:\n  - name: one\n    handler: {callable: One}\n";
static const char bad_yaml[] =
        "name: broken\nnamespace_name: shop\nversion: 1.0.0\n"
        "steps:\n  - name: one\n    handler: {callable: One}\n    dependencies: [two]\n";

static struct tk_http *http;
static unsigned received;
static char last_body[1024], last_type[64], last_file[256], last_replace[8];
static char directory[] = "/tmp/tasker-cli-XXXXXX", good[64], bad[64], other[64], nested[64];

static void apply(struct tk_http_req *req, void *app)
{
        size_t len;
        const char *body = tk_http_req_body(req, &len);
        static const char ok[] = "{\"outcome\":\"created\",\"namespace\":\"shop\",\"name\":\"small\","
                                 "\"version\":\"1.2.0\"}";
        static const char no[] = "{\"error\":{\"code\":\"BAD_REQUEST\",\"message\":\"no such step: two\"}}";

        (void)app;
        received++;
        (void)tk_str_copy(last_body, sizeof last_body, body);
        (void)tk_str_copy(last_type, sizeof last_type, tk_http_req_header(req, "content-type"));
        (void)tk_str_copy(last_file, sizeof last_file, tk_http_req_query(req, "file"));
        (void)tk_str_copy(last_replace, sizeof last_replace, tk_http_req_query(req, "replace"));
        bool refused = strstr(body, "broken") != NULL;
        tk_http_reply(req, refused ? 400 : 201, NULL, refused ? no : ok, strlen(refused ? no : ok));
}

static const struct tk_http_route routes[] = {{TK_HTTP_POST, "/v1/templates", apply, 1 << 20, ""}};

static void write_file(char *path, size_t size, const char *name, const char *text)
{
        TK_CHECK(snprintf(path, size, "%s/%s", directory, name) < (int)size);
        FILE *file = fopen(path, "we");
        TK_CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static int setup(void **state)
{
        const struct tk_http_conf conf = {
                .bind = "127.0.0.1:0", .routes = routes, .routes_n = tk_countof(routes)};
        struct tk_err err;
        char url[64];

        (void)state;
        TK_CHECK(mkdtemp(directory));
        TK_CHECK(snprintf(nested, sizeof nested, "%s/nested", directory) > 0 && mkdir(nested, 0700) == 0);
        write_file(good, sizeof good, "nested/a good one.yml", good_yaml);
        write_file(bad, sizeof bad, "bad.yaml", bad_yaml);
        write_file(other, sizeof other, "readme.txt", "not a template");
        TK_CHECK(tk_http_new(&conf, &http, &err) == 0);
        TK_CHECK(snprintf(url, sizeof url, "http://127.0.0.1:%u", tk_http_port(http)) > 0);
        return setenv("TASKER_URL", url, 1);
}

static int teardown(void **state)
{
        (void)state;
        tk_http_quiesce(http, tk_time_mono_ns() + 5 * TK_NS_PER_S);
        http = tk_http_free(http);
        return unlink(good) || unlink(bad) || unlink(other) || rmdir(nested) || rmdir(directory);
}

static int run(const char *const *words)
{
        char *argv[16];
        int argc = 0;

        for (; words[argc]; argc++)
                argv[argc] = (char *)(uintptr_t)words[argc]; /* never written to */
        received = 0;
        return cli_cmd_template(argc, argv);
}
#define RUN(...) run((const char *const[]){"template", __VA_ARGS__, NULL})

static void validate_needs_no_server(void **state)
{
        (void)state;
        assert_int_equal(RUN("validate", good), CLI_EXIT_OK);
        assert_int_equal(RUN("validate", good, "--strict", "--json"), CLI_EXIT_OK);
        assert_int_equal(RUN("validate", bad), CLI_EXIT_FAILED);
        assert_int_equal(RUN("validate", directory), CLI_EXIT_FAILED);
        assert_int_equal(RUN("validate", "/no/such/file.yaml"), CLI_EXIT_USAGE);
        assert_int_equal(received, 0);
}

static void apply_sends_every_template(void **state)
{
        (void)state;
        assert_int_equal(RUN("apply", good, "--replace"), CLI_EXIT_OK);
        assert_int_equal(received, 1);
        assert_string_equal(last_body, good_yaml);
        assert_string_equal(last_type, "application/yaml");
        assert_string_equal(last_file, good);
        assert_string_equal(last_replace, "true");
        assert_int_equal(RUN("apply", directory, "--json"), CLI_EXIT_FAILED);
        assert_int_equal(received, 2);
        assert_string_equal(last_replace, "false");
        assert_int_equal(RUN("apply", "/no/such/directory"), CLI_EXIT_USAGE);
}

static void apply_stops_when_nobody_listens(void **state)
{
        (void)state;
        assert_int_equal(RUN("apply", directory, "--url", "http://127.0.0.1:1"), CLI_EXIT_UNREACHABLE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(validate_needs_no_server),
                cmocka_unit_test(apply_sends_every_template),
                cmocka_unit_test(apply_stops_when_nobody_listens),
        };
        return cmocka_run_group_tests(tests, setup, teardown);
}
