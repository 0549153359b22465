/* SPDX-License-Identifier: MIT */
/* cli/cmd_dlq.c: "tasker dlq": the dead-letter queue: what is in it, what is about to come in, and what people do about it. */
#include "cli/cmd_dlq.h"

#include "base/str.h"
#include "cli/dlq.h"
#include "cli/pages.h"
#include <stdio.h>

enum { QUERY_MAX = 4096, BODY_MAX = 1 << 16, HTTP_NOT_FOUND = 404 };

static int ask(struct cli_verb *verb, const char *path, cli_verb_print_fn *print)
{
        TK_AUTOJSON json_t *answer = NULL;
        struct tk_err err;
        int r = cli_client_get(verb->client, path, &answer, &err);
        if (r)
                return cli_verb_fail(r, &err);
        if (verb->json)
                cli_verb_print_json(answer);
        else
                print(verb, answer);
        return CLI_EXIT_OK;
}

static void put_query(struct cli_verb *verb, struct tk_buf *path, const char *key, const char *value)
{
        if (value)
                tk_buf_printf(path, "%c%s=%s", strchr(tk_buf_str(path), '?') ? '&' : '?', key, cli_client_escape(verb->client, value));
}

/* ---- Looking ---- */

struct span { /* of pages by cursor */
        const char *after, *before, *cursor;
};
#define SPAN(span)                                                                                                                     \
        CLI_OPT_VALUE("after", "TIME", &(span).after, "Only entered at or after, as 2026-01-31T12:00:00Z."),                           \
                CLI_OPT_VALUE("before", "TIME", &(span).before, "Only entered before."),                                               \
                CLI_OPT_VALUE("cursor", "ENTRY", &(span).cursor, "Only those behind this entry: the last one of the page before.")

static void put_span(struct cli_verb *verb, struct tk_buf *path, const struct span *span)
{
        put_query(verb, path, "entered_after", span->after);
        put_query(verb, path, "entered_before", span->before);
        put_query(verb, path, "cursor", span->cursor);
}

static int list(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const char *status = NULL, *kind = NULL, *ns = NULL, *name = NULL, *version = NULL, *limit = NULL, *offset = NULL;
        struct span span = {0};
        const struct cli_opt opts[] = {
                CLI_OPT_VALUE("status", "STATUS", &status, "Only pending, manually_resolved, permanently_failed or cancelled ones."),
                CLI_OPT_VALUE("kind", "KIND", &kind, "Only of this kind: staleness_timeout, max_retries_exceeded, worker_unavailable, manual_dlq."),
                CLI_OPT_VALUE("namespace", "NAME", &ns, "Only of this namespace."),
                CLI_OPT_VALUE("template", "NAME", &name, "Only of templates of this name."),
                CLI_OPT_VALUE("version", "V", &version, "Only of this version."),
                SPAN(span),
                CLI_OPT_VALUE("limit", "N", &limit, "How many (default 50, at most 1000)."),
                CLI_OPT_VALUE("offset", "N", &offset, "After so many newer ones."),
                CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {"tasker dlq list", "",
                                        "Entries of the dead-letter queue, newest first: tasks that are blocked or stand still, and tasks that\n"
                                        "somebody wants looked into.\n\n"
                                        "  tasker dlq list --status pending --namespace payments\n"
                                        "  tasker dlq list --kind staleness_timeout --limit 10\n"
                                        "  tasker dlq list --after 2026-01-31T00:00:00Z --cursor ENTRY",
                                        opts, tk_countof(opts), 0, 0};
        TK_AUTOBUF struct tk_buf path = {.max = QUERY_MAX};
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, NULL, &n);
        if (r != CLI_VERB_GO)
                return r;
        tk_buf_puts(&path, "/v1/dlq");
        put_query(&verb, &path, "resolution_status", status);
        put_query(&verb, &path, "reason", kind);
        put_query(&verb, &path, "namespace", ns);
        put_query(&verb, &path, "name", name);
        put_query(&verb, &path, "version", version);
        put_query(&verb, &path, "limit", limit);
        put_query(&verb, &path, "offset", offset);
        put_span(&verb, &path, &span);
        return ask(&verb, tk_buf_str(&path), cli_dlq_print_list);
}

/* The entry of that UUID, or the newest of the task of that UUID. */
static int get_entry(struct cli_verb *verb, const char *uuid, json_t **ret, struct tk_err *err)
{
        static const char *const places[] = {"entry", "task"};
        long status = 0;
        int r = 0;
        for (size_t i = 0; i < tk_countof(places); i++) {
                const struct cli_request request = {
                        .method = "GET", .path = tk_arena_printf(verb->arena, "/v1/dlq/%s/%s", places[i], cli_client_escape(verb->client, uuid))};
                r = cli_client_send(verb->client, &request, ret, &status, err);
                if (r != CLI_CLIENT_E_STATUS || status != HTTP_NOT_FOUND)
                        break;
        }
        return r;
}

static int show(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const struct cli_opt opts[] = {CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {"tasker dlq show", "ENTRY|TASK",
                                        "One entry, named by its UUID or its task's: why it was made, the task and its steps as they were then, and\n"
                                        "what people found. As the task is now: tasker explain TASK.\n\n"
                                        "  tasker dlq show 0198c5a2-7d1e-7a34-9c11-5d8e6f7a8b9c",
                                        opts, tk_countof(opts), 1, 1};
        TK_AUTOJSON json_t *answer = NULL;
        const char *uuid;
        struct tk_err err;
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, &uuid, &n);
        if (r != CLI_VERB_GO)
                return r;
        if ((r = get_entry(&verb, uuid, &answer, &err)))
                return cli_verb_fail(r, &err);
        if (verb.json)
                cli_verb_print_json(answer);
        else
                cli_dlq_print_entry(&verb, answer);
        return CLI_EXIT_OK;
}

static int stats(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const struct cli_opt opts[] = {CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {"tasker dlq stats", "",
                                        "How many entries there are of each kind, how they were closed, and after how many minutes on average.\n\n"
                                        "  tasker dlq stats",
                                        opts, tk_countof(opts), 0, 0};
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, NULL, &n);
        return r != CLI_VERB_GO ? r : ask(&verb, "/v1/dlq/stats", cli_dlq_print_stats);
}

static int queue(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const char *limit = NULL;
        struct span span = {0};
        const struct cli_opt opts[] = {
                SPAN(span), CLI_OPT_VALUE("limit", "N", &limit, "How many (default 100, at most 1000)."), CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {"tasker dlq queue", "",
                                        "What to look into first: pending entries by their score, a weight of their kind and the minutes they\n"
                                        "have waited.\n\n"
                                        "  tasker dlq queue --limit 10",
                                        opts, tk_countof(opts), 0, 0};
        TK_AUTOBUF struct tk_buf path = {.max = QUERY_MAX};
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, NULL, &n);
        if (r != CLI_VERB_GO)
                return r;
        tk_buf_puts(&path, "/v1/dlq/investigation-queue");
        put_query(&verb, &path, "limit", limit);
        put_span(&verb, &path, &span);
        return ask(&verb, tk_buf_str(&path), cli_dlq_print_queue);
}

static int stale(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const char *limit = "100";
        const struct cli_opt opts[] = {CLI_OPT_VALUE("limit", "N", &limit, "How many (default 100, at most 1000)."), CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {
                "tasker dlq stale", "",
                "How near open tasks are to being stale: for how long nothing of each has moved, and how long it may. Those that wait on\n"
                "purpose are spared, and it says why.\n\n"
                "  tasker dlq stale --limit 20",
                opts, tk_countof(opts), 0, 0};
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, NULL, &n);
        if (r != CLI_VERB_GO)
                return r;
        return ask(&verb, tk_arena_printf(verb.arena, "/v1/dlq/staleness?limit=%s", cli_client_escape(verb.client, limit)), cli_dlq_print_staleness);
}

/* ---- Deciding ---- */

static int send(struct cli_verb *verb, const char *method, const char *path, const json_t *body, json_t **ret, struct tk_err *err)
{
        TK_AUTOBUF struct tk_buf text;
        tk_buf_init(&text, BODY_MAX);
        tk_json_dump(body, &text);
        const struct cli_request request = {.method = method, .path = path, .body = text.data, .body_len = text.len};
        return cli_client_send(verb->client, &request, ret, NULL, err);
}

/* Sends what somebody decided, and prints the answer where JSON is wanted. Returns the exit code. */
static int act(struct cli_verb *verb, const char *method, const char *path, const json_t *body, json_t **ret)
{
        struct tk_err err;
        int r = send(verb, method, path, body, ret, &err);
        if (r)
                return cli_verb_fail(r, &err);
        if (verb->json)
                cli_verb_print_json(*ret);
        return CLI_EXIT_OK;
}

static int add(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const char *by = NULL, *reason = NULL, *task;
        const struct cli_opt opts[] = {CLI_WHO_AND_WHY(by, reason), CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {"tasker dlq add", "TASK",
                                        "Has a task looked into, whatever its state. The task goes on as it did.\n\n"
                                        "  tasker dlq add UUID --reason 'the amount is odd'",
                                        opts, tk_countof(opts), 1, 1};
        TK_AUTOJSON json_t *answer = NULL, *body = NULL;
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, &task, &n);
        if (r != CLI_VERB_GO)
                return r;
        if ((r = cli_needs_reason(usage.command, reason)))
                return r;
        body = json_pack("{s:s, s:s, s:s}", "task_uuid", task, "by", cli_verb_who(by), "reason", reason);
        r = act(&verb, "POST", "/v1/dlq", body, &answer);
        if (!r && !verb.json)
                printf("entered %s\n", tk_json_str(answer, "dlq_entry_uuid"));
        return r;
}

struct which { /* the entries a decision is about */
        const char *kind, *ns, *name, *version;
        bool all, dry;
};
#define WHICH(which)                                                                                                         \
        CLI_OPT_FLAG("dry-run", &(which).dry, "Of many: only say how many it would be."),                                    \
                CLI_OPT_VALUE("kind", "KIND", &(which).kind, "All pending ones of this kind, such as staleness_timeout."),   \
                CLI_OPT_VALUE("namespace", "NAME", &(which).ns, "All pending ones of this namespace."),                      \
                CLI_OPT_VALUE("template", "NAME", &(which).name, "All pending ones of templates of this name."),             \
                CLI_OPT_VALUE("version", "V", &(which).version, "All pending ones of this version."),                        \
                CLI_OPT_FLAG("all", &(which).all, "All pending ones.")

static bool is_many(const struct which *which)
{
        return which->kind || which->ns || which->name || which->version || which->all;
}

static int many(struct cli_verb *verb, const char *action, const struct which *which, const char *by, const char *reason)
{
        TK_AUTOJSON json_t *filter = json_object(), *body = NULL, *matched = verb->json ? json_array() : NULL;
        struct tk_err err;
        cli_pages_put(filter, "reason", which->kind);
        cli_pages_put(filter, "namespace", which->ns);
        cli_pages_put(filter, "name", which->name);
        cli_pages_put(filter, "version", which->version);
        if (which->all)
                (void)json_object_set_new(filter, "all", json_true());
        body = json_pack("{s:s, s:s, s:s, s:b, s:O}", "action", action, "by", cli_verb_who(by), "reason", reason, "dry_run",
                         which->dry, "filter", filter);
        struct cli_pages pages = {.verb = verb, .path = "/v1/dlq/bulk", .body = body, .matched = matched};
        int r = cli_pages_all(&pages, &err);
        if (r)
                r = cli_verb_fail(r, &err);
        else if (verb->json)
                cli_pages_print_sum(&pages, action, which->dry);
        else if (which->dry)
                printf("would %s %zu of %lld pending entries\n", action, pages.matched_n, pages.looked);
        else
                printf("%sd %lld, %zu matched, %lld pending entries looked at\n", action, pages.changed, pages.matched_n, pages.looked);
        json_decref(pages.last);
        return r;
}

/* Either an ENTRY or conditions: 0, or the exit code. */
static int check_which(const char *command, unsigned n, const struct which *which)
{
        const char *problem = n && (is_many(which) || which->dry) ? "an ENTRY and conditions exclude each other"
                              : !n && !is_many(which)             ? "expected an ENTRY, or conditions such as --kind, or --all"
                                                                  : NULL;
        if (!problem)
                return 0;
        fprintf(stderr, "%s: %s (%s --help)\n", command, problem, command);
        return CLI_EXIT_USAGE;
}

/* The entry meant by its own UUID or its task's. */
static int find_entry(struct cli_verb *verb, const char *uuid, const char **ret)
{
        TK_AUTOJSON json_t *entry = NULL;
        struct tk_err err;
        int r = get_entry(verb, uuid, &entry, &err);
        if (r)
                return cli_verb_fail(r, &err);
        *ret = tk_arena_strdup(verb->arena, tk_json_str(entry, "dlq_entry_uuid"));
        return 0;
}

static int revive(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const char *by = NULL, *reason = NULL, *entry = NULL;
        struct which which = {0};
        const struct cli_opt opts[] = {CLI_WHO_AND_WHY(by, reason), WHICH(which), CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {
                "tasker dlq revive", "[ENTRY|TASK]",
                "Sets the task of a pending entry going again and closes the entry: failed steps run again with all their attempts, what\n"
                "the task's end had cancelled too; what was done is not done again. Without an ENTRY: of all that match, page by page;\n"
                "interrupt it and run it again. Mend first what made it fail.\n\n"
                "  tasker dlq revive ENTRY --reason 'the bank is back'\n"
                "  tasker dlq revive --kind max_retries_exceeded --namespace payments --dry-run --reason -",
                opts, tk_countof(opts), 0, 1};
        TK_AUTOJSON json_t *answer = NULL, *body = NULL;
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, &entry, &n);
        if (r != CLI_VERB_GO)
                return r;
        if ((r = cli_needs_reason(usage.command, reason)) || (r = check_which(usage.command, n, &which)))
                return r;
        if (!n)
                return many(&verb, "revive", &which, by, reason);
        if ((r = find_entry(&verb, entry, &entry)))
                return r;
        body = json_pack("{s:s, s:s}", "by", cli_verb_who(by), "reason", reason);
        r = act(&verb, "POST", tk_arena_printf(verb.arena, "/v1/dlq/entry/%s/revive", entry), body, &answer);
        if (!r && !verb.json)
                printf("revived %s\n", tk_json_str(answer, "task_uuid"));
        return r;
}

static int resolve(int argc, char **argv)
{
        TK_AUTOVERB struct cli_verb verb = {0};
        const char *by = NULL, *reason = NULL, *as = "manually_resolved", *entry = NULL;
        struct which which = {0};
        const struct cli_opt opts[] = {
                CLI_OPT_VALUE("as", "STATUS", &as, "Of one: manually_resolved (the default), permanently_failed, cancelled; pending opens it again."),
                CLI_WHO_AND_WHY(by, reason), WHICH(which), CLI_VERB_OPTS(verb)};
        const struct cli_usage usage = {
                "tasker dlq resolve", "[ENTRY|TASK]",
                "Closes an entry with what was found. The task is not touched: to set it going again use tasker dlq revive, to end it tasker\n"
                "task cancel. Without an ENTRY: all that match, as manually_resolved.\n\n"
                "  tasker dlq resolve ENTRY --as permanently_failed --reason 'the account is closed'\n"
                "  tasker dlq resolve --kind worker_unavailable --reason 'the workers were being moved'",
                opts, tk_countof(opts), 0, 1};
        TK_AUTOJSON json_t *answer = NULL, *body = NULL;
        unsigned n;

        int r = cli_verb_begin(&verb, &usage, argc, argv, &entry, &n);
        if (r != CLI_VERB_GO)
                return r;
        if ((r = cli_needs_reason(usage.command, reason)) || (r = check_which(usage.command, n, &which)))
                return r;
        if (!n && !tk_streq(as, "manually_resolved")) {
                fprintf(stderr, "%s: --as needs an ENTRY (%s --help)\n", usage.command, usage.command);
                return CLI_EXIT_USAGE;
        }
        if (!n)
                return many(&verb, "resolve", &which, by, reason);
        if ((r = find_entry(&verb, entry, &entry)))
                return r;
        body = json_pack("{s:s, s:s, s:s}", "resolution_status", as, "resolution_notes", reason, "resolved_by", cli_verb_who(by));
        r = act(&verb, "PATCH", tk_arena_printf(verb.arena, "/v1/dlq/entry/%s", entry), body, &answer);
        if (!r && !verb.json)
                printf("%s is %s\n", entry, as);
        return r;
}

int cli_cmd_dlq(int argc, char **argv)
{
        static const struct cli_sub subs[] = {
                {"list", "its entries, newest first", list},
                {"show", "one entry, with the task as it was", show},
                {"queue", "what to look into first", queue},
                {"stats", "figures by kind", stats},
                {"stale", "which open tasks are about to come in", stale},
                {"add", "have a task looked into", add},
                {"revive", "set tasks going again and close their entries", revive},
                {"resolve", "close entries with what was found", resolve},
        };
        static const char about[] = "The dead-letter queue: tasks that do not come to their end by themselves, and what is done about them.";
        return cli_sub_run("tasker dlq", about, subs, tk_countof(subs), argc, argv);
}
