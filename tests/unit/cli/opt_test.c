/* SPDX-License-Identifier: MIT */
/* Options of a verb. */
#include "base/attr.h"
#include "cli/opt.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static bool flag;
static const char *value, *args[2];
static struct cli_opt_list list;
static unsigned n;

static int parse(const char *const *words)
{
        const struct cli_opt opts[] = {
                {.name = "flag", .flag = &flag, .help = "A flag."},
                {.name = "value", .value_name = "V", .value = &value, .help = "A value."},
                {.name = "list", .value_name = "V", .list = &list, .help = "Values."}};
        const struct cli_usage usage = {"tasker test", "ONE [TWO]", "Tests.", opts, tk_countof(opts), 1, 2};
        char *argv[16];
        int argc = 0;

        for (; words[argc]; argc++)
                argv[argc] = (char *)(uintptr_t)words[argc]; /* never written to */
        flag = false;
        value = NULL;
        list.n = 0;
        return cli_opt_parse(&usage, argc, argv, args, &n);
}

static void options_and_arguments_mix(void **state)
{
        (void)state;
        const char *const words[] = {"verb",   "--value", "a",      "one", "--list=x",
                                     "--flag", "two",     "--list", "y=z", NULL};
        assert_int_equal(parse(words), CLI_OPT_OK);
        assert_true(flag);
        assert_string_equal(value, "a");
        assert_int_equal(n, 2);
        assert_string_equal(args[0], "one");
        assert_string_equal(args[1], "two");
        assert_int_equal(list.n, 2);
        assert_string_equal(list.items[0], "x");
        assert_string_equal(list.items[1], "y=z");
}

static void dashes_end_options(void **state)
{
        const char *const words[] = {"verb", "--value=", "--", "--flag", "-", NULL};

        (void)state;
        assert_int_equal(parse(words), CLI_OPT_OK);
        assert_false(flag);
        assert_string_equal(value, "");
        assert_string_equal(args[0], "--flag");
        assert_string_equal(args[1], "-");
}

static void wrong_usage_is_refused(void **state)
{
        const char *const words[][6] = {{"verb", NULL},
                            {"verb", "a", "b", "c", NULL},
                            {"verb", "a", "--unknown", NULL},
                            {"verb", "a", "--val", "x", NULL},
                            {"verb", "a", "--value", NULL},
                            {"verb", "a", "--flag=yes", NULL},
                            {"verb", "a", "-x", NULL}};

        (void)state;
        for (size_t at = 0; at < tk_countof(words); at++)
                assert_int_equal(parse(words[at]), CLI_OPT_E_USAGE);
}

static void help_is_an_outcome_of_its_own(void **state)
{
        const char *const words[] = {"verb", "--help", "--unknown", NULL};

        (void)state;
        assert_int_equal(parse(words), CLI_OPT_E_HELP);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(options_and_arguments_mix),
                cmocka_unit_test(dashes_end_options),
                cmocka_unit_test(wrong_usage_is_refused),
                cmocka_unit_test(help_is_an_outcome_of_its_own),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
