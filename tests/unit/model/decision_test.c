/* SPDX-License-Identifier: MIT */
/* Decisions about many tasks: what a body may ask for, and what is told to who asks for what the action does nothing to. */
#include "base/mem.h"
#include "base/time.h"
#include "model/decision.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "arena.h"

static struct tk_decision decision;

/* more: further members, after a comma. */
static int bulk(const char *action, const char *filter, const char *more)
{
        char json[1024];
        err = (struct tk_err){0};
        snprintf(json, sizeof json, "{\"by\":\"kim\",\"reason\":\"r\",\"action\":\"%s\",\"filter\":{%s}%s}", action, filter, more);
        return tk_decision_parse_bulk(json, strlen(json), arena, &decision, &err);
}

static void all_filters(void **state)
{
        (void)state;
        assert_int_equal(bulk("rerun", "\"namespace\":\"n\",\"name\":\"t\",\"version\":\"1\",\"status\":\"completed\",\"initiator\":\"i\","
                              "\"tag\":\"g\",\"step\":\"s\",\"step_status\":\"complete\",\"correlation_id\":\"0198c5a2-7d1e-7a34-9c11-5d8e6f7a8b9c\","
                              "\"created_after\":\"1970-01-01T00:00:01Z\","
                              "\"created_before\":\"1970-01-01T01:00:02+01:00\"", ",\"dry_run\":true"), TK_DECISION_OK);
        assert_string_equal(decision.action, "rerun");
        assert_string_equal(decision.state, "complete");
        assert_string_equal(decision.step, "s");
        assert_string_equal(decision.step_state, "complete");
        assert_true(decision.dry_run);
        assert_true(decision.created_after_ns == TK_NS_PER_S && decision.created_before_ns == 2 * TK_NS_PER_S);
        assert_null(decision.data);
        assert_int_equal(bulk("pause", "\"all\":true,\"tag\":null", ""), TK_DECISION_OK);
        assert_null(decision.tag);
}

static void completing_needs_a_step_and_a_result(void **state)
{
        (void)state;
        assert_int_equal(bulk("complete", "\"step\":\"s\"", ",\"completion_data\":{\"result\":{\"a\":[1,{\"b\":2}]}}"), TK_DECISION_OK);
        assert_string_equal(decision.data, "{\"result\":{\"a\":[1,{\"b\":2}]}}");
        assert_int_equal(bulk("complete", "\"step\":\"s\"", ""), TK_DECISION_E_SHAPE);
        assert_int_equal(bulk("complete", "\"tag\":\"x\"", ",\"completion_data\":{\"result\":1}"), TK_DECISION_E_VALUE);
}

static void what_is_refused(void **state)
{
        static const struct {
                const char *action, *filter;
                int outcome;
                const char *says;
        } rows[] = {
                {"explode", "\"all\":true", TK_DECISION_E_SHAPE,
                 "unknown variant `explode`, expected one of `pause`, `resume`, `start`, `cancel`, `reset`, `resolve`, `skip`, `complete`, `rerun`"},
                {"pause", "", TK_DECISION_E_VALUE, "filter: needs at least one of namespace"},
                {"pause", "\"all\":false", TK_DECISION_E_VALUE, "filter: needs at least one of namespace"},
                {"pause", "\"tag\":7", TK_DECISION_E_SHAPE, "tag: invalid type"},
                {"pause", "\"created_after\":\"yesterday\"", TK_DECISION_E_SHAPE, "filter.created_after: invalid type, expected a date and time"},
                {"pause", "\"created_before\":7", TK_DECISION_E_SHAPE, "filter.created_before"},
                {"pause", "\"status\":\"asleep\"", TK_DECISION_E_SHAPE, "filter.status: unknown variant `asleep`, expected one of `pending`"},
                {"reset", "\"step\":\"s\",\"step_status\":\"asleep\"", TK_DECISION_E_SHAPE, "filter.step_status: unknown variant `asleep`"},
                {"cancel", "\"status\":\"error\"", TK_DECISION_E_VALUE, "filter.status: cancel does nothing to a task that is error"},
                {"reset", "\"status\":\"complete\"", TK_DECISION_E_VALUE, "filter.status: reset does nothing to a task that is complete"},
                {"rerun", "\"step\":\"s\",\"status\":\"cancelled\"", TK_DECISION_E_VALUE, "rerun does nothing to a task that is cancelled"},
                {"rerun", "\"tag\":\"x\"", TK_DECISION_E_VALUE, "filter.step: rerun needs the name of a step"},
                {"skip", "\"tag\":\"x\",\"step_status\":\"pending\"", TK_DECISION_E_VALUE, "filter.step_status goes with filter.step"},
                {"reset", "\"step\":\"s\",\"step_status\":\"pending\"", TK_DECISION_E_VALUE,
                 "filter.step_status: reset is for a step that is `error`, `cancelled`, found `pending`"},
                {"skip", "\"step\":\"s\",\"step_status\":\"complete\"", TK_DECISION_E_VALUE,
                 "filter.step_status: skip is for a step that is `error`, `pending`"},
        };
        (void)state;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                if (bulk(rows[i].action, rows[i].filter, "") != rows[i].outcome || !strstr(tk_err_text(&err), rows[i].says))
                        fail_msg("%s %s: %s", rows[i].action, rows[i].filter, tk_err_text(&err));
        }
        assert_int_equal(tk_decision_parse_bulk("[]", 2, arena, &decision, &err), TK_DECISION_E_SHAPE);
        assert_int_equal(tk_decision_parse_bulk("{", 1, arena, &decision, &err), TK_DECISION_E_SYNTAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(all_filters, setup, teardown),
                cmocka_unit_test_setup_teardown(completing_needs_a_step_and_a_result, setup, teardown),
                cmocka_unit_test_setup_teardown(what_is_refused, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
