/* SPDX-License-Identifier: MIT */
/* "tasker task …" against a small server of the same routes: requests sent, output, exit codes. */
#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/client.h"
#include "cli/cmd_task.h"
#include "http/http.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define UUID "0198c5a2-7d1e-7a34-9c11-5d8e6f7a8b9c"

static struct fake {
        unsigned asks_until_rest; /* reads of the task that still find it running */
        const char *end;          /* its state then */
        int submit_status;
        int64_t longest_wait_ns;  /* of ?wait= */
        char request[4096];       /* the last body or query */
} fake;

static void reply(struct tk_http_req *req, int status, const char *body)
{
        tk_http_reply(req, status, NULL, body, strlen(body));
}

static const char *task_json(struct tk_http_req *req, const char *status)
{
        return tk_arena_printf(
                tk_http_req_arena(req),
                "{\"task_uuid\":\"" UUID "\",\"name\":\"refund\",\"namespace\":\"pay\",\"version\":\"1.0.0\","
                "\"status\":\"%s\",\"completed_steps\":1,\"total_steps\":2,\"context\":{\"n\":1}}",
                status);
}

static void task_submit(struct tk_http_req *req, void *app)
{
        size_t len;
        const char *body = tk_http_req_body(req, &len);

        (void)app;
        (void)tk_str_copy(fake.request, sizeof fake.request, body);
        if (fake.submit_status == 409)
                reply(req, 409,
                      "{\"error\":{\"code\":\"CONFLICT\",\"message\":\"A task with this identity already "
                      "exists\"}}");
        else
                reply(req, 200, task_json(req, "pending"));
}

static void task_read(struct tk_http_req *req, void *app)
{
        const char *wait = tk_http_req_query(req, "wait");
        int64_t wait_ns;

        (void)app;
        if (wait && tk_time_duration_parse(wait, &wait_ns) == 0 && wait_ns > fake.longest_wait_ns)
                fake.longest_wait_ns = wait_ns;
        if (!tk_streq(tk_http_req_param(req, 0), UUID))
                reply(req, 404, "{\"error\":{\"code\":\"NOT_FOUND\",\"message\":\"Resource not found\"}}");
        else
                reply(req, 200, task_json(req, fake.asks_until_rest ? "steps_in_process" : fake.end));
        fake.asks_until_rest -= fake.asks_until_rest > 0;
}

static void task_list(struct tk_http_req *req, void *app)
{
        const char *status = tk_http_req_query(req, "status"), *page = tk_http_req_query(req, "page");

        (void)app;
        snprintf(fake.request, sizeof fake.request, "page=%s status=%s", page ? page : "-",
                 status ? status : "-");
        reply(req, 200,
              tk_arena_printf(
                      tk_http_req_arena(req),
                      "{\"tasks\":[%s],\"pagination\":{\"page\":2,\"total_pages\":3,\"total_count\":51}}",
                      task_json(req, "pending")));
}

static void step_list(struct tk_http_req *req, void *app)
{
        (void)app;
        reply(req, 200,
              "[{\"name\":\"a\",\"current_state\":\"complete\",\"attempts\":1,\"execution_time_ms\":3},"
              "{\"name\":\"b\",\"current_state\":\"error\",\"attempts\":3,\"dependencies\":[\"a\"],"
              "\"results\":{\"error\":{\"message\":\"no money\"}}}]");
}

static void template_list(struct tk_http_req *req, void *app)
{
        (void)app;
        reply(req, 200, "{\"templates\":[{\"namespace\":\"pay\",\"name\":\"refund\",\"version\":\"1.0.0\"},"
                        "{\"namespace\":\"pay\",\"name\":\"refund\",\"version\":\"1.2.0\"}]}");
}

static void not_json(struct tk_http_req *req, void *app)
{
        (void)app;
        tk_http_reply(req, 200, "text/html", "<html>", 6);
}

static const struct tk_http_route routes[] = {
        {TK_HTTP_POST, "/v1/tasks", task_submit, 1 << 20, ""},
        {TK_HTTP_GET, "/v1/tasks", task_list, 0, ""},
        {TK_HTTP_GET, "/v1/tasks/{uuid}", task_read, 0, ""},
        {TK_HTTP_DELETE, "/v1/tasks/{uuid}", task_read, 0, ""},
        {TK_HTTP_GET, "/v1/tasks/{uuid}/workflow_steps", step_list, 0, ""},
        {TK_HTTP_GET, "/v1/templates", template_list, 0, ""},
        {TK_HTTP_GET, "/html/v1/tasks", not_json, 0, ""},
};
static struct tk_http *http;
static char url[64], *output;

static int setup(void **state)
{
        const struct tk_http_conf conf = {
                .bind = "127.0.0.1:0", .threads = 1, .routes = routes, .routes_n = tk_countof(routes)};
        struct tk_err err;

        (void)state;
        fake = (struct fake){.end = "complete"};
        TK_CHECK(tk_http_new(&conf, &http, &err) == 0);
        snprintf(url, sizeof url, "http://127.0.0.1:%u", tk_http_port(http));
        return setenv("TASKER_URL", url, 1);
}

static int teardown(void **state)
{
        (void)state;
        if (http)
                tk_http_quiesce(http, tk_time_mono_ns() + 5 * TK_NS_PER_S);
        http = tk_http_free(http);
        output = tk_free(output);
        return 0;
}

/* Runs the words; what they print goes to `output`. */
static int run(const char *const *words)
{
        FILE *file = tmpfile();
        char *argv[16];
        int argc = 0, saved = dup(STDOUT_FILENO);

        assert_true(file && saved >= 0);
        for (; words[argc]; argc++)
                argv[argc] = (char *)(uintptr_t)words[argc]; /* never written to */
        fflush(stdout);
        assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
        int exit = cli_cmd_task(argc, argv);
        fflush(stdout);
        assert_true(dup2(saved, STDOUT_FILENO) >= 0);
        close(saved);
        long len = ftell(file);
        len = len < 0 || fseek(file, 0, SEEK_END) ? 0 : ftell(file);
        rewind(file);
        tk_free(output);
        output = tk_zalloc((size_t)len + 1);
        assert_int_equal(fread(output, 1, (size_t)len, file), len);
        fclose(file);
        return exit;
}
#define RUN(...) run((const char *const[]){"task", __VA_ARGS__, NULL})

static void submit_looks_up_the_newest_version(void **state)
{
        (void)state;
        assert_int_equal(RUN("submit", "refund", "--context", "{\"order\": 7}", "--tag", "a", "--tag=b",
                             "--priority", "-3", "--idempotency-key", "k1", "--initiator", "me"),
                         CLI_EXIT_OK);
        assert_string_equal(output, "○ refund " UUID ": pending, 1 of 2 steps\n");
        TK_AUTOJSON json_t *sent = json_loads(fake.request, 0, NULL);
        assert_string_equal(tk_json_str(sent, "namespace"), "pay");
        assert_string_equal(tk_json_str(sent, "name"), "refund");
        assert_string_equal(tk_json_str(sent, "version"), "1.2.0");
        assert_string_equal(tk_json_str(sent, "initiator"), "me");
        assert_string_equal(tk_json_str(sent, "idempotency_key"), "k1");
        assert_int_equal(tk_json_i64(sent, "priority", 0), -3);
        assert_int_equal(tk_json_i64(json_object_get(sent, "context"), "order", 0), 7);
        assert_string_equal(json_string_value(json_array_get(json_object_get(sent, "tags"), 1)), "b");
        assert_int_equal(RUN("submit", "pay/refund@1.0.0"), CLI_EXIT_OK);
        TK_AUTOJSON json_t *named = json_loads(fake.request, 0, NULL);
        assert_string_equal(tk_json_str(named, "version"), "1.0.0");
        assert_null(json_object_get(named, "idempotency_key"));
}

static void submit_refuses_what_cannot_be_meant(void **state)
{
        (void)state;
        assert_int_equal(RUN("submit", "unknown"), CLI_EXIT_FAILED);
        assert_int_equal(RUN("submit", "refund", "--context", "[1]"), CLI_EXIT_USAGE);
        assert_int_equal(RUN("submit", "refund", "--context", "{\"a\":"), CLI_EXIT_USAGE);
        assert_int_equal(RUN("submit", "refund", "--context", "@/no/such/file"), CLI_EXIT_USAGE);
        assert_int_equal(RUN("submit", "refund", "--priority", "high"), CLI_EXIT_USAGE);
        assert_int_equal(RUN("submit", "refund", "--timeout", "soon"), CLI_EXIT_USAGE);
        assert_int_equal(RUN("submit"), CLI_EXIT_USAGE);
        assert_string_equal(fake.request, "");
        fake.submit_status = 409;
        assert_int_equal(RUN("submit", "refund"), CLI_EXIT_FAILED);
}

static void wait_ends_with_the_task(void **state)
{
        (void)state;
        fake.asks_until_rest = 2;
        assert_int_equal(RUN("wait", UUID), CLI_EXIT_OK);
        assert_string_equal(output, "✔ refund " UUID ": complete, 1 of 2 steps\n");
        fake.end = "blocked_by_failures";
        assert_int_equal(RUN("wait", UUID), CLI_EXIT_FAILED);
        assert_string_equal(output, "✘ refund " UUID
                                    ": blocked_by_failures, 1 of 2 steps\n  ✘ b (3 attempts): no money\n");
        fake.end = "cancelled";
        assert_int_equal(RUN("submit", "refund", "--wait", "--json"), CLI_EXIT_FAILED);
        TK_AUTOJSON json_t *task = json_loads(output, 0, NULL);
        assert_string_equal(tk_json_str(task, "status"), "cancelled");
}

static void wait_gives_up_in_time(void **state)
{
        (void)state;
        fake.asks_until_rest = UINT32_MAX;
        assert_int_equal(RUN("wait", UUID, "--timeout", "50ms"), CLI_EXIT_TIMEOUT);
        assert_in_range(fake.longest_wait_ns, TK_NS_PER_MS, 50 * TK_NS_PER_MS);
        assert_int_equal(RUN("graph", UUID, "--watch", "--timeout", "50ms"), CLI_EXIT_TIMEOUT);
}

static void graph_draws(void **state)
{
        static const char picture[] = "   ✔ a\n"
                                      " 3.0 ms\n"
                                      "    │\n"
                                      "   ✘ b\n"
                                      "failed ×3\n";

        (void)state;
        assert_int_equal(RUN("graph", UUID), CLI_EXIT_OK);
        assert_non_null(strstr(output, picture));
        assert_non_null(strstr(output, "b (3 attempts): no money"));
        fake.asks_until_rest = 3;
        assert_int_equal(RUN("graph", UUID, "--watch"), CLI_EXIT_OK);
        assert_non_null(strstr(output, ": steps_in_process, 1 of 2 steps\n\n"));
        assert_non_null(strstr(output, ": complete, 1 of 2 steps\n\n"));
}

static void get_list_and_cancel(void **state)
{
        (void)state;
        assert_int_equal(RUN("get", UUID), CLI_EXIT_OK);
        assert_non_null(strstr(output, "context            {\"n\":1}\n"));
        assert_int_equal(RUN("get", "nobody"), CLI_EXIT_FAILED);
        assert_int_equal(RUN("list", "--status", "error", "--page", "2"), CLI_EXIT_OK);
        assert_string_equal(fake.request, "page=2 status=error");
        assert_non_null(strstr(output, UUID "  pay        refund    1.0.0    pending    1/2  ?\n"));
        assert_non_null(strstr(output, "page 2 of 3, 51 tasks\n"));
        assert_int_equal(RUN("cancel", UUID), CLI_EXIT_OK);
        assert_string_equal(output, "cancelled " UUID "\n");
        assert_int_equal(RUN("dance"), CLI_EXIT_USAGE);
}

static void exit_codes_tell_what_is_wrong_with_the_address(void **state)
{
        char html[96];

        (void)state;
        snprintf(html, sizeof html, "%s/html/", url);
        assert_int_equal(RUN("list", "--url", html), CLI_EXIT_FAILED);
        assert_int_equal(RUN("list", "--url", "127.0.0.1:8080"), CLI_EXIT_USAGE);
        http = tk_http_free(http); /* from here on nobody listens */
        assert_int_equal(RUN("list"), CLI_EXIT_UNREACHABLE);
        assert_int_equal(RUN("submit", "refund"), CLI_EXIT_UNREACHABLE);
        assert_int_equal(RUN("wait", UUID), CLI_EXIT_UNREACHABLE);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                SERVED(submit_looks_up_the_newest_version),
                SERVED(submit_refuses_what_cannot_be_meant),
                SERVED(wait_ends_with_the_task),
                SERVED(wait_gives_up_in_time),
                SERVED(graph_draws),
                SERVED(get_list_and_cancel),
                SERVED(exit_codes_tell_what_is_wrong_with_the_address),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
