/* SPDX-License-Identifier: MIT */
/* What the API says, as models and text; nothing in an answer is trusted. */
#include "base/time.h"
#include "cli/steps.h"
#include "json/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct tk_arena *arena;
static const struct cli_term plain = {.live = false};

static json_t *parse(const char *text)
{
        json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);

        assert_non_null(json);
        return json;
}

static int64_t at(const char *text)
{
        int64_t ns;

        assert_int_equal(tk_time_parse(text, &ns), 0);
        return ns;
}

static const char three_steps[] =
        "[{\"step_uuid\":\"u0\",\"name\":\"a\",\"current_state\":\"complete\",\"attempts\":1,\"max_"
        "attempts\":3,\"dependencies\":[],"
        "\"dispatched_at\":\"2026-01-31T12:00:00.000Z\",\"completed_at\":\"2026-01-31T12:00:00.012500Z\","
        "\"execution_time_ms\":3},"
        "{\"step_uuid\":\"u1\",\"name\":\"b\",\"current_state\":\"in_progress\",\"attempts\":2,\"max_"
        "attempts\":3,"
        "\"dependencies\":[\"a\"],\"dispatched_at\":\"2026-01-31T12:00:01Z\"},"
        "{\"step_uuid\":\"u2\",\"name\":\"c\",\"current_state\":\"error\",\"attempts\":3,\"max_attempts\":3,"
        "\"dependencies\":[\"b\",\"a\",\"nobody\"],\"execution_time_ms\":7,\"results\":{\"error\":{"
        "\"message\":\"no stock\"}}}]";

static void steps_become_a_graph(void **state)
{
        TK_AUTOJSON json_t *json = parse(three_steps);
        struct cli_steps steps;

        (void)state;
        cli_steps_read(json, at("2026-01-31T12:00:03Z"), arena, &steps);
        assert_int_equal(steps.n, 3);
        assert_string_equal(steps.items[0].name, "a");
        assert_true(steps.items[0].ms == 12.5);
        assert_int_equal(steps.items[0].parents_n, 0);
        assert_true(steps.items[1].ms == 2000);
        assert_int_equal(steps.items[1].attempts, 2);
        assert_int_equal(steps.items[1].parents_n, 1);
        assert_int_equal(steps.items[1].parents[0], 0);
        assert_true(steps.items[2].ms == 7);
        assert_int_equal(steps.items[2].parents_n, 2);
        assert_int_equal(steps.items[2].parents[0], 1);
        assert_int_equal(steps.items[2].parents[1], 0);
}

static void steps_become_a_table(void **state)
{
        TK_AUTOJSON json_t *json = parse(three_steps);
        TK_AUTOBUF struct tk_buf out;

        (void)state;
        tk_buf_init(&out, 1 << 16);
        cli_steps_print(json, &plain, at("2026-01-31T12:00:03Z"), arena, &out);
        assert_string_equal(tk_buf_str(&out), "   STEP  STATE        ATTEMPTS     TIME  UUID\n"
                                              "✔  a     complete          1/3  12.5 ms  u0\n"
                                              "▶  b     in_progress       2/3  2000 ms  u1\n"
                                              "✘  c     error             3/3   7.0 ms  u2\n");
        tk_buf_reset(&out);
        cli_steps_print_failures(json, &plain, &out);
        assert_string_equal(tk_buf_str(&out), "  ✘ c (3 attempts): no stock\n");
}

static void strange_answers_are_harmless(void **state)
{
        static const char *const strange[] = {
                "{}",
                "null",
                "[]",
                "[1,null,\"x\",{}]",
                "[{\"name\":7,\"current_state\":[],\"attempts\":\"3\"}]",
                "[{\"name\":\"a\",\"dependencies\":{\"a\":1},\"dispatched_at\":\"yesterday\"}]",
                "[{\"name\":\"a\",\"attempts\":-5,\"dependencies\":[\"a\",1]},{\"name\":\"a\"}]",
                "[{\"name\":\"a\",\"attempts\":9223372036854775807}]"};

        (void)state;
        for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
                TK_AUTOJSON json_t *json = parse(strange[i]);
                TK_AUTOBUF struct tk_buf out;
                struct cli_steps steps;
                tk_buf_init(&out, 1 << 16);
                cli_steps_read(json, 0, arena, &steps);
                assert_int_equal(steps.n, json_array_size(json));
                cli_draw(steps.items, steps.n, &(struct cli_draw_style){.width = 80}, &out);
                cli_steps_print(json, &plain, 0, arena, &out);
                cli_steps_print_failures(json, &plain, &out);
                cli_task_print(json, &plain, 0, &out);
                assert_non_null(strstr(tk_buf_str(&out), "0 of 0 steps"));
        }
}

static void tasks_are_summed_up(void **state)
{
        TK_AUTOJSON json_t *done = parse(
                "{\"task_uuid\":\"u\",\"name\":\"n\",\"status\":\"complete\",\"completed_steps\":4,"
                "\"total_steps\":4,\"created_at\":\"2026-01-31T12:00:00Z\","
                "\"updated_at\":\"2026-01-31T12:00:00.008Z\",\"completed_at\":null}");
        TK_AUTOJSON json_t *runs = parse(
                "{\"task_uuid\":\"u\",\"name\":\"n\",\"status\":\"steps_in_process\",\"completed_steps\":1,"
                "\"total_steps\":4,\"created_at\":\"2026-01-31T12:00:00Z\"}");
        TK_AUTOBUF struct tk_buf out;

        (void)state;
        tk_buf_init(&out, 1 << 16);
        cli_task_print_line(done, &plain, at("2026-01-31T13:00:00Z"), &out);
        cli_task_print_line(runs, &plain, at("2026-01-31T12:00:20Z"), &out);
        assert_string_equal(tk_buf_str(&out), "✔ n u: complete, 4 of 4 steps, 8.0 ms\n"
                                              "▶ n u: steps_in_process, 1 of 4 steps, 20.0 s\n");
}

static void states_at_rest(void **state)
{
        (void)state;
        assert_true(cli_task_rests("complete") && cli_task_succeeded("complete"));
        assert_true(cli_task_rests("resolved_manually") && cli_task_succeeded("resolved_manually"));
        assert_true(cli_task_rests("error") && !cli_task_succeeded("error"));
        assert_true(cli_task_rests("cancelled") && !cli_task_succeeded("cancelled"));
        assert_true(cli_task_rests("blocked_by_failures") && !cli_task_succeeded("blocked_by_failures"));
        assert_false(cli_task_rests("steps_in_process"));
        assert_false(cli_task_rests("waiting_for_retry"));
        assert_false(cli_task_rests(NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(steps_become_a_graph),
                cmocka_unit_test(steps_become_a_table),
                cmocka_unit_test(strange_answers_are_harmless),
                cmocka_unit_test(tasks_are_summed_up),
                cmocka_unit_test(states_at_rest),
        };
        arena = tk_arena_new(1 << 16, 1 << 24);
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        arena = tk_arena_free(arena);
        return failed;
}
