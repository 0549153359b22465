/* SPDX-License-Identifier: MIT */
/* json: merge patches, by the examples of RFC 7396, appendix A, as far as a patch is an object. */
#include "json/json.h"
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static json_t *read_json(const char *text)
{
        json_t *value = NULL;
        struct tk_err err;
        if (tk_json_parse(text, strlen(text), &tk_json_limits_default, &value, &err))
                fail_msg("%s: %s", text, tk_err_text(&err));
        return value;
}

static void examples(void **state)
{
        static const char *const rows[][3] = {
                {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
                {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
                {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
                {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
                {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
                {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
                {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
                {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
                {"{\"e\":null}", "{\"a\":1}", "{\"a\":1,\"e\":null}"},
                {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
                {"{\"a\":7}", "{\"a\":{\"b\":{\"c\":1,\"d\":null}}}", "{\"a\":{\"b\":{\"c\":1}}}"},
                {"{\"a\":1}", "{}", "{\"a\":1}"},
        };
        (void)state;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                TK_AUTOJSON json_t *target = read_json(rows[i][0]), *patch = read_json(rows[i][1]);
                TK_AUTOBUF struct tk_buf text = {.max = 1024};
                tk_json_merge(target, patch);
                tk_json_canonical(target, &text);
                assert_string_equal(tk_buf_str(&text), rows[i][2]);
        }
}

/* What a patch holds goes into the target as a copy: one patch changes many. */
static void a_patch_stays_as_it_is(void **state)
{
        TK_AUTOJSON json_t *patch = read_json("{\"a\":{\"b\":1,\"c\":null}}"), *one = read_json("{}"), *other = read_json("{\"a\":{\"c\":2}}"),
                           *same = read_json("{\"a\":{\"b\":1,\"c\":null}}");
        (void)state;
        tk_json_merge(one, patch);
        (void)json_object_set_new(json_object_get(one, "a"), "b", json_integer(9));
        tk_json_merge(other, patch);
        assert_true(json_equal(patch, same));
        assert_int_equal(json_integer_value(json_object_get(json_object_get(other, "a"), "b")), 1);
        assert_null(json_object_get(json_object_get(other, "a"), "c"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(examples),
                cmocka_unit_test(a_patch_stays_as_it_is),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
