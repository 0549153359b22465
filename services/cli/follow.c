/* SPDX-License-Identifier: MIT */
/* cli/follow.c: see follow.h. */
#include "cli/follow.h"

#include "base/str.h"
#include "base/time.h"
#include "cli/steps.h"
#include <inttypes.h>
#include <stdio.h>

static const int64_t LIVE_NS = 150 * TK_NS_PER_MS, PATIENT_NS = 30 * TK_NS_PER_S;
enum { TEXT_MAX = 16 << 20, BAR = 20, PICTURE_BLOCK = 16384, PICTURE_MAX = 256 << 20 };

int cli_follow_steps(struct cli_verb *verb, const char *segment, json_t **ret, struct tk_err *err)
{
        char path[256];

        (void)snprintf(path, sizeof path, "/v1/tasks/%s/workflow_steps", segment);
        return cli_client_get(verb->client, path, ret, err);
}

static int get_task(struct cli_verb *verb, const char *segment, int64_t wait_ns, json_t **ret,
                    struct tk_err *err)
{
        char path[256];
        const struct cli_request request = {.method = "GET", .path = path, .wait_ns = wait_ns};

        (void)snprintf(path, sizeof path, "/v1/tasks/%s?wait=%" PRId64 "ms", segment, wait_ns / TK_NS_PER_MS);
        return cli_client_send(verb->client, &request, ret, NULL, err);
}

void cli_follow_draw(struct cli_verb *verb, const json_t *task, const json_t *steps, struct tk_buf *out)
{
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(PICTURE_BLOCK, PICTURE_MAX);
        const struct cli_draw_style style = {verb->term.width, verb->term.colour, verb->term.ascii};
        struct cli_steps read;

        cli_task_print_line(task, &verb->term, tk_time_wall_ns(), out);
        tk_buf_putc(out, '\n');
        cli_steps_read(steps, tk_time_wall_ns(), arena, &read);
        cli_draw(read.items, read.n, &style, out);
}

/* "━━━━━─────" before the task's line. */
static void put_progress(const struct cli_verb *verb, const json_t *task, struct tk_buf *out)
{
        int64_t done = tk_json_i64(task, "completed_steps", 0), all = tk_json_i64(task, "total_steps", 0);

        for (int64_t at = 0; at < BAR; at++)
                tk_buf_puts(out, all && at * all < done * BAR ? (verb->term.ascii ? "=" : "━")
                                                              : (verb->term.ascii ? "-" : "─"));
        tk_buf_putc(out, ' ');
        cli_task_print_line(task, &verb->term, tk_time_wall_ns(), out);
}

static int show(struct cli_verb *verb, struct cli_live *live, enum cli_follow_show how, const char *segment,
                const json_t *task, struct tk_err *err)
{
        TK_AUTOBUF struct tk_buf text;
        TK_AUTOJSON json_t *steps = NULL;

        tk_buf_init(&text, TEXT_MAX);
        if (how == CLI_FOLLOW_PROGRESS) {
                put_progress(verb, task, &text);
        } else {
                int r = cli_follow_steps(verb, segment, &steps, err);
                if (r)
                        return r;
                cli_follow_draw(verb, task, steps, &text);
        }
        cli_live_show(live, tk_buf_str(&text));
        return CLI_CLIENT_OK;
}

static int conclude(struct cli_verb *verb, const char *segment, const json_t *task, bool drawn)
{
        TK_AUTOBUF struct tk_buf text;
        TK_AUTOJSON json_t *steps = NULL;
        bool good = cli_task_succeeded(tk_json_str(task, "status"));
        struct tk_err err;

        tk_buf_init(&text, TEXT_MAX);
        if (verb->json) {
                cli_verb_print_json(task);
                return good ? CLI_EXIT_OK : CLI_EXIT_FAILED;
        }
        if (!drawn)
                cli_task_print_line(task, &verb->term, tk_time_wall_ns(), &text);
        if (!good && cli_follow_steps(verb, segment, &steps, &err) == CLI_CLIENT_OK)
                cli_steps_print_failures(steps, &verb->term, &text);
        fputs(tk_buf_str(&text), stdout);
        return good ? CLI_EXIT_OK : CLI_EXIT_FAILED;
}

static int time_is_up(const json_t *task, const char *uuid)
{
        const char *status = tk_json_str(task, "status");

        fprintf(stderr,
                "tasker: the time is up; task %s is still %s. Wait longer with --timeout, or look: tasker "
                "task graph %s\n",
                uuid, status ? status : "there", uuid);
        return CLI_EXIT_TIMEOUT;
}

int cli_follow(struct cli_verb *verb, const char *uuid, int64_t timeout_ns, enum cli_follow_show how)
{
        __attribute__((cleanup(cli_live_deinit))) struct cli_live live = {.term = &verb->term};
        int64_t deadline_ns = timeout_ns ? tk_time_mono_ns() + timeout_ns : TK_TIME_NEVER;
        bool shows = how == CLI_FOLLOW_GRAPH || (how == CLI_FOLLOW_PROGRESS && verb->term.live);
        const char *segment = cli_client_escape(verb->client, uuid);
        int64_t wait_ns = shows ? 0 : PATIENT_NS;
        struct tk_err err;

        for (;;) {
                TK_AUTOJSON json_t *task = NULL;
                int64_t left_ns = deadline_ns - tk_time_mono_ns();
                wait_ns = left_ns < wait_ns ? left_ns > 0 ? left_ns : 0 : wait_ns;
                int r = get_task(verb, segment, wait_ns, &task, &err);
                if (r == CLI_CLIENT_OK && shows && !verb->json)
                        r = show(verb, &live, how, segment, task, &err);
                if (r)
                        return cli_verb_fail(r, &err);
                if (cli_task_rests(tk_json_str(task, "status"))) {
                        if (how == CLI_FOLLOW_PROGRESS)
                                cli_live_erase(&live);
                        return conclude(verb, segment, task, how == CLI_FOLLOW_GRAPH && !verb->json);
                }
                if (tk_time_mono_ns() >= deadline_ns)
                        return time_is_up(task, uuid);
                wait_ns = shows ? LIVE_NS : PATIENT_NS;
        }
}
