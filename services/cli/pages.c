/* SPDX-License-Identifier: MIT */
/* cli/pages.c: see pages.h. */
#include "cli/pages.h"

#include <stdio.h>
#include <unistd.h>

enum { BODY_MAX = 1 << 16, LINE = 78 };

static void take_skipped(struct cli_pages *pages, json_t *skipped)
{
        size_t at;
        json_t *item;
        pages->skipped_n += json_array_size(skipped);
        if (pages->skipped && json_is_array(skipped)) {
                (void)json_array_extend(pages->skipped, skipped);
                return;
        }
        json_array_foreach(skipped, at, item)
                fprintf(stderr, "skipped %s: %s\n", tk_json_text(item, "task_uuid"), tk_json_text(item, "reason"));
}

static int page(struct cli_pages *pages, struct tk_err *err)
{
        TK_AUTOBUF struct tk_buf text;
        tk_buf_init(&text, BODY_MAX);
        tk_json_dump(pages->body, &text);
        const struct cli_request request = {.method = "POST", .path = pages->path, .body = text.data, .body_len = text.len};
        json_decref(pages->last);
        pages->last = NULL;
        int r = cli_client_send(pages->verb->client, &request, &pages->last, NULL, err);
        if (r)
                return r;
        const json_t *matched = json_object_get(pages->last, "matched");
        pages->looked += tk_json_i64(pages->last, "looked_at", 0);
        pages->changed += tk_json_i64(pages->last, "changed", 0);
        pages->steps += tk_json_i64(pages->last, "steps", 0);
        pages->matched_n += json_array_size(matched);
        if (pages->matched && json_is_array(matched))
                (void)json_array_extend(pages->matched, json_object_get(pages->last, "matched"));
        take_skipped(pages, json_object_get(pages->last, "skipped"));
        return 0;
}

static void progress(const struct cli_pages *pages, bool ends)
{
        if (!isatty(STDERR_FILENO))
                return;
        if (ends)
                fprintf(stderr, "\r%*s\r", LINE, "");
        else
                fprintf(stderr, "\rlooked at %lld, matched %zu, changed %lld", pages->looked, pages->matched_n, pages->changed);
}

int cli_pages_all(struct cli_pages *pages, struct tk_err *err)
{
        int r;
        while (!(r = page(pages, err))) {
                json_t *next = json_object_get(pages->last, "next");
                if (!json_is_string(next))
                        break;
                (void)json_object_set(pages->body, "after", next);
                progress(pages, false);
        }
        progress(pages, true);
        return r;
}

void cli_pages_put(json_t *object, const char *key, const char *text)
{
        if (text)
                (void)json_object_set_new(object, key, json_string(text));
}

void cli_pages_print_sum(const struct cli_pages *pages, const char *action, bool dry)
{
        TK_AUTOJSON json_t *sum = json_pack("{s:s, s:b, s:I, s:I, s:O}", "action", action, "dry_run", dry, "looked_at", (json_int_t)pages->looked,
                                            "changed", (json_int_t)pages->changed, "matched", pages->matched);
        if (tk_json_given(pages->last, "steps"))
                (void)json_object_set_new(sum, "steps", json_integer(pages->steps));
        if (pages->skipped_n)
                (void)json_object_set(sum, "skipped", pages->skipped);
        cli_verb_print_json(sum);
}

int cli_needs_reason(const char *command, const char *reason)
{
        if (reason)
                return 0;
        fprintf(stderr, "%s: missing option: --reason (%s --help)\n", command, command);
        return CLI_EXIT_USAGE;
}
