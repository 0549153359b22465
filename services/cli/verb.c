/* SPDX-License-Identifier: MIT */
/* cli/verb.c: see verb.h. */
#include "cli/verb.h"

#include "base/str.h"
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BLOCK = 16384, ARENA_MAX = 256 << 20 };

int cli_verb_begin(struct cli_verb *verb, const struct cli_usage *usage, int argc, char **argv,
                   const char **ret_args, unsigned *ret_n)
{
        struct tk_err err;

        int r = cli_opt_parse(usage, argc, argv, ret_args, ret_n);
        if (r)
                return r == CLI_OPT_E_HELP ? CLI_EXIT_OK : CLI_EXIT_USAGE;
        if (cli_client_new(verb->url, &verb->client, &err) < 0) {
                fprintf(stderr, "%s: %s\n", usage->command, tk_err_text(&err));
                return CLI_EXIT_USAGE;
        }
        cli_term_look(&verb->term);
        verb->arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        return CLI_VERB_GO;
}

void cli_verb_end(struct cli_verb *verb)
{
        verb->client = cli_client_free(verb->client);
        verb->arena = tk_arena_free(verb->arena);
}

int cli_verb_fail(int outcome, const struct tk_err *err)
{
        fprintf(stderr, "tasker: %s\n", tk_err_text(err));
        return cli_client_exit(outcome);
}

const char *cli_verb_who(const char *by)
{
        const char *user = getenv("USER");

        return by ? by : user && *user ? user : "cli";
}

void cli_verb_print_json(const json_t *json)
{
        (void)json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY);
        putchar('\n');
}

const char *cli_verb_task_path(struct cli_verb *verb, const char *uuid)
{
        return tk_arena_printf(verb->arena, "/v1/tasks/%s", cli_client_escape(verb->client, uuid));
}

int cli_verb_task_part(const char *command, const char *about, const char *part, cli_verb_print_fn *print, int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const struct cli_opt opts[] = {CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {command, "UUID", about, opts, tk_countof(opts), 1, 1};
        TK_AUTOJSON json_t *answer = NULL;
        const char *uuid;
        struct tk_err err;
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, &uuid, &n);
        if (r != CLI_VERB_GO)
                return r;
        r = cli_client_get(verb.client, tk_arena_printf(verb.arena, "%s/%s", cli_verb_task_path(&verb, uuid), part), &answer, &err);
        if (r)
                return cli_verb_fail(r, &err);
        if (verb.json)
                cli_verb_print_json(answer);
        else
                print(&verb, answer);
        return CLI_EXIT_OK;
}

int cli_sub_run(const char *group, const char *about, const struct cli_sub *subs, size_t n, int argc,
                char **argv)
{
        const char *name = argc > 1 ? argv[1] : NULL;
        bool help = !name || tk_streq(name, "--help") || tk_streq(name, "-h") || tk_streq(name, "help");

        for (size_t at = 0; !help && at < n; at++)
                if (tk_streq(subs[at].name, name))
                        return subs[at].run(argc - 1, argv + 1);
        FILE *out = name && help ? stdout : stderr;
        if (!help)
                fprintf(out, "%s: unknown verb: %s\n\n", group, name);
        fprintf(out, "usage: %s <verb> [options]\n\n%s\n\nverbs:\n", group, about);
        for (size_t at = 0; at < n; at++)
                fprintf(out, "  %-10s %s\n", subs[at].name, subs[at].summary);
        fprintf(out, "\n%s <verb> --help explains one, with examples.\n", group);
        return name && help ? CLI_EXIT_OK : CLI_EXIT_USAGE;
}
