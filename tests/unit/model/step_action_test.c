/* SPDX-License-Identifier: MIT */
/* What a person may say about a step, and what is told to who says it wrongly. */
#include "base/mem.h"
#include "model/step_action.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "arena.h"

static struct tk_step_action action;

static int parse(const char *json)
{
        err = (struct tk_err){0};
        return tk_step_action_parse(json, strlen(json), arena, &action, &err);
}

static void each_action_has_its_own_key_for_who(void **state)
{
        static const char *const rows[][3] = {{"reset_for_retry", "reset_by", "ResetForRetry"},
                                              {"resolve_manually", "resolved_by", "ResolveManually"},
                                              {"skip", "skipped_by", "Skip"}};
        char json[256];
        (void)state;
        for (size_t i = 0; i < 3; i++) {
                snprintf(json, sizeof json, "{\"action_type\":\"%s\",\"reason\":\"disk was full\",\"%s\":\"kim\",\"more\":1}",
                         rows[i][0], rows[i][1]);
                assert_int_equal(parse(json), TK_STEP_ACTION_OK);
                assert_string_equal(action.type, rows[i][0]);
                assert_string_equal(action.event, rows[i][2]);
                assert_string_equal(action.actor, "kim");
                assert_string_equal(action.reason, "disk was full");
                assert_null(action.data);
        }
}

static void a_completion_carries_its_data(void **state)
{
        (void)state;
        assert_int_equal(parse("{\"action_type\":\"complete_manually\",\"reason\":\"r\",\"completed_by\":\"k\","
                               "\"completion_data\":{\"result\":null,\"metadata\":[1]}}"), TK_STEP_ACTION_OK);
        assert_string_equal(action.data, "{\"result\":null,\"metadata\":[1]}");
}

static void what_is_wrong_is_named(void **state)
{
        static const struct {
                const char *json;
                int outcome;
                const char *says;
        } rows[] = {
                {"{\"action_type\":", TK_STEP_ACTION_E_SYNTAX, "line 1"},
                {"[]", TK_STEP_ACTION_E_SHAPE, "missing field `action_type`"},
                {"{}", TK_STEP_ACTION_E_SHAPE, "missing field `action_type`"},
                {"{\"action_type\":7}", TK_STEP_ACTION_E_SHAPE, "action_type"},
                {"{\"action_type\":\"explode\"}", TK_STEP_ACTION_E_SHAPE, "unknown variant `explode`"},
                {"{\"action_type\":\"skip\",\"skipped_by\":\"k\"}", TK_STEP_ACTION_E_SHAPE, "missing field `reason`"},
                {"{\"action_type\":\"skip\",\"reason\":\"r\",\"reset_by\":\"k\"}", TK_STEP_ACTION_E_SHAPE, "missing field `skipped_by`"},
                {"{\"action_type\":\"skip\",\"reason\":1,\"skipped_by\":\"k\"}", TK_STEP_ACTION_E_SHAPE, "reason: invalid type"},
                {"{\"action_type\":\"skip\",\"reason\":\"\",\"skipped_by\":\"k\"}", TK_STEP_ACTION_E_VALUE,
                 "reason: must have 1 to 500 bytes, found 0"},
                {"{\"action_type\":\"complete_manually\",\"reason\":\"r\",\"completed_by\":\"k\"}", TK_STEP_ACTION_E_SHAPE,
                 "missing field `completion_data`"},
                {"{\"action_type\":\"complete_manually\",\"reason\":\"r\",\"completed_by\":\"k\",\"completion_data\":{\"metadata\":{}}}",
                 TK_STEP_ACTION_E_SHAPE, "missing field `completion_data.result`"},
        };
        (void)state;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                assert_int_equal(parse(rows[i].json), rows[i].outcome);
                if (!strstr(tk_err_text(&err), rows[i].says))
                        fail_msg("%s: expected '%s', found '%s'", rows[i].json, rows[i].says, tk_err_text(&err));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(each_action_has_its_own_key_for_who, setup, teardown),
                cmocka_unit_test_setup_teardown(a_completion_carries_its_data, setup, teardown),
                cmocka_unit_test_setup_teardown(what_is_wrong_is_named, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
