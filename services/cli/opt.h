/* SPDX-License-Identifier: MIT */
/* cli/opt.h: options of a subcommand, from a table. "--name value", "--name=value", flags, "-h"; "--" ends
 * them. Wrong usage is explained on standard error, with where to look. */
#pragma once
#include "base/attr.h"
#include <stdbool.h>
#include <stddef.h>

enum { CLI_OPT_LIST_MAX = 32 };
struct cli_opt_list {
        const char *items[CLI_OPT_LIST_MAX];
        unsigned n;
};
struct cli_opt {
        const char *name;              /* without the dashes */
        const char *value_name;        /* NULL: a flag */
        const char *help;
        bool *flag;                    /* one of these three is set */
        const char **value;
        struct cli_opt_list *list;     /* may be given several times */
};
#define CLI_OPT_FLAG(name_, at, help_) {.name = (name_), .flag = (at), .help = (help_)}
#define CLI_OPT_VALUE(name_, value_, at, help_)                                                              \
        {.name = (name_), .value_name = (value_), .value = (at), .help = (help_)}
#define CLI_OPT_LIST(name_, value_, at, help_)                                                               \
        {.name = (name_), .value_name = (value_), .list = (at), .help = (help_)}

struct cli_usage {
        const char *command;           /* "tasker task submit" */
        const char *arguments;         /* "TEMPLATE" */
        const char *text;              /* what it does, and examples */
        const struct cli_opt *opts;
        size_t opts_n;
        unsigned arguments_min, arguments_max;
};
enum { CLI_OPT_OK, CLI_OPT_E_HELP /* printed */, CLI_OPT_E_USAGE /* explained */ };
/* argv[0] is the subcommand; what is left over goes to ret_args (as many as arguments_max). */
TK_MUST int cli_opt_parse(const struct cli_usage *usage, int argc, char **argv, const char **ret_args,
                          unsigned *ret_n);
