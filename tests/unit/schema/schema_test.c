/* SPDX-License-Identifier: MIT */
/* What a schema says about a value, in the words people get; what is refused when it is compiled; what must end. Whether every keyword means what
 * the draft says is compared with another implementation in tests/conformance/test_schema.py. */
#include "schema/schema.h"
#include "base/mem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static json_t *value_of(const char *text)
{
        json_error_t error;
        json_t *value = json_loads(text, JSON_DECODE_ANY, &error);
        if (!value)
                fail_msg("%s: %s", text, error.text);
        return value;
}

static struct tk_schema *compiled(const char *text)
{
        struct tk_schema *schema = NULL;
        struct tk_err err = {0};
        json_t *document = value_of(text);
        if (tk_schema_compile(document, &schema, NULL, &err))
                fail_msg("%s: %s", text, err.text);
        json_decref(document);
        return schema;
}

static void expect(const char *schema_text, const char *value_text, const char *says)
{
        struct tk_schema *schema = compiled(schema_text);
        json_t *value = value_of(value_text);
        struct tk_err err = {0};
        bool fits = tk_schema_check(schema, value, &err);
        assert_string_equal(err.text, says ? says : "");
        assert_int_equal(fits, !says);
        assert_int_equal(tk_schema_check(schema, value, NULL), !says);
        json_decref(value);
        tk_schema_free(schema);
}

static void test_errors_name_the_place(void **state)
{
        (void)state;
        const char *order = "{\"type\":\"object\",\"required\":[\"id\",\"items\"],\"properties\":{\"id\":{\"type\":\"integer\",\"minimum\":1},"
                            "\"items\":{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#/$defs/item\"}}},\"additionalProperties\":false,"
                            "\"$defs\":{\"item\":{\"type\":\"object\",\"required\":[\"sku\"],\"properties\":{"
                            "\"sku\":{\"pattern\":\"^[A-Z]+-[0-9]+$\"},"
                            "\"unit\":{\"enum\":[\"kg\",\"piece\"]}}}}}";
        expect(order, "{\"id\":7,\"items\":[{\"sku\":\"AB-1\",\"unit\":\"kg\"}]}", NULL);
        expect(order, "{\"id\":7.0,\"items\":[{\"sku\":\"AB-1\"}]}", NULL);
        expect(order, "[]", "/: must be object, found array");
        expect(order, "{\"items\":[{\"sku\":\"AB-1\"}]}", "/: 'id' is missing");
        expect(order, "{\"id\":\"7\",\"items\":[{},{\"sku\":\"ab\",\"unit\":\"lb\"}],\"x\":1}",
               "/id: must be integer, found string; /items/0: 'sku' is missing; /items/1/sku: must match the pattern of its schema; "
               "/items/1/unit: must be one of [\"kg\",\"piece\"]; /x: is not a key its schema knows");
        expect(order, "{\"id\":0,\"items\":[]}", "/id: must be at least 1, found 0; /items: must have at least 1 items, found 0");
        expect("{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\",\"minLength\":2}]}", "\"ü\"", "/: fits none of the 2 schemas of anyOf");
        expect("{\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}", "3", "/: fits more than one of the 2 schemas of oneOf");
}

static void test_at_most_ten_errors(void **state)
{
        (void)state;
        struct tk_schema *schema = compiled("{\"items\":{\"type\":\"string\"}}");
        json_t *value = value_of("[1,2,3,4,5,6,7,8,9,10,11,12]");
        struct tk_err err;
        assert_false(tk_schema_check(schema, value, &err));
        assert_non_null(strstr(err.text, "/9: must be string, found integer; and more"));
        assert_null(strstr(err.text, "/10:"));
        json_decref(value);
        tk_schema_free(schema);
}

static void test_what_is_refused(void **state)
{
        (void)state;
        static const struct {
                const char *schema, *pointer, *says;
        } bad[] = {
                {"3", "", "a schema must be a map, true or false"},
                {"{\"type\":\"text\"}", "/type", "type must be one or more of null, boolean, integer, number, string, array, object; found 'text'"},
                {"{\"properties\":{\"a\":{\"minimum\":\"1\"}}}", "/properties/a/minimum", "minimum must be a number"},
                {"{\"exclusiveMinimum\":true}", "/exclusiveMinimum", "exclusiveMinimum must be a number"},
                {"{\"required\":true}", "/required", "must be a list of names"},
                {"{\"minItems\":-1}", "/minItems", "minItems must be a whole number of 0 or more"},
                {"{\"pattern\":\"(\"}", "/pattern", "regular expression '(' is not one: missing closing parenthesis, at byte 1"},
                {"{\"$ref\":\"https://example.com/x.json\"}", "/$ref",
                 "$ref 'https://example.com/x.json' leads out of this schema; nothing is fetched"},
                {"{\"$ref\":\"other.json#/a\"}", "/$ref", "$ref 'other.json#/a' leads out of this schema; nothing is fetched"},
                {"{\"$ref\":\"#/$defs/none\"}", "/$ref", "$ref '#/$defs/none' leads nowhere"},
                {"{\"$dynamicRef\":\"#a\"}", "/$dynamicRef", "dynamic references are not supported"},
                {"{\"$schema\":\"draft\"}", "/$schema", "$schema must be a draft of json-schema.org, found 'draft'"},
                {"{\"items\":{\"$id\":\"x\"}}", "/items/$id", "$id stands only at the root of a schema"},
                {"{\"allOf\":[{\"anyOf\":[true,{\"$ref\":\"#\"}]}]}", "",
                 "the schema refers to itself without going deeper into the value, or by more than 64 references in a row"},
        };
        for (size_t i = 0; i < tk_countof(bad); i++) {
                struct tk_schema *schema = NULL;
                struct tk_err err = {0};
                char pointer[TK_SCHEMA_POINTER_MAX];
                json_t *document = value_of(bad[i].schema);
                assert_true(tk_schema_compile(document, &schema, pointer, &err) < 0);
                assert_string_equal(err.text, bad[i].says);
                assert_string_equal(pointer, bad[i].pointer);
                json_decref(document);
        }
}

static void test_too_many_schemas(void **state)
{
        (void)state;
        json_t *list = json_array(), *document = json_pack("{s:O}", "anyOf", list);
        struct tk_schema *schema = NULL;
        struct tk_err err = {0};
        for (int i = 0; i < TK_SCHEMA_NODES_MAX; i++)
                json_array_append_new(list, json_object());
        assert_true(tk_schema_compile(document, &schema, NULL, &err) < 0);
        assert_string_equal(err.text, "a schema may hold 4096 schemas, this one holds more");
        json_decref(list);
        json_decref(document);
}

/* Doubles with every level of the value: 2^60 without an end. */
static void test_a_check_ends(void **state)
{
        (void)state;
        struct tk_schema *schema = compiled("{\"allOf\":[{\"properties\":{\"a\":{\"$ref\":\"#\"}}},{\"properties\":{\"a\":{\"$ref\":\"#\"}}}]}");
        json_t *value = json_object();
        struct tk_err err = {0};
        for (int i = 0; i < 60; i++)
                value = json_pack("{s:o}", "a", value);
        assert_false(tk_schema_check(schema, value, &err));
        assert_non_null(strstr(err.text, "takes more than 1000000 steps"));
        json_decref(value);
        tk_schema_free(schema);
}

/* A backtracking engine without limits runs for ever on the first and out of stack on the second. */
static void test_a_pattern_ends(void **state)
{
        (void)state;
        struct tk_schema *schema = compiled("{\"pattern\":\"^(a+)+$\"}"), *letters = compiled("{\"pattern\":\"^[a-z]+$\"}");
        char *text = tk_malloc(1000001);
        struct tk_err err = {0};
        memset(text, 'a', 1000000);
        text[1000000] = '\0';
        json_t *longest = json_string(text), *hard = json_string("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
        assert_false(tk_schema_check(schema, hard, &err));
        assert_non_null(strstr(err.text, "or a regular expression too long"));
        assert_true(tk_schema_check(letters, longest, &err));
        json_decref(longest);
        json_decref(hard);
        tk_free(text);
        tk_schema_free(schema);
        tk_schema_free(letters);
}

static void test_references_with_escapes_and_anchors(void **state)
{
        (void)state;
        expect("{\"$defs\":{\"a/b~c\":{\"type\":\"null\"}},\"$ref\":\"#/$defs/a~1b~0c\"}", "1", "/: must be null, found integer");
        expect("{\"$id\":\"https://example.com/s\",\"$defs\":{\"x\":{\"$anchor\":\"n\",\"type\":\"null\"}},"
               "\"$ref\":\"https://example.com/s#n\"}", "1",
               "/: must be null, found integer");
        expect("{\"properties\":{\"next\":{\"$ref\":\"#\"},\"v\":{\"type\":\"integer\"}}}", "{\"next\":{\"next\":{\"v\":\"x\"}}}",
               "/next/next/v: must be integer, found string");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_errors_name_the_place), cmocka_unit_test(test_at_most_ten_errors), cmocka_unit_test(test_what_is_refused),
                cmocka_unit_test(test_too_many_schemas), cmocka_unit_test(test_a_check_ends), cmocka_unit_test(test_a_pattern_ends),
                cmocka_unit_test(test_references_with_escapes_and_anchors),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
