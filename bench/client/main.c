/* SPDX-License-Identifier: MIT */
/* tasker-bench: makes load over REST, measures it, and checks what came back. scripts/bench drives it.
 *
 * stdout: JSON lines; one per second with --progress, then one summary. Exit: 0; 1: a task failed, a value was wrong or could not be read;
 * 2: bad arguments or nobody answers. */
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "load.h"
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { BODIES_MAX = 64, CLIENTS_MAX = 4096 };

static const char help[] =
        "tasker-bench: load for a server that speaks the task API, and what it did\n"
        "\n"
        "usage: tasker-bench --url http://HOST:PORT --body FILE [--body FILE …] [options]\n"
        "\n"
        "  --mode closed|open|create  closed: each client submits, waits, submits again (default)\n"
        "                             open: tasks begin at --rate per second, whether or not others are done\n"
        "                             create: submit --tasks as fast as they are accepted, then wait for all\n"
        "  --clients N                connections (1)\n"
        "  --tasks N, --seconds N     end after so many, or so long; at least one of them\n"
        "  --rate N                   tasks per second of --mode open\n"
        "  --poll MS                  ask again every so many milliseconds, instead of GET …?wait=30s\n"
        "  --patience S               a task that takes longer has failed (120)\n"
        "  --body FILE                a request for POST /v1/tasks; every @RUN@ in it becomes a new number; by turns\n"
        "  --turn N                   tasks of one --body before it is the turn of the next (1)\n"
        "  --expect FILE              one per --body: {\"step name\": result}, or {\"*\": result} for every step; {\"$holds\": {…}} names members\n"
        "  --unread                   reads nothing back; --read-back does, later\n"
        "  --read-back FILE           makes no load: reads back the tasks of an earlier --samples FILE, with the same --body and --expect\n"
        "  --warmup N                 the first N tasks are in no figure\n"
        "  --samples FILE             a line per task: uuid begin submit_ms total_ms (since the beginning of the run), number of its --body\n"
        "  --progress                 a line per second\n"
        "  --pause                    before reading everything back, say so (a line {\"loaded\":true}) and wait for a line on stdin\n";

struct args {
        struct load_plan load;
        struct verify_plan verify;
        const char *bodies[BODIES_MAX];
        json_t *expect[BODIES_MAX];
        unsigned expect_n;
        const char *samples, *read_back;
        bool pause, unread;
        uint64_t warmup;
};

static int bad(const char *option, const char *value, const char *want)
{
        (void)fprintf(stderr, "tasker-bench: --%s: %s, not \"%s\"\n", option, want, value);
        return -EINVAL;
}

static char *slurp(const char *path)
{
        FILE *f = fopen(path, "re");
        struct tk_buf buf = {.max = 64 << 20};
        char chunk[4096];
        if (!f)
                return NULL;
        for (size_t n; (n = fread(chunk, 1, sizeof chunk, f));)
                tk_buf_put(&buf, chunk, n);
        (void)fclose(f);
        return tk_buf_take(&buf);
}

static int number(const char *name, const char *text, double min, double max, double *ret)
{
        char want[80];
        (void)snprintf(want, sizeof want, "a number from %g to %g", min, max);
        return tk_str_to_f64(text, ret) || *ret < min || *ret > max ? bad(name, text, want) : 0;
}

static const struct option options[] = {
        {"url", 1, 0, 'u'},    {"mode", 1, 0, 'm'},   {"clients", 1, 0, 'c'}, {"tasks", 1, 0, 'n'},   {"seconds", 1, 0, 's'},
        {"rate", 1, 0, 'r'},   {"turn", 1, 0, 't'},   {"poll", 1, 0, 'p'},   {"body", 1, 0, 'b'},    {"expect", 1, 0, 'e'},  {"patience", 1, 0, 'w'},
        {"warmup", 1, 0, 'k'}, {"unread", 0, 0, 'v'}, {"read-back", 1, 0, 'f'},  {"samples", 1, 0, 'o'}, {"progress", 0, 0, 'g'},
        {"pause", 0, 0, 'a'},  {"help", 0, 0, 'h'},   {0}};

static int option(struct args *a, int c, const char *name)
{
        double value = 0;
        switch (c) {
        case 'u':
                return http_target_parse(optarg, &a->load.target) ? bad(name, optarg, "an address like http://host:port") : 0;
        case 'm':
                a->load.mode = tk_streq(optarg, "open") ? LOAD_OPEN : tk_streq(optarg, "create") ? LOAD_CREATE : LOAD_CLOSED;
                return a->load.mode == LOAD_CLOSED && !tk_streq(optarg, "closed") ? bad(name, optarg, "closed, open or create") : 0;
        case 'c':
                if (number(name, optarg, 1, CLIENTS_MAX, &value))
                        return -EINVAL;
                a->load.clients = (unsigned)value;
                return 0;
        case 'n':
        case 'k':
                if (number(name, optarg, 0, 1e9, &value))
                        return -EINVAL;
                *(c == 'n' ? &a->load.tasks : &a->warmup) = (uint64_t)value;
                return 0;
        case 's':
                return number(name, optarg, 0, 1e6, &a->load.seconds);
        case 't':
                if (number(name, optarg, 1, 1e6, &value))
                        return -EINVAL;
                a->load.turn = (unsigned)value;
                return 0;
        case 'r':
                return number(name, optarg, 0.001, 1e6, &a->load.per_second);
        case 'p':
                return number(name, optarg, 0, 60000, &a->load.poll_ms);
        case 'w':
                return number(name, optarg, 0.1, 1e6, &a->load.patience_s);
        case 'v':
                a->unread = true;
                return 0;
        case 'f':
                a->read_back = optarg;
                return 0;
        case 'b':
                if (a->load.bodies_n == BODIES_MAX || !(a->bodies[a->load.bodies_n] = slurp(optarg)))
                        return bad(name, optarg, "a file that can be read");
                a->load.bodies_n++;
                return 0;
        case 'e':
                if (a->expect_n == BODIES_MAX || !(a->expect[a->expect_n] = json_load_file(optarg, 0, NULL)))
                        return bad(name, optarg, "a file with a JSON object");
                a->expect_n++;
                return 0;
        case 'o':
                a->samples = optarg;
                return 0;
        case 'g':
                a->load.progress = true;
                return 0;
        case 'a':
                a->pause = true;
                return 0;
        case 'h':
                (void)fputs(help, stdout);
                exit(0);
        default:
                return -EINVAL;
        }
}

static int parse(struct args *a, int argc, char **argv)
{
        int at = 0;
        for (int c; (c = getopt_long(argc, argv, "h", options, &at)) != -1;)
                if (option(a, c, options[at].name))
                        return -EINVAL;
        const char *missing = !a->load.target.host[0]                           ? "--url"
                              : !a->load.bodies_n                               ? "--body"
                              : a->read_back                                    ? NULL
                              : !a->load.tasks && a->load.seconds <= 0          ? "--tasks or --seconds"
                              : a->load.mode == LOAD_CREATE && !a->load.tasks   ? "--tasks"
                              : a->load.mode == LOAD_OPEN && !a->load.per_second ? "--rate"
                              : a->expect_n && a->expect_n != a->load.bodies_n  ? "an --expect for every --body"
                              : optind < argc                                   ? "an option before every value"
                                                                                : NULL;
        if (missing)
                (void)fprintf(stderr, "tasker-bench: %s is missing; see tasker-bench --help\n", missing);
        return missing ? -EINVAL : 0;
}

static int by_value(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;
        return (x > y) - (x < y);
}

static json_t *quantiles(double *values, size_t n)
{
        static const double at[] = {0.5, 0.9, 0.95, 0.99, 0.999, 1};
        static const char *const names[] = {"p50", "p90", "p95", "p99", "p999", "max"};
        json_t *out = json_object();
        qsort(values, n, sizeof *values, by_value);
        for (size_t i = 0; n && i < tk_countof(at); i++) {
                size_t k = (size_t)((double)n * at[i]);
                json_object_set_new(out, names[i], json_real(values[k < n ? k : n - 1]));
        }
        json_object_set_new(out, "n", json_integer((json_int_t)n));
        return out;
}

/* Milliseconds between two stamps of every task after the warm-up that was done. */
static json_t *figures(const struct args *a, const struct load_result *r, bool total)
{
        double *ms = tk_calloc(r->n + 1, sizeof *ms);
        size_t n = 0;
        for (size_t i = a->warmup; i < r->n; i++)
                if (r->tasks[i].done && !r->tasks[i].failed)
                        ms[n++] = (double)(total ? r->tasks[i].done_ns - r->tasks[i].due_ns : r->tasks[i].accepted_ns - r->tasks[i].begin_ns) / 1e6;
        json_t *out = quantiles(ms, n);
        tk_free(ms);
        return out;
}

static double cpu_seconds(void)
{
        struct rusage u;
        (void)getrusage(RUSAGE_SELF, &u);
        return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void write_samples(const struct args *a, const struct load_result *r)
{
        FILE *f = fopen(a->samples, "we");
        for (size_t i = a->warmup; f && i < r->n; i++) {
                const struct load_task *t = &r->tasks[i];
                if (t->done && !t->failed)
                        (void)fprintf(f, "%s %.6f %.4f %.4f %u\n", t->uuid, (double)(t->due_ns - r->begin_ns) / 1e9,
                                      (double)(t->accepted_ns - t->begin_ns) / 1e6, (double)(t->done_ns - t->due_ns) / 1e6, t->body);
        }
        if (!f || fclose(f))
                (void)fprintf(stderr, "tasker-bench: --samples %s: %s\n", a->samples, strerror(errno));
}

static int summary(const struct args *a, const struct load_result *r, double cpu, const struct verify_result *v)
{
        uint64_t done = r->n - r->failed;
        double seconds = (double)(r->end_ns - r->begin_ns) / 1e9;
        int64_t created_ns = r->begin_ns;
        for (size_t i = 0; i < r->n; i++)
                created_ns = r->tasks[i].accepted_ns > created_ns ? r->tasks[i].accepted_ns : created_ns;
        json_t *verified = json_pack("{s:I,s:I,s:I,s:I,s:I,s:s}", "tasks", (json_int_t)v->tasks, "steps", (json_int_t)v->steps, "attempts",
                                     (json_int_t)v->attempts, "wrong", (json_int_t)v->wrong, "unread", (json_int_t)v->unread, "why",
                                     v->why[0] ? v->why : r->why);
        json_t *out = json_pack("{s:f,s:I,s:f,s:f,s:I,s:I,s:I,s:I,s:I,s:f,s:f,s:f,s:o,s:o,s:o}", "seconds", seconds, "tasks", (json_int_t)done,
                                "tasks_per_second", (double)done / seconds, "created_after_s", (double)(created_ns - r->begin_ns) / 1e9,
                                "requests", (json_int_t)r->requests, "refused", (json_int_t)r->refused, "broken", (json_int_t)r->broken,
                                "bad", (json_int_t)r->bad, "failed", (json_int_t)r->failed, "bytes_per_task",
                                done ? (double)r->bytes_in / (double)done : 0.0, "cpu_seconds", cpu, "cpu_percent_of_a_core",
                                cpu / seconds * 100, "submit_ms", figures(a, r, false), "task_ms", figures(a, r, true), "verified", verified);
        char *text = json_dumps(out, JSON_COMPACT | JSON_REAL_PRECISION(6));
        (void)puts(text);
        free(text);
        json_decref(out);
        return r->failed || r->bad || v->wrong || v->unread ? 1 : 0;
}

/* Tasks of an earlier run, as if they had just been done. 0, or -errno with a message. */
static int read_samples(const char *path, unsigned bodies_n, struct load_result *ret)
{
        FILE *f = fopen(path, "re");
        struct load_task task = {.done = true};
        *ret = (struct load_result){.begin_ns = tk_time_mono_ns()};
        ret->end_ns = ret->begin_ns + 1;
        for (int n; f && (n = fscanf(f, "%39s %*f %*f %*f %" SCNu16, task.uuid, &task.body)) != EOF;) {
                if (n != 2 || task.body >= bodies_n) {
                        (void)fclose(f);
                        load_result_free(ret);
                        return bad("read-back", path, "a file that --samples wrote, with the same --body");
                }
                *load_task_add(ret) = task;
        }
        if (!f || fclose(f))
                return bad("read-back", path, "a file that can be read");
        return 0;
}

/* So that whoever measures can look at the cost of the load before the reading adds to it. */
static void pause_for_a_look(void)
{
        (void)puts("{\"loaded\":true}");
        (void)fflush(stdout);
        for (int c = 0; c != EOF && c != '\n';)
                c = getchar();
}

int main(int argc, char **argv)
{
        struct args a = {.load = {.clients = 1, .turn = 1, .patience_s = 120}};
        struct load_result result;
        struct verify_result verified = {0};
        if (parse(&a, argc, argv))
                return 2;
        a.load.bodies = a.bodies;
        double cpu = cpu_seconds();
        if (a.read_back && read_samples(a.read_back, a.load.bodies_n, &result))
                return 2;
        int r = a.read_back ? 0 : load_run(&a.load, &result);
        cpu = cpu_seconds() - cpu;
        if (r) {
                (void)fprintf(stderr, "tasker-bench: %s:%s: %s\n", a.load.target.host, a.load.target.port, strerror(-r));
                return 2;
        }
        if (a.pause)
                pause_for_a_look();
        a.verify.target = a.load.target;
        a.verify.clients = a.load.clients < 64 ? a.load.clients : 64;
        a.verify.expect = a.expect_n ? a.expect : NULL;
        if (!a.unread)
                verify_run(&a.verify, &result, &verified);
        r = summary(&a, &result, cpu, &verified);
        if (a.samples)
                write_samples(&a, &result);
        load_result_free(&result);
        for (unsigned i = 0; i < a.load.bodies_n; i++)
                free((char *)(uintptr_t)a.bodies[i]);
        for (unsigned i = 0; i < a.expect_n; i++)
                json_decref(a.expect[i]);
        return r;
}
