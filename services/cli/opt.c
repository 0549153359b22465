/* SPDX-License-Identifier: MIT */
/* cli/opt.c: see opt.h. */
#include "cli/opt.h"

#include "base/str.h"
#include <stdio.h>

enum { LEFT_COLUMN = 28 };

static void print_help(const struct cli_usage *usage)
{
        printf("usage: %s %s%s[options]\n\n%s\n\noptions:\n", usage->command, usage->arguments,
               *usage->arguments ? " " : "", usage->text);
        for (size_t at = 0; at < usage->opts_n; at++) {
                const struct cli_opt *opt = &usage->opts[at];
                int len = printf("  --%s%s%s", opt->name, opt->value_name ? " " : "",
                                 opt->value_name ? opt->value_name : "");
                printf("%*s%s\n", len < LEFT_COLUMN ? LEFT_COLUMN - len : 1, "", opt->help);
        }
        printf("  --help%*sShow this.\n", LEFT_COLUMN - 8, "");
}

static int wrong(const struct cli_usage *usage, const char *what, const char *which)
{
        fprintf(stderr, "%s: %s%s%s\nTry: %s --help\n", usage->command, what, *which ? ": " : "", which,
                usage->command);
        return CLI_OPT_E_USAGE;
}

static const struct cli_opt *find(const struct cli_usage *usage, const char *name, size_t len)
{
        for (size_t at = 0; at < usage->opts_n; at++)
                if (strlen(usage->opts[at].name) == len && !memcmp(usage->opts[at].name, name, len))
                        return &usage->opts[at];
        return NULL;
}

/* One option; *at moves on when its value is the next word. */
static int take(const struct cli_usage *usage, int argc, char **argv, int *at)
{
        const char *name = argv[*at] + 2, *equals = strchrnul(name, '=');
        const struct cli_opt *opt = find(usage, name, (size_t)(equals - name));

        if (!opt)
                return wrong(usage, "unknown option", argv[*at]);
        if (!opt->value_name) {
                if (*equals)
                        return wrong(usage, "this option takes no value", argv[*at]);
                *opt->flag = true;
                return CLI_OPT_OK;
        }
        if (!*equals && *at + 1 == argc)
                return wrong(usage, "this option needs a value", argv[*at]);
        const char *value = *equals ? equals + 1 : argv[++*at];
        if (opt->value)
                *opt->value = value;
        else if (opt->list->n == CLI_OPT_LIST_MAX)
                return wrong(usage, "this option is given more than 32 times", opt->name);
        else
                opt->list->items[opt->list->n++] = value;
        return CLI_OPT_OK;
}

int cli_opt_parse(const struct cli_usage *usage, int argc, char **argv, const char **ret_args,
                  unsigned *ret_n)
{
        bool options = true;

        *ret_n = 0;
        for (int at = 1; at < argc; at++) {
                if (options && (tk_streq(argv[at], "--help") || tk_streq(argv[at], "-h"))) {
                        print_help(usage);
                        return CLI_OPT_E_HELP;
                }
                if (options && tk_streq(argv[at], "--")) {
                        options = false;
                } else if (options && argv[at][0] == '-' && argv[at][1] == '-') {
                        int r = take(usage, argc, argv, &at);
                        if (r)
                                return r;
                } else if (options && argv[at][0] == '-' && argv[at][1]) {
                        return wrong(usage, "unknown option", argv[at]);
                } else if (*ret_n == usage->arguments_max) {
                        return wrong(usage, "one argument too many", argv[at]);
                } else {
                        ret_args[(*ret_n)++] = argv[at];
                }
        }
        return *ret_n < usage->arguments_min ? wrong(usage, "missing argument", usage->arguments)
                                             : CLI_OPT_OK;
}
