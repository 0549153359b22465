/* SPDX-License-Identifier: MIT */
/* cli/cmd_template.c: "tasker template": list, apply, validate. */
#include "cli/cmd_template.h"

#include "base/str.h"
#include "cli/cmd_hold.h"
#include "cli/file.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "model/template.h"
#include <stdio.h>

enum { TEXT_MAX = 16 << 20 };

static void print_templates(const struct cli_verb *verb, const json_t *templates)
{
        static const char *const titles[] = {"NAMESPACE", "NAME", "VERSION", ">STEPS", "HELD", "DESCRIPTION", NULL};
        static const char *const keys[] = {"namespace", "name", "version"};
        struct cli_table *table = cli_table_new(verb->arena, titles);
        TK_AUTOBUF struct tk_buf text;
        const json_t *entry;
        size_t at;

        tk_buf_init(&text, TEXT_MAX);
        json_array_foreach(templates, at, entry) {
                const char *description = tk_json_str(entry, "description");
                for (size_t key = 0; key < tk_countof(keys); key++) {
                        const char *cell = tk_json_str(entry, keys[key]);
                        cli_table_put(table, NULL, "%s", cell ? cell : "?");
                }
                cli_table_put(table, NULL, "%lld", (long long)tk_json_i64(entry, "step_count", 0));
                cli_hold_cell(table, entry);
                cli_table_put(table, NULL, "%s", description ? description : "");
        }
        cli_table_print(table, verb->term.colour, &text);
        fputs(tk_buf_str(&text), stdout);
}

static int template_list(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const char *ns = NULL, *path = "/v1/templates";
        const struct cli_opt opts[] = {
                CLI_OPT_VALUE("namespace", "NAME", &ns, "Only of this namespace."),
                CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {
                "tasker template list", "",
                "Lists the registered templates, every version.\n\n"
                "  tasker template list --namespace payments",
                opts, tk_countof(opts), 0, 0};
        TK_AUTOJSON json_t *list = NULL;
        struct tk_err err;
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, NULL, &n);
        if (r != CLI_VERB_GO)
                return r;
        if (ns)
                path = tk_arena_printf(verb.arena, "/v1/templates?namespace=%s",
                                       cli_client_escape(verb.client, ns));
        r = cli_client_get(verb.client, path, &list, &err);
        if (r)
                return cli_verb_fail(r, &err);
        if (verb.json)
                cli_verb_print_json(list);
        else
                print_templates(&verb, json_object_get(list, "templates"));
        return CLI_EXIT_OK;
}

/* One a line, with its place. */
static void say_warnings(const char *message)
{
        for (const char *line = message, *end; line && *line; line = *end ? end + 1 : end) {
                end = strchrnul(line, '\n');
                printf("warning     %.*s\n", (int)(end - line), line);
        }
}

/* Sends one file; the answer (or {"outcome": "refused", …}) is appended to `report`. */
static int apply_file(struct cli_verb *verb, const char *file, bool replace, json_t *report)
{
        TK_AUTOBUF struct tk_buf yaml;
        json_t *answer = NULL;
        struct tk_err err;

        tk_buf_init(&yaml, TK_TEMPLATE_BYTES_MAX);
        int r = cli_file_read(file, &yaml, &err) < 0 ? CLI_CLIENT_E_STATUS : CLI_CLIENT_OK;
        if (r == CLI_CLIENT_OK) {
                const struct cli_request request = {
                        .method = "POST",
                        .content_type = "application/yaml",
                        .body = tk_buf_str(&yaml),
                        .body_len = yaml.len,
                        .path = tk_arena_printf(verb->arena, "/v1/templates?replace=%s&file=%s",
                                                replace ? "true" : "false",
                                                cli_client_escape(verb->client, file))};
                r = cli_client_send(verb->client, &request, &answer, NULL, &err);
        }
        if (r == CLI_CLIENT_E_UNREACHABLE)
                return cli_verb_fail(r, &err);
        if (r)
                answer = json_pack("{s:s, s:s%}", "outcome", "refused", "message", tk_err_text(&err),
                                   strlen(tk_err_text(&err)));
        if (answer)
                (void)json_object_set_new(answer, "file", json_string(file));
        const char *outcome = tk_json_str(answer, "outcome"), *ns = tk_json_str(answer, "namespace"),
                   *name = tk_json_str(answer, "name"), *version = tk_json_str(answer, "version");
        if (r)
                fprintf(stderr, "refused     %s: %s\n", file, tk_err_text(&err));
        else if (!verb->json)
                printf("%-11s %s/%s@%s\n", outcome ? outcome : "?", ns ? ns : "?", name ? name : "?",
                       version ? version : "?");
        if (!r && !verb->json)
                say_warnings(tk_json_str(answer, "message"));
        (void)json_array_append_new(report, answer);
        return cli_client_exit(r);
}

static int template_apply(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        bool replace = false;
        const struct cli_opt opts[] = {
                CLI_OPT_FLAG("replace", &replace, "Allow a changed template under a version that exists."),
                CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {
                "tasker template apply", "PATH",
                "Registers a template file, or every *.yaml and *.yml below a directory. What is registered\n"
                "already stays as it is; running tasks keep the template they started with.\n\n"
                "  tasker template apply examples/templates\n"
                "  tasker template apply refund.yaml --replace",
                opts, tk_countof(opts), 1, 1};
        TK_AUTOJSON json_t *report = json_array();
        const char *path, **files;
        struct tk_err err;
        unsigned n, files_n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, &path, &n);
        if (r != CLI_VERB_GO)
                return r;
        if (cli_file_list(path, verb.arena, &files, &files_n, &err) < 0) {
                fprintf(stderr, "tasker: %s\n", tk_err_text(&err));
                return CLI_EXIT_USAGE;
        }
        int exit = CLI_EXIT_OK;
        for (unsigned at = 0; at < files_n && exit != CLI_EXIT_UNREACHABLE; at++) {
                r = apply_file(&verb, files[at], replace, report);
                exit = r ? r : exit;
        }
        if (verb.json)
                cli_verb_print_json(report);
        return exit;
}

struct validation {
        const char *environment;
        const json_t *context; /* or NULL */
        bool strict, json;
};

/* Checks one file; its findings go to standard output and, as an object, into `report`. */
static bool validate_file(const char *file, const struct validation *how, json_t *report)
{
        TK_CLEANUP(tk_template_free) struct tk_template *tpl = NULL;
        TK_AUTOBUF struct tk_buf yaml;
        json_t *warnings = json_array();
        struct tk_err err;

        tk_buf_init(&yaml, TK_TEMPLATE_BYTES_MAX);
        int r = cli_file_read(file, &yaml, &err);
        if (r == 0)
                r = tk_template_parse_yaml(file, tk_buf_str(&yaml), yaml.len, how->environment, &tpl, &err);
        if (r == 0 && how->context && tpl->input_schema && !tk_schema_check(tpl->input_schema, how->context, &err)) {
                tk_err_prefix(&err, "%s: the context does not fit input_schema", file);
                r = -1;
        }
        for (unsigned at = 0; tpl && at < tpl->warnings_n; at++) {
                (void)json_array_append_new(warnings, json_string(tpl->warnings[at]));
                if (!how->json)
                        printf("warning     %s\n", tpl->warnings[at]);
        }
        bool good = r == 0 && !(how->strict && tpl->warnings_n);
        if (!how->json && r)
                printf("invalid     %s\n", tk_err_text(&err));
        else if (!how->json)
                printf("%-11s %s/%s@%s, %u step%s, digest %.12s…\n", good ? "valid" : "invalid", tpl->ns,
                       tpl->name, tpl->version, tpl->steps_n, tpl->steps_n == 1 ? "" : "s", tpl->digest);
        (void)json_array_append_new(report, json_pack("{s:s, s:b, s:s?, s:s?, s:o}", "file", file, "valid",
                                                      good, "error", r ? tk_err_text(&err) : NULL, "digest",
                                                      r ? NULL : tpl->digest, "warnings", warnings));
        return good;
}

static int template_validate(int argc, char **argv)
{
        struct validation how = {0};
        const char *path, **files, *context_text = NULL;
        const struct cli_opt opts[] = {CLI_OPT_VALUE("environment", "NAME", &how.environment,
                                                     "Apply the overrides of this environment."),
                                       CLI_OPT_VALUE("context", "JSON", &context_text,
                                                     "Also check this context (or @file.json, -) against input_schema."),
                                       CLI_OPT_FLAG("strict", &how.strict, "Warnings (unknown keys) are errors."),
                                       CLI_OPT_FLAG("json", &how.json, "Print an array of findings.")};
        const struct cli_usage usage = {
                "tasker template validate", "PATH",
                "Checks a template file, or every *.yaml and *.yml below a directory, without a server:\n"
                "syntax, types, limits, dependencies, cycles and schemas. Findings name file, line and column.\n\n"
                "  tasker template validate refund.yaml --strict\n"
                "  tasker template validate refund.yaml --context '{\"order_id\": 7}'",
                opts, tk_countof(opts), 1, 1};
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(1 << 16, 1 << 24);
        TK_AUTOJSON json_t *report = json_array(), *context = NULL;
        struct tk_err err;
        unsigned n, files_n;
        bool good = true;

        int r = cli_opt_parse(&usage, argc, argv, &path, &n);
        if (r)
                return r == CLI_OPT_E_HELP ? CLI_EXIT_OK : CLI_EXIT_USAGE;
        if (context_text && cli_file_json(context_text, &context, &err)) {
                fprintf(stderr, "tasker: --context: %s\n", tk_err_text(&err));
                return CLI_EXIT_USAGE;
        }
        how.context = context;
        if (cli_file_list(path, arena, &files, &files_n, &err) < 0) {
                fprintf(stderr, "tasker: %s\n", tk_err_text(&err));
                return CLI_EXIT_USAGE;
        }
        for (unsigned at = 0; at < files_n; at++)
                good &= validate_file(files[at], &how, report);
        if (how.json)
                cli_verb_print_json(report);
        return good ? CLI_EXIT_OK : CLI_EXIT_FAILED;
}

int cli_cmd_template(int argc, char **argv)
{
        static const struct cli_sub subs[] = {
                {"list", "list the registered templates", template_list},
                {"apply", "register template files", template_apply},
                {"validate", "check template files without a server", template_validate},
                {"pause", "hold all its tasks, also those to come", cli_cmd_template_pause},
                {"resume", "let them go on", cli_cmd_template_resume},
        };
        return cli_sub_run(
                "tasker template",
                "Templates are YAML files that declare a graph of steps; a task is one run of a template.",
                subs, tk_countof(subs), argc, argv);
}
