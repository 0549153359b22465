/* SPDX-License-Identifier: MIT */
/* The result document, byte for byte: it is stored, and read by every other language. */
#include "worker/core/document.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct work_execution execution = {
        .step = {{0x01, 0x90, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x2a}},
        .worker_id = "worker-1", .worker_hostname = "host", .handler_version = "1.2",
        .started_ns = 1767225600000000000, .completed_ns = 1767225600012000000, .execution_ms = 12,
};

static void expect(const struct work_execution *x, const struct tkw_result *result, const char *text)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, 65536);
        work_document_write(x, result, &buf);
        assert_string_equal(tk_buf_str(&buf), text);
}

#define HEAD "{\"step_uuid\":\"01900000-0000-7000-8000-00000000002a\","
#define TIMES "\"completed_at\":\"2026-01-01T00:00:00.012000Z\",\"worker_id\":\"worker-1\",\"worker_hostname\":\"host\"," \
              "\"started_at\":\"2026-01-01T00:00:00.000000Z\","

static void success(void **state)
{
        struct tkw_result r;
        (void)state;
        work_result_init(&r);
        tkw_put_i64(&r, "result", 36);
        tkw_put_str(&r, "who", "a \"b\" ü");
        tkw_set_note(&r, "rows", "[1,2]");
        assert_int_equal(tkw_success(&r), 0);
        work_result_conclude(&r, 0);
        expect(&execution, &r,
               HEAD "\"success\":true,\"result\":{\"result\":36,\"who\":\"a \\\"b\\\" ü\"},\"status\":\"completed\","
               "\"metadata\":{\"execution_time_ms\":12,\"handler_version\":\"1.2\",\"retryable\":true," TIMES
               "\"custom\":{\"rows\":[1,2]},\"error_code\":null,\"error_type\":null,\"context\":{}},"
               "\"error\":null,\"orchestration_metadata\":null}");
        work_result_deinit(&r);
}

static void permanent_failure(void **state)
{
        struct tkw_result r;
        (void)state;
        work_result_init(&r);
        tkw_put_i64(&r, "dropped", 1);
        tkw_set_code(&r, "MISSING_ITEMS");
        tkw_set_detail(&r, "field", "\"items\"");
        assert_int_equal(tkw_permanent(&r, "ValidationError", "no %s", "items"), 0);
        work_result_conclude(&r, 0);
        expect(&execution, &r,
               HEAD "\"success\":false,\"result\":{},\"status\":\"failed\","
               "\"metadata\":{\"execution_time_ms\":12,\"handler_version\":\"1.2\",\"retryable\":false," TIMES
               "\"custom\":{},\"error_code\":\"MISSING_ITEMS\",\"error_type\":\"ValidationError\",\"context\":{\"field\":\"items\"}},"
               "\"error\":{\"message\":\"no items\",\"error_type\":\"ValidationError\",\"backtrace\":[],\"retryable\":false,"
               "\"context\":{\"field\":\"items\"}},\"orchestration_metadata\":null}");
        work_result_deinit(&r);
}

static void retry_with_delay_by_the_worker(void **state)
{
        struct work_execution x = execution;
        struct tkw_result r;
        (void)state;
        x.by_worker = true;
        x.handler_version = NULL;
        work_result_init(&r);
        work_result_fail(&r, WORK_RETRYABLE, "handler_timeout", "late");
        tkw_set_retry_after(&r, 1500);
        expect(&x, &r,
               HEAD "\"success\":false,\"result\":{},\"status\":\"error\","
               "\"metadata\":{\"execution_time_ms\":12,\"handler_version\":null,\"retryable\":true," TIMES
               "\"custom\":{},\"error_code\":null,\"error_type\":\"handler_timeout\",\"context\":{}},"
               "\"error\":{\"message\":\"late\",\"error_type\":\"handler_timeout\",\"backtrace\":[],\"retryable\":true},"
               "\"orchestration_metadata\":{\"headers\":{},\"error_context\":null,\"backoff_hint\":{\"backoff_type\":\"ServerRequested\","
               "\"delay_seconds\":2,\"context\":null},\"custom\":{}}}");
        work_result_deinit(&r);
}

static void whole_result(void **state)
{
        struct tkw_result r;
        (void)state;
        work_result_init(&r);
        assert_int_equal(tkw_success_json(&r, " [1, 2.5, null] "), 0);
        work_result_conclude(&r, 0);
        expect(&execution, &r,
               HEAD "\"success\":true,\"result\":[1,2.5,null],\"status\":\"completed\","
               "\"metadata\":{\"execution_time_ms\":12,\"handler_version\":\"1.2\",\"retryable\":true," TIMES
               "\"custom\":{},\"error_code\":null,\"error_type\":null,\"context\":{}},"
               "\"error\":null,\"orchestration_metadata\":null}");
        work_result_deinit(&r);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(success),
                cmocka_unit_test(permanent_failure),
                cmocka_unit_test(retry_with_delay_by_the_worker),
                cmocka_unit_test(whole_result),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
