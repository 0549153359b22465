/* SPDX-License-Identifier: MIT */
/* The task a step wants: what it inherits, what it may not say, and that it is the same one however often it is asked for. */
#include "base/mem.h"
#include "base/str.h"
#include "model/sub_task.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "arena.h"

static struct tk_sub_task sub;

static int parse(const char *json)
{
        err = (struct tk_err){0};
        return tk_sub_task_parse(json, strlen(json), "orders", arena, &sub, &err);
}

static void what_is_not_said_is_inherited(void **state)
{
        (void)state;
        assert_int_equal(parse("{\"name\":\"ship\",\"version\":\"1.0.0\",\"context\":{\"n\":1}}"), 0);
        assert_string_equal(sub.req.ns, "orders");
        assert_string_equal(sub.req.name, "ship");
        assert_string_equal(sub.req.context, "{\"n\":1}");
        assert_string_equal(sub.req.source_system, "sub_task");
        assert_string_equal(sub.req.tags, "[]");
        assert_null(sub.req.initiator);
        assert_false(sub.has_priority);
        assert_false(sub.wait_blocked);
        assert_false(tk_uuid_is_nil(&sub.req.correlation_id));
}

static void what_is_said_is_taken(void **state)
{
        (void)state;
        assert_int_equal(parse("{\"namespace\":\"billing\",\"name\":\"a\",\"version\":\"2.0.0\",\"context\":{},\"priority\":-7,\"reason\":\"r\","
                               "\"tags\":[\"x\"],\"wait_blocked\":true}"), 0);
        assert_string_equal(sub.req.ns, "billing");
        assert_string_equal(sub.req.reason, "r");
        assert_string_equal(sub.req.tags, "[\"x\"]");
        assert_int_equal(sub.req.priority, -7);
        assert_true(sub.has_priority && sub.wait_blocked);
}

static void who_it_belongs_to_is_not_the_handlers_to_say(void **state)
{
        static const char other[] = "0198c5a2-7d1e-7a34-9c11-5d8e6f7a8b9c";
        char json[512], text[TK_UUID_TEXT];
        (void)state;
        snprintf(json, sizeof json, "{\"name\":\"a\",\"version\":\"1\",\"context\":{},\"correlation_id\":\"%s\",\"parent_correlation_id\":\"%s\","
                 "\"idempotency_key\":\"k\",\"identity_strategy\":\"strict\",\"initiator\":\"me\"}", other, other);
        assert_int_equal(parse(json), 0);
        tk_uuid_format(&sub.req.correlation_id, text);
        assert_string_not_equal(text, other);
        assert_true(tk_uuid_is_nil(&sub.req.parent_correlation_id));
        assert_null(sub.req.idempotency_key);
        assert_null(sub.req.identity_strategy);
        assert_null(sub.req.initiator);
}

static void what_is_wrong_is_named(void **state)
{
        static const char *const rows[][2] = {
                {"[]", "an object"}, {"{", "end of file"}, {"{\"version\":\"1\",\"context\":{}}", "`name`"},
                {"{\"name\":\"\",\"version\":\"1\",\"context\":{}}", "empty"}, {"{\"name\":\"a\",\"version\":\"1\",\"context\":3}", "context"},
                {"{\"name\":\"a\",\"version\":\"1\",\"context\":{},\"priority\":101}", "101"},
                {"{\"name\":\"a\",\"version\":\"1\",\"context\":{},\"wait_blocked\":1}", "wait_blocked"},
        };
        (void)state;
        for (size_t i = 0; i < tk_countof(rows); i++) {
                assert_int_not_equal(parse(rows[i][0]), 0);
                assert_non_null(strstr(tk_err_text(&err), rows[i][1]));
        }
}

static void an_attempt_asks_for_one_task(void **state)
{
        uint8_t first[32], again[32], next[32], other[32];
        struct tk_uuid step, another;
        (void)state;
        tk_uuid_v7(&step);
        tk_uuid_v7(&another);
        tk_sub_task_identity(&step, 1, first);
        tk_sub_task_identity(&step, 1, again);
        tk_sub_task_identity(&step, 2, next);
        tk_sub_task_identity(&another, 1, other);
        assert_memory_equal(first, again, sizeof first);
        assert_memory_not_equal(first, next, sizeof first);
        assert_memory_not_equal(first, other, sizeof first);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_is_not_said_is_inherited, setup, teardown),
                cmocka_unit_test_setup_teardown(what_is_said_is_taken, setup, teardown),
                cmocka_unit_test_setup_teardown(who_it_belongs_to_is_not_the_handlers_to_say, setup, teardown),
                cmocka_unit_test_setup_teardown(what_is_wrong_is_named, setup, teardown),
                cmocka_unit_test_setup_teardown(an_attempt_asks_for_one_task, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
