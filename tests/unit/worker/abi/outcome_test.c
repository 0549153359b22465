/* SPDX-License-Identifier: MIT */
/* What decisions, analyzers and yielding handlers say, as JSON. */
#include "base/buf.h"
#include "base/err.h"
#include "json/json.h"
#include "worker/abi/result.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int setup(void **state)
{
        static struct tkw_result result;
        work_result_init(&result);
        *state = &result;
        return 0;
}

static int teardown(void **state)
{
        work_result_deinit(*state);
        return 0;
}

static void assert_says(struct tkw_result *result, const char *member, const char *expected)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, 1 << 20);
        work_result_conclude(result, 0);
        assert_int_equal(result->verdict, WORK_SUCCESS);
        tk_json_dump(json_object_get(result->members, member), &buf);
        assert_string_equal(tk_buf_str(&buf), expected);
}

static void decisions(void **state)
{
        static const char *const names[] = {"a", "b"};
        tkw_put_i64(*state, "amount", 7);
        assert_int_equal(tkw_create_steps(*state, names, 2), 0);
        assert_says(*state, "decision_point_outcome", "{\"type\":\"create_steps\",\"step_names\":[\"a\",\"b\"]}");
        assert_says(*state, "amount", "7");
        tkw_no_branches(*state);
        assert_says(*state, "decision_point_outcome", "{\"type\":\"no_branches\"}");
}

static void ranges_cover_everything_once(void **state)
{
        (void)state;
        static const struct {
                int64_t total;
                unsigned batches, expected;
        } rows[] = {{1000, 5, 5}, {1001, 2, 2}, {5, 4, 3}, {1, 10, 1}, {10, 3, 3}, {0, 3, 0}, {-4, 3, 0}, {9, 0, 0}};
        for (size_t i = 0; i < tk_countof(rows); i++) {
                struct tkw_result result;
                int64_t at = 1, last_size = INT64_MAX;
                work_result_init(&result);
                assert_int_equal(tkw_add_batches(&result, 1, rows[i].total, rows[i].batches), rows[i].expected);
                for (size_t k = 0; k < json_array_size(result.batches); k++) {
                        const json_t *config = json_array_get(result.batches, k);
                        assert_int_equal(tk_json_i64(config, "start_cursor", -1), at);
                        at = tk_json_i64(config, "end_cursor", -1);
                        int64_t size = tk_json_i64(config, "batch_size", -1);
                        assert_int_equal(size, at - tk_json_i64(config, "start_cursor", -1));
                        assert_true(size > 0 && size <= last_size);
                        last_size = size;
                }
                assert_int_equal(at, rows[i].expected ? rows[i].total + 1 : 1);
                work_result_deinit(&result);
        }
}

static void batches(void **state)
{
        tkw_add_batch(*state, "x", "{\"k\":[1]}", "\"end\"", 3);
        tkw_create_batches(*state, "work", 3);
        assert_says(*state, "batch_processing_outcome",
                    "{\"type\":\"create_batches\",\"worker_count\":1,\"total_items\":3,\"cursor_configs\":["
                    "{\"batch_id\":\"x\",\"start_cursor\":{\"k\":[1]},\"end_cursor\":\"end\",\"batch_size\":3}],\"worker_template_name\":\"work\"}");
        tkw_no_batches(*state, NULL);
        assert_says(*state, "batch_processing_outcome", "{\"type\":\"no_batches\"}");
}

static void what_cannot_be_said_fails_the_step(void **state)
{
        struct tkw_result *result = *state;
        tkw_add_batch(result, "x", "{broken", "1", 3);
        tkw_create_batches(result, NULL, 3);
        work_result_conclude(result, 0);
        assert_int_equal(result->verdict, WORK_PERMANENT);
        assert_string_equal(result->type, "invalid_result");
}

static void an_outcome_is_required(void **state)
{
        struct tkw_result *result = *state;
        tkw_success(result);
        work_result_require(result, "decision_point_outcome");
        assert_int_equal(result->verdict, WORK_PERMANENT);
        assert_string_equal(result->type, "missing_outcome");
        work_result_deinit(result);
        work_result_init(result);
        tkw_success_json(result, "{\"decision_point_outcome\":{}}");
        work_result_require(result, "decision_point_outcome");
        assert_int_equal(result->verdict, WORK_SUCCESS);
}

static void a_yield(void **state)
{
        struct tkw_result *result = *state;
        tkw_checkpoint_yield(result, "{\"at\":3}", 3, NULL);
        work_result_conclude(result, 0);
        assert_int_equal(result->verdict, WORK_YIELD);
        assert_int_equal(tk_json_i64(result->cursor, "at", 0), 3);
        assert_true(json_is_null(result->accumulated));
        tkw_checkpoint_yield(result, "{", 3, NULL);
        work_result_conclude(result, 0);
        assert_int_equal(result->verdict, WORK_PERMANENT);
}

static void a_task_to_wait_for(void **state)
{
        struct tkw_result *result = *state;
        TK_AUTOBUF struct tk_buf buf;
        int32_t priority = -3;
        tk_buf_init(&buf, 1 << 20);
        assert_int_equal(tkw_start_task(result, &(struct tkw_task){.name = "ship", .context_json = "{\"n\":1}"}), 0);
        work_result_conclude(result, 0);
        assert_int_equal(result->verdict, WORK_SUB_TASK);
        tk_json_dump(result->task, &buf);
        assert_string_equal(tk_buf_str(&buf), "{\"name\":\"ship\",\"version\":\"1.0.0\",\"context\":{\"n\":1},\"wait_blocked\":false}");
        tk_buf_reset(&buf);
        const struct tkw_task all = {.namespace_name = "orders", .name = "ship", .version = "2.1.0", .reason = "r", .tags_json = "[\"t\"]",
                                     .priority = &priority, .wait_blocked = true};
        (void)tkw_start_task(result, &all);
        tk_json_dump(result->task, &buf);
        assert_string_equal(tk_buf_str(&buf), "{\"namespace\":\"orders\",\"name\":\"ship\",\"version\":\"2.1.0\",\"reason\":\"r\",\"context\":{},"
                                              "\"tags\":[\"t\"],\"priority\":-3,\"wait_blocked\":true}");
}

static void a_task_that_is_none_fails_the_step(void **state)
{
        static const struct tkw_task rows[] = {{.name = "a", .context_json = "{"}, {.name = "\xff"}, {.name = "a", .tags_json = "x"}};
        (void)state;
        for (size_t i = 0; i < tk_countof(rows); i++) {
                struct tkw_result result;
                work_result_init(&result);
                (void)tkw_start_task(&result, &rows[i]);
                work_result_conclude(&result, 0);
                assert_int_equal(result.verdict, WORK_PERMANENT);
                assert_string_equal(result.type, "invalid_result");
                work_result_deinit(&result);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(decisions, setup, teardown),
                cmocka_unit_test(ranges_cover_everything_once),
                cmocka_unit_test_setup_teardown(batches, setup, teardown),
                cmocka_unit_test_setup_teardown(what_cannot_be_said_fails_the_step, setup, teardown),
                cmocka_unit_test_setup_teardown(an_outcome_is_required, setup, teardown),
                cmocka_unit_test_setup_teardown(a_yield, setup, teardown),
                cmocka_unit_test_setup_teardown(a_task_to_wait_for, setup, teardown),
                cmocka_unit_test_setup_teardown(a_task_that_is_none_fails_the_step, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
