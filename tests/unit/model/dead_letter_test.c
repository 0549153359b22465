/* SPDX-License-Identifier: MIT */
/* What people may say about entries of the dead-letter queue, in both spellings, and what is told to who says it wrongly. */
#include "model/dead_letter.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "arena.h"

static void words_have_two_spellings(void **state)
{
        (void)state;
        assert_string_equal(tk_dead_letter_status("ManuallyResolved"), "manually_resolved");
        assert_string_equal(tk_dead_letter_status("permanently_failed"), "permanently_failed");
        assert_string_equal(tk_dead_letter_reason("ManualDlq"), "manual_dlq");
        assert_null(tk_dead_letter_status("manuallyResolved"));
        assert_null(tk_dead_letter_status(""));
        assert_null(tk_dead_letter_reason("Pending"));
}

static int update(const char *json, struct tk_dead_letter_update *ret)
{
        err = (struct tk_err){0};
        return tk_dead_letter_parse_update(json, strlen(json), arena, ret, &err);
}

static void an_update_says_what_changes(void **state)
{
        struct tk_dead_letter_update u;
        (void)state;
        assert_int_equal(update("{}", &u), TK_DECISION_OK);
        assert_null(u.status);
        assert_int_equal(update("{\"resolution_status\":null,\"resolution_notes\":null,\"resolved_by\":null,\"metadata\":null}", &u), TK_DECISION_OK);
        assert_null(u.metadata);
        assert_int_equal(update("{\"resolution_status\":\"Cancelled\",\"resolution_notes\":\"n\",\"resolved_by\":\"kim\","
                                "\"metadata\":[1, 2],\"more\":1}", &u), TK_DECISION_OK);
        assert_string_equal(u.status, "cancelled");
        assert_string_equal(u.notes, "n");
        assert_string_equal(u.by, "kim");
        assert_string_equal(u.metadata, "[1,2]");
}

static void a_wrong_update_is_told(void **state)
{
        static const struct {
                const char *json;
                int outcome;
                const char *says;
        } rows[] = {
                {"{", TK_DECISION_E_SYNTAX, "line 1"},
                {"[]", TK_DECISION_E_SHAPE, "expected a map"},
                {"{\"resolution_status\":\"Gone\"}", TK_DECISION_E_SHAPE, "unknown variant `Gone`"},
                {"{\"resolution_status\":7}", TK_DECISION_E_SHAPE, "resolution_status: invalid type"},
                {"{\"resolution_notes\":\"\"}", TK_DECISION_E_VALUE, "resolution_notes: must have 1 to 4096 bytes, found 0"},
                {"{\"resolved_by\":{}}", TK_DECISION_E_SHAPE, "resolved_by: invalid type"},
        };
        struct tk_dead_letter_update u;
        (void)state;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                assert_int_equal(update(rows[i].json, &u), rows[i].outcome);
                assert_non_null(strstr(tk_err_text(&err), rows[i].says));
        }
}

static void metadata_are_bounded(void **state)
{
        static char json[40000];
        struct tk_dead_letter_update u;
        (void)state;
        memset(json, 'x', sizeof json - 1);
        memcpy(json, "{\"metadata\":\"", 13);
        memcpy(json + sizeof json - 3, "\"}", 3);
        assert_int_equal(update(json, &u), TK_DECISION_E_VALUE);
        assert_non_null(strstr(tk_err_text(&err), "metadata: may have 32768 bytes, found 39986"));
}

static int bulk(const char *json, struct tk_dead_letter_bulk *ret)
{
        err = (struct tk_err){0};
        return tk_dead_letter_parse_bulk(json, strlen(json), arena, ret, &err);
}

static int said(const char *action, const char *filter, struct tk_dead_letter_bulk *ret)
{
        char json[256];
        snprintf(json, sizeof json, "{\"by\":\"k\",\"reason\":\"r\",\"action\":\"%s\",\"filter\":%s}", action, filter);
        return bulk(json, ret);
}

static void many_need_a_condition(void **state)
{
        struct tk_dead_letter_bulk b;
        (void)state;
        assert_int_equal(said("revive", "{\"reason\":\"StalenessTimeout\",\"namespace\":\"n\"}", &b), TK_DECISION_OK);
        assert_string_equal(b.why, "staleness_timeout");
        assert_string_equal(b.decision.ns, "n");
        assert_false(b.decision.dry_run);
        assert_int_equal(said("resolve", "{\"all\":true},\"dry_run\":true", &b), TK_DECISION_OK);
        assert_true(b.decision.dry_run);
        assert_int_equal(said("resolve", "{}", &b), TK_DECISION_E_VALUE);
        assert_int_equal(bulk("{\"by\":\"k\",\"reason\":\"r\",\"action\":\"resolve\"}", &b), TK_DECISION_E_SHAPE);
        assert_int_equal(said("burn", "{\"all\":true}", &b), TK_DECISION_E_SHAPE);
        assert_int_equal(said("revive", "{\"reason\":\"x\"}", &b), TK_DECISION_E_SHAPE);
        assert_int_equal(bulk("{\"reason\":\"r\",\"action\":\"revive\",\"filter\":{\"all\":true}}", &b), TK_DECISION_E_SHAPE);
        assert_int_equal(said("revive", "{\"all\":true},\"dry_run\":1", &b), TK_DECISION_E_SHAPE);
}

static void an_entry_names_its_task(void **state)
{
        static const char good[] = "{\"by\":\"k\",\"reason\":\"r\",\"task_uuid\":\"0198c5a2-7d1e-7a34-9c11-5d8e6f7a8b9c\"}",
                          bad[] = "{\"by\":\"k\",\"reason\":\"r\",\"task_uuid\":\"x\"}", none[] = "{\"by\":\"k\",\"reason\":\"r\"}";
        struct tk_decision decision;
        struct tk_uuid task;
        (void)state;
        assert_int_equal(tk_dead_letter_parse_entry(good, sizeof good - 1, arena, &task, &decision, &err), TK_DECISION_OK);
        assert_false(tk_uuid_is_nil(&task));
        assert_int_equal(tk_dead_letter_parse_entry(bad, sizeof bad - 1, arena, &task, &decision, &err), TK_DECISION_E_SHAPE);
        assert_int_equal(tk_dead_letter_parse_entry(none, sizeof none - 1, arena, &task, &decision, &err), TK_DECISION_E_SHAPE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(words_have_two_spellings), cmocka_unit_test(an_update_says_what_changes), cmocka_unit_test(a_wrong_update_is_told),
                cmocka_unit_test(metadata_are_bounded),     cmocka_unit_test(many_need_a_condition),      cmocka_unit_test(an_entry_names_its_task),
        };
        return cmocka_run_group_tests(tests, setup, teardown);
}
