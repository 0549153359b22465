/* SPDX-License-Identifier: MIT */
/* tasker: the command line. One row per command. */
#include "base/attr.h"
#include "base/str.h"
#include "cli/cmd_analytics.h"
#include "cli/cmd_database.h"
#include "cli/cmd_dev.h"
#include "cli/cmd_dlq.h"
#include "cli/cmd_explain.h"
#include "cli/cmd_hold.h"
#include "cli/cmd_namespace.h"
#include "cli/cmd_retention.h"
#include "cli/cmd_step.h"
#include "cli/cmd_task.h"
#include "cli/cmd_template.h"
#include "cli/cmd_top.h"
#include <stdio.h>

enum { EXIT_USAGE = 2 };

static const struct {
        const char *name, *summary;
        int (*run)(int argc, char **argv);
} commands[] = {
        {"dev", "run the whole system on this machine", cli_cmd_dev},
        {"task", "submit, get, list, wait, graph, timeline, cancel, pause, resume, start, bulk", cli_cmd_task},
        {"step", "reset, resolve, complete, skip, rerun", cli_cmd_step},
        {"explain", "why a task is where it is, and what can be done", cli_cmd_explain},
        {"template", "list, apply, validate, pause, resume", cli_cmd_template},
        {"namespace", "list, weight, pause, resume", cli_cmd_namespace},
        {"dlq", "tasks that stand still or are blocked: list, show, queue, stats, stale, add, revive, resolve", cli_cmd_dlq},
        {"analytics", "how tasks went, and what was slow", cli_cmd_analytics},
        {"top", "what every process is doing, live", cli_cmd_top},
        {"migrate", "bring the database to the schema of this program", cli_cmd_migrate},
        {"retention", "how much history there is; let months of it go; policy, apply: delete old tasks", cli_cmd_retention},
        {"doctor", "prove that the database is consistent", cli_cmd_doctor},
};

static void help(FILE *out)
{
        fprintf(out, "tasker %s - durable workflows\n\nusage: tasker <command> [options]\n\ncommands:\n", TASKER_VERSION);
        for (size_t i = 0; i < tk_countof(commands); i++)
                fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
        fprintf(out, "\n'tasker <command> --help' explains one. Start with 'tasker dev'.\n");
}

int main(int argc, char **argv)
{
        const char *name = argc > 1 ? argv[1] : "--help";
        if (tk_streq(name, "--help") || tk_streq(name, "-h") || tk_streq(name, "help")) {
                help(stdout);
                return 0;
        }
        if (tk_streq(name, "--version") || tk_streq(name, "version")) {
                printf("tasker %s\n", TASKER_VERSION);
                return 0;
        }
        for (size_t i = 0; i < tk_countof(commands); i++)
                if (tk_streq(commands[i].name, name))
                        return commands[i].run(argc - 1, argv + 1);
        fprintf(stderr, "tasker: unknown command '%s'\n\n", name);
        help(stderr);
        return EXIT_USAGE;
}
