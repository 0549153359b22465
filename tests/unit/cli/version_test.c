/* SPDX-License-Identifier: MIT */
/* Which template is meant. */
#include "cli/version.h"
#include "json/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void versions_compare_by_number(void **state)
{
        static const char *const sorted[] = {"",      "0.9", "1",    "1.0",    "1.0.0", "1.0.0-rc1",
                                             "1.0.1", "1.2", "1.10", "1.10.1", "2"};

        (void)state;
        for (int a = 0; a < (int)(sizeof sorted / sizeof *sorted); a++)
                for (int b = 0; b < (int)(sizeof sorted / sizeof *sorted); b++) {
                        int r = cli_version_compare(sorted[a], sorted[b]);
                        assert_true(a < b ? r < 0 : a > b ? r > 0 : r == 0);
                }
        assert_int_equal(cli_version_compare("1.010", "1.10"), 0);
        assert_true(cli_version_compare("99999999999999999999999", "100000000000000000000000") < 0);
}

static void newest_of_the_named_is_picked(void **state)
{
        TK_AUTOJSON json_t *templates = json_pack(
                "[{s:s,s:s,s:s},{s:s,s:s,s:s},{s:s,s:s,s:s},{s:s,s:s,s:s},{s:i}]", "namespace", "pay", "name",
                "refund", "version", "1.9.0", "namespace", "pay", "name", "refund", "version", "1.10.0",
                "namespace", "pay", "name", "charge", "version", "1.0.0", "namespace", "shop", "name",
                "charge", "version", "3.0.0", "name", 7);
        const json_t *other;

        (void)state;
        assert_string_equal(tk_json_str(cli_version_pick(templates, NULL, "refund", NULL, &other), "version"),
                            "1.10.0");
        assert_string_equal(
                tk_json_str(cli_version_pick(templates, "pay", "refund", "1.9.0", &other), "version"),
                "1.9.0");
        assert_null(cli_version_pick(templates, "shop", "refund", NULL, &other));
        assert_null(other);
        assert_null(cli_version_pick(templates, NULL, "charge", NULL, &other));
        assert_string_equal(tk_json_str(other, "namespace"), "shop");
        assert_string_equal(
                tk_json_str(cli_version_pick(templates, "shop", "charge", NULL, &other), "version"), "3.0.0");
        assert_string_equal(
                tk_json_str(cli_version_pick(templates, NULL, "charge", "1.0.0", &other), "namespace"),
                "pay");
        assert_null(cli_version_pick(templates, NULL, "nothing", NULL, &other));
        assert_null(cli_version_pick(NULL, NULL, "refund", NULL, &other));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(versions_compare_by_number),
                cmocka_unit_test(newest_of_the_named_is_picked),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
