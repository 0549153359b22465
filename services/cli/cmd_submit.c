/* SPDX-License-Identifier: MIT */
/* cli/cmd_submit.c: see cmd_submit.h. A template may be named shortly: what is left out (namespace, version)
 * is looked up among the registered ones, and said when it is not clear. */
#include "cli/cmd_submit.h"

#include "base/str.h"
#include "base/time.h"
#include "cli/file.h"
#include "cli/follow.h"
#include "cli/steps.h"
#include "cli/version.h"
#include "cli/when.h"
#include <stdio.h>
#include <stdlib.h>

enum { BODY_MAX = 4 << 20, NAMED_MAX = 12 };

struct submission {
        const char *ns, *name, *version; /* NULL: look up */
        const char *context, *initiator, *source, *reason, *priority, *key, *identity, *timeout;
        const char *run_at, *deadline, *task_timeout, *on_timeout;
        struct cli_opt_list tags;
        bool wait, graph;
};

/* "payments/refund@2.0.0" → its parts; options win. */
static void split_name(struct tk_arena *arena, const char *text, struct submission *sub)
{
        char *copy = tk_arena_strdup(arena, text), *slash = strchr(copy, '/'), *at = strrchr(copy, '@');

        if (at) {
                *at = '\0';
                sub->version = sub->version ? sub->version : at + 1;
        }
        if (slash) {
                *slash = '\0';
                sub->ns = sub->ns ? sub->ns : copy;
        }
        sub->name = slash ? slash + 1 : copy;
}

static int not_found(const struct submission *sub, const json_t *templates, const json_t *other)
{
        const json_t *entry;
        size_t at;

        if (other) {
                fprintf(stderr,
                        "tasker: %s is registered in several namespaces: say which, as in --namespace %s\n",
                        sub->name, tk_json_str(other, "namespace"));
                return CLI_EXIT_FAILED;
        }
        fprintf(stderr, "tasker: no template %s%s%s%s%s is registered. ", sub->ns ? sub->ns : "",
                sub->ns ? "/" : "", sub->name, sub->version ? "@" : "", sub->version ? sub->version : "");
        fprintf(stderr, json_array_size(templates) ? "There are:"
                                                   : "There are none: tasker template apply DIRECTORY");
        json_array_foreach(templates, at, entry) {
                const char *ns = tk_json_str(entry, "namespace"), *name = tk_json_str(entry, "name");
                if (at == NAMED_MAX) {
                        fprintf(stderr, " … (tasker template list)");
                        break;
                }
                fprintf(stderr, "%s %s/%s", at ? "," : "", ns ? ns : "?", name ? name : "?");
        }
        fputc('\n', stderr);
        return CLI_EXIT_FAILED;
}

/* Fills namespace and version from the registered templates. */
static int look_up(struct cli_verb *verb, struct submission *sub)
{
        TK_AUTOJSON json_t *answer = NULL;
        const json_t *other;
        struct tk_err err;

        if (sub->ns && sub->version)
                return CLI_VERB_GO;
        int r = cli_client_get(verb->client, "/v1/templates", &answer, &err);
        if (r)
                return cli_verb_fail(r, &err);
        const json_t *templates = json_object_get(answer, "templates");
        const json_t *found = cli_version_pick(templates, sub->ns, sub->name, sub->version, &other);
        if (!found)
                return not_found(sub, templates, other);
        sub->ns = tk_arena_strdup(verb->arena, tk_json_str(found, "namespace"));
        sub->version = tk_arena_strdup(verb->arena, tk_json_str(found, "version"));
        return CLI_VERB_GO;
}

/* The context: an object. */
static int read_context(const char *text, json_t **ret)
{
        struct tk_err err;

        if (!cli_file_json(text, ret, &err)) {
                if (json_is_object(*ret))
                        return 0;
                json_decref(*ret);
                *ret = NULL;
                (void)TK_ERR(&err, -1, "expected a JSON object");
        }
        fprintf(stderr,
                "tasker: --context: %s. Give an object ('{\"order_id\": 7}'), @file.json, or - (standard "
                "input)\n",
                tk_err_text(&err));
        return -1;
}

static json_t *request_of(const struct submission *sub, json_t *context, int64_t priority)
{
        json_t *tags = json_array();

        for (unsigned at = 0; at < sub->tags.n; at++)
                (void)json_array_append_new(tags, json_string(sub->tags.items[at]));
        json_t *request = json_pack("{s:s, s:s, s:s, s:O, s:s, s:s, s:s, s:o, s:I}",
                                    "name", sub->name, "namespace", sub->ns, "version", sub->version,
                                    "context", context, "initiator", cli_verb_who(sub->initiator), "source_system", sub->source,
                                    "reason", sub->reason, "tags", tags, "priority", (json_int_t)priority);
        if (request && sub->key)
                (void)json_object_set_new(request, "idempotency_key", json_string(sub->key));
        if (request && sub->identity)
                (void)json_object_set_new(request, "identity_strategy", json_string(sub->identity));
        return request;
}

static int put_time(json_t *request, const char *key, const char *option, const char *text)
{
        char when[TK_TIME_TEXT];

        if (!text)
                return 0;
        if (cli_when_parse(text, tk_time_wall_ns(), when)) {
                fprintf(stderr, "tasker: %s %s: expected a time from now such as +10m, or one with its zone such as 2026-01-31T12:00:00Z\n",
                        option, text);
                return -1;
        }
        return json_object_set_new(request, key, json_string(when));
}

/* When it starts and until when it must be complete. */
static int put_times(json_t *request, const struct submission *sub)
{
        int64_t timeout_ns;

        if (put_time(request, "run_at", "--run-at", sub->run_at) || put_time(request, "deadline", "--deadline", sub->deadline))
                return -1;
        if (sub->on_timeout)
                (void)json_object_set_new(request, "on_timeout", json_string(sub->on_timeout));
        if (!sub->task_timeout)
                return 0;
        if (tk_time_duration_parse(sub->task_timeout, &timeout_ns) || timeout_ns < TK_NS_PER_S || timeout_ns % TK_NS_PER_S) {
                fprintf(stderr, "tasker: --task-timeout %s: expected whole seconds such as 30s, 5m or 2h\n", sub->task_timeout);
                return -1;
        }
        return json_object_set_new(request, "timeout_seconds", json_integer(timeout_ns / TK_NS_PER_S));
}

static int post(struct cli_verb *verb, const struct submission *sub, int64_t priority, json_t **ret)
{
        TK_AUTOJSON json_t *context = NULL, *request = NULL;
        TK_AUTOBUF struct tk_buf body;
        struct tk_err err;
        long status = 0;

        tk_buf_init(&body, BODY_MAX);
        if (read_context(sub->context, &context))
                return CLI_EXIT_USAGE;
        request = request_of(sub, context, priority);
        if (!request) {
                fprintf(stderr, "tasker: the names and texts given must be UTF-8\n");
                return CLI_EXIT_USAGE;
        }
        if (put_times(request, sub))
                return CLI_EXIT_USAGE;
        tk_json_dump(request, &body);
        const struct cli_request http = {
                .method = "POST", .path = "/v1/tasks", .body = tk_buf_str(&body), .body_len = body.len};
        int r = cli_client_send(verb->client, &http, ret, &status, &err);
        if (!r)
                return CLI_VERB_GO;
        r = cli_verb_fail(r, &err);
        if (status == 409)
                fprintf(stderr,
                        "It ran before with this context: give --idempotency-key or --identity always_unique, or another context.\n");
        return r;
}

static void say_submitted(const struct cli_verb *verb, const json_t *task)
{
        const char *uuid = tk_json_str(task, "task_uuid");
        TK_AUTOBUF struct tk_buf line;

        tk_buf_init(&line, 1 << 16);
        cli_task_print_line(task, &verb->term, tk_time_wall_ns(), &line);
        fputs(tk_buf_str(&line), stdout);
        if (verb->term.live)
                printf("Follow it: tasker task graph %s --watch\n", uuid ? uuid : "UUID");
}

static int submit(struct cli_verb *verb, struct submission *sub)
{
        TK_AUTOJSON json_t *task = NULL;
        int64_t priority = 0, timeout_ns = 0;

        if (sub->priority && tk_str_to_i64(sub->priority, INT32_MIN, INT32_MAX, &priority) < 0) {
                fprintf(stderr, "tasker: --priority %s: expected a whole number of 32 bits\n", sub->priority);
                return CLI_EXIT_USAGE;
        }
        if (sub->timeout && (tk_time_duration_parse(sub->timeout, &timeout_ns) < 0 || timeout_ns <= 0)) {
                fprintf(stderr, "tasker: --timeout %s: expected a duration such as 30s, 500ms or 5m\n",
                        sub->timeout);
                return CLI_EXIT_USAGE;
        }
        int r = look_up(verb, sub);
        if (r == CLI_VERB_GO)
                r = post(verb, sub, priority, &task);
        if (r != CLI_VERB_GO)
                return r;
        const char *uuid = tk_json_str(task, "task_uuid");
        if (uuid && (sub->wait || sub->graph))
                return cli_follow(verb, uuid, timeout_ns,
                                  sub->graph ? CLI_FOLLOW_GRAPH : CLI_FOLLOW_PROGRESS);
        if (verb->json)
                cli_verb_print_json(task);
        else
                say_submitted(verb, task);
        return CLI_EXIT_OK;
}

int cli_cmd_submit(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        struct submission sub = {.context = "{}", .source = "tasker-cli", .reason = "submitted by hand"};
        const struct cli_opt opts[] = {
                CLI_OPT_VALUE("context", "JSON", &sub.context, "Input: an object, @file, or - (default {})."),
                CLI_OPT_VALUE("namespace", "NAME", &sub.ns, "Needed when the name is in several."),
                CLI_OPT_VALUE("version", "V", &sub.version, "Default: the newest registered."),
                CLI_OPT_VALUE("priority", "N", &sub.priority, "Larger is more urgent (default 0)."),
                CLI_OPT_LIST("tag", "TEXT", &sub.tags, "May be given several times."),
                CLI_OPT_VALUE("idempotency-key", "KEY", &sub.key, "What makes two tasks the same."),
                CLI_OPT_VALUE("identity", "STRATEGY", &sub.identity, "strict, caller_provided or always_unique, before the template's."),
                CLI_OPT_VALUE("initiator", "NAME", &sub.initiator, "Who asks (default $USER)."),
                CLI_OPT_VALUE("source", "NAME", &sub.source, "From where (default tasker-cli)."),
                CLI_OPT_VALUE("reason", "TEXT", &sub.reason, "Why."),
                CLI_OPT_VALUE("run-at", "TIME", &sub.run_at, "Starts then: +10m, or 2026-01-31T12:00:00Z."),
                CLI_OPT_VALUE("deadline", "TIME", &sub.deadline, "Not complete by then, it ends."),
                CLI_OPT_VALUE("task-timeout", "DURATION", &sub.task_timeout, "The same, from its start."),
                CLI_OPT_VALUE("on-timeout", "WHAT", &sub.on_timeout, "What it becomes then: error or cancel, before the template's."),
                CLI_OPT_FLAG("wait", &sub.wait, "Wait until it rests; exit code as task wait."),
                CLI_OPT_FLAG("watch", &sub.graph, "Wait and draw its graph live."),
                CLI_OPT_VALUE("timeout", "DURATION", &sub.timeout, "With --wait or --watch: give up then."),
                CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {
                "tasker task submit", "[NAMESPACE/]TEMPLATE[@VERSION]",
                "Starts a task from a registered template and prints its UUID.\n\n"
                "  tasker task submit linear_workflow --context '{\"even_number\": 6}' --watch\n"
                "  tasker task submit payments/refund@2.0.0 --context @refund.json --wait --timeout 1m\n"
                "  tasker task submit reports/daily --run-at +2h --task-timeout 30m\n"
                "  generate | tasker task submit import --context - --idempotency-key import-7 --json",
                opts, tk_countof(opts), 1, 1};
        const char *name;
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, &name, &n);
        if (r != CLI_VERB_GO)
                return r;
        split_name(verb.arena, name, &sub);
        return submit(&verb, &sub);
}
