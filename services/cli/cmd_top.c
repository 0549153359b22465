/* SPDX-License-Identifier: MIT */
/* cli/cmd_top.c: "tasker top": asks every process for its figures again and again, and shows what changed between. */
#include "cli/cmd_top.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/client.h"
#include "cli/dev/dev.h"
#include "cli/keys.h"
#include "cli/opt.h"
#include "cli/top_view.h"
#include <signal.h>
#include <stdio.h>

enum { PROCESSES_MAX = 32, TEXT_MAX = 4 << 20, PATH_SIZE = 4096 };
#define INTERVAL_MIN_NS (100 * TK_NS_PER_MS)
#define INTERVAL_MAX_NS (60 * TK_NS_PER_S)

static volatile sig_atomic_t stop; /* set by a signal */

struct process {
        char *url;
        struct cli_client *client;
        json_t *before, *now; /* NULL: none yet; did not answer */
        struct tk_err err;
};

struct top {
        struct process list[PROCESSES_MAX];
        unsigned n;
        struct cli_term term;
        enum cli_top_sort sort;
        bool frozen, times;
        int64_t interval_ns;
};

static bool add(struct top *top, const char *url)
{
        struct process *p = &top->list[top->n];
        struct tk_err err;
        if (top->n == PROCESSES_MAX || cli_client_new(url, &p->client, &err)) {
                fprintf(stderr, "tasker top: %s\n", top->n == PROCESSES_MAX ? "at most 32 processes" : tk_err_text(&err));
                return false;
        }
        p->url = tk_strdup(url);
        top->n++;
        return true;
}

/* What `tasker dev` wrote down; false: nothing there. */
static bool add_dev(struct top *top, const char *data)
{
        static const char *const kinds[] = {"orchestrators", "workers", "caches"};
        char dir[PATH_SIZE], path[PATH_SIZE + 32];
        struct tk_err err;
        if (data ? tk_str_copy(dir, sizeof dir, data) : dev_data_default(dir, &err))
                return false;
        (void)snprintf(path, sizeof path, "%s/endpoints.json", dir);
        TK_AUTOJSON json_t *endpoints = json_load_file(path, 0, NULL);
        for (size_t kind = 0; kind < tk_countof(kinds); kind++) {
                const json_t *entry;
                size_t at;
                json_array_foreach(json_object_get(endpoints, kinds[kind]), at, entry)
                        if (tk_json_str(entry, "rest") && !add(top, tk_json_str(entry, "rest")))
                                return false;
        }
        return top->n > 0;
}

static void ask(struct top *top)
{
        for (unsigned i = 0; i < top->n; i++) {
                struct process *p = &top->list[i];
                json_decref(p->before);
                p->before = p->now;
                p->now = NULL;
                if (cli_client_get(p->client, "/v1/debug/runtime", &p->now, &p->err))
                        p->now = NULL;
        }
}

static void show(struct top *top)
{
        static const char *const orders[CLI_TOP_SORTS] = {"in order of the service", "busiest first", "fullest first"};
        TK_AUTOBUF struct tk_buf text;
        char now[TK_TIME_TEXT];
        tk_buf_init(&text, TEXT_MAX);
        tk_time_format(tk_time_wall_ns(), 0, now);
        if (top->term.live)
                tk_buf_printf(&text, "%s  every %.1f s  %s%s   q quits, s sorts, t times, f freezes\n", now,
                              (double)top->interval_ns / (double)TK_NS_PER_S, orders[top->sort],
                              top->frozen ? "  FROZEN" : "");
        for (unsigned i = 0; i < top->n; i++) {
                struct process *p = &top->list[i];
                if (i || top->term.live)
                        tk_buf_putc(&text, '\n');
                if (p->now)
                        cli_top_put(p->before, p->now, p->url, top->sort, top->times, &top->term, &text);
                else
                        tk_buf_printf(&text, "%s  does not answer: %s\n", p->url, tk_err_text(&p->err));
        }
        if (top->term.live)
                cli_screen_show(&top->term, tk_buf_str(&text));
        else
                fputs(tk_buf_str(&text), stdout);
}

static void print_json(const struct top *top)
{
        TK_AUTOJSON json_t *all = json_array();
        for (unsigned i = 0; i < top->n; i++)
                if (top->list[i].now)
                        json_array_append_new(all, cli_top_json(top->list[i].before, top->list[i].now, top->list[i].url));
        (void)json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        putchar('\n');
}

static bool any_answers(const struct top *top)
{
        bool any = false;
        for (unsigned i = 0; i < top->n; i++)
                any |= top->list[i].now != NULL;
        return any;
}

static void interrupted(int signal)
{
        (void)signal;
        stop = 1;
}

/* Until somebody presses q, or Ctrl-C. */
static void run(struct top *top)
{
        const struct sigaction action = {.sa_handler = interrupted};
        bool keys = cli_keys_begin();
        (void)sigaction(SIGINT, &action, NULL);
        (void)sigaction(SIGTERM, &action, NULL);
        cli_screen_begin();
        while (!stop) {
                int64_t next_ns = tk_time_mono_ns() + top->interval_ns;
                cli_term_look(&top->term); /* the window may have changed */
                if (!top->frozen)
                        ask(top);
                show(top);
                char key = cli_keys_next(next_ns);
                if (key == 'q')
                        break;
                if (key == 's')
                        top->sort = (top->sort + 1) % CLI_TOP_SORTS;
                if (key == 't')
                        top->times = !top->times;
                if (key == 'f')
                        top->frozen = !top->frozen;
        }
        cli_screen_end();
        if (keys)
                cli_keys_end();
}

static void top_deinit(struct top *top)
{
        for (unsigned i = 0; i < top->n; i++) {
                struct process *p = &top->list[i];
                cli_client_free(p->client);
                json_decref(p->before);
                json_decref(p->now);
                tk_free(p->url);
        }
}

int cli_cmd_top(int argc, char **argv)
{
        __attribute__((cleanup(top_deinit))) struct top top = {.interval_ns = TK_NS_PER_S};
        const char *data = NULL, *interval = NULL, *urls[PROCESSES_MAX];
        bool once = false, json = false;
        unsigned n = 0;
        const struct cli_opt opts[] = {
                CLI_OPT_VALUE("data", "DIR", &data,
                              "The processes of this 'tasker dev' (default: its default directory, then the "
                              "default ports)."),
                CLI_OPT_VALUE("interval", "TIME", &interval, "Between two looks, 100ms to 60s (default 1s)."),
                CLI_OPT_FLAG("times", &top.times,
                             "Also how long everything takes: mailboxes, permits, statements, event loops, timers (key t)."),
                CLI_OPT_FLAG("once", &once, "Look for one interval, print, and end; what a pipe gets anyway."),
                CLI_OPT_FLAG("json", &json, "The same as JSON; implies --once."),
        };
        const struct cli_usage usage = {
                "tasker top", "[URL...]",
                "Shows what every process is doing: how busy its actors are, what waits in their mailboxes and for how long, rates and\n"
                "latencies. Busy without reserve: busy. Work coming in faster than it goes: backlog, then full. Work waiting and\n"
                "nothing done: stalled. NOW: what it works on at this moment.\n\n"
                "  tasker top\n"
                "  tasker top http://orchestrator-0:8080 http://worker-0:8081 --interval 5s\n"
                "  tasker top --json | jq '.[].actors[] | select(.state != \"idle\")'",
                opts, tk_countof(opts), 0, PROCESSES_MAX};
        int r = cli_opt_parse(&usage, argc, argv, urls, &n);
        if (r)
                return r == CLI_OPT_E_HELP ? CLI_EXIT_OK : CLI_EXIT_USAGE;
        if (interval && (tk_time_duration_parse(interval, &top.interval_ns) || top.interval_ns < INTERVAL_MIN_NS ||
                         top.interval_ns > INTERVAL_MAX_NS)) {
                fprintf(stderr, "tasker top: --interval must be between 100ms and 60s, found '%s'\n", interval);
                return CLI_EXIT_USAGE;
        }
        for (unsigned i = 0; i < n; i++)
                if (!add(&top, urls[i]))
                        return CLI_EXIT_USAGE;
        if (!n && !add_dev(&top, data) &&
            (data || !add(&top, "http://127.0.0.1:8080") || !add(&top, "http://127.0.0.1:8081") ||
             !add(&top, "http://127.0.0.1:8082"))) {
                fprintf(stderr, "tasker top: no 'tasker dev' runs in %s\n", data ? data : "its default directory");
                return CLI_EXIT_UNREACHABLE;
        }
        cli_term_look(&top.term);
        if (!json && !once && top.term.live) {
                run(&top);
                return CLI_EXIT_OK;
        }
        ask(&top);
        tk_time_sleep(top.interval_ns);
        ask(&top);
        top.term.live = false;
        if (json)
                print_json(&top);
        else
                show(&top);
        return any_answers(&top) ? CLI_EXIT_OK : CLI_EXIT_UNREACHABLE;
}
