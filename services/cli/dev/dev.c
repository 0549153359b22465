/* SPDX-License-Identifier: MIT */
/* cli/dev/dev.c: `tasker dev`, `tasker dev stop`, `tasker dev status`. */
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/cmd_dev.h"
#include "cli/dev/dev.h"
#include "cli/opt.h"
#include "run/signal.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE, PORT_BASE = 8080, PORT_BASE_MAX = 60000, TAIL_LINES = 20, READY_LINES = 100 };
#define STOP_GRACE_NS (30 * TK_NS_PER_S)
#define DETACH_TIMEOUT_NS (180 * TK_NS_PER_S)
#define POLL_NS (10 * TK_NS_PER_MS)

/* ---- One launcher per directory ---- */

/* A lock on DIR/dev.pid, which holds our pid. The descriptor, or -1: another launcher has it. */
static int lock_directory(const char *data)
{
        char path[DEV_PATH + 16], text[16];
        snprintf(path, sizeof path, "%s/dev.pid", data);
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB)) {
                if (fd >= 0)
                        close(fd);
                return -1;
        }
        int len = snprintf(text, sizeof text, "%d\n", (int)getpid());
        if (ftruncate(fd, 0) || pwrite(fd, text, (size_t)len, 0) != len)
                perror(path);
        return fd;
}

/* The pid of the launcher that holds the directory, or 0. */
static pid_t running(const char *data)
{
        char path[DEV_PATH + 16], text[16] = "";
        int64_t pid = 0;
        snprintf(path, sizeof path, "%s/dev.pid", data);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return 0;
        bool held = flock(fd, LOCK_SH | LOCK_NB);
        if (read(fd, text, sizeof text - 1) <= 0 || !held)
                held = false;
        close(fd);
        text[strcspn(text, "\n")] = '\0';
        return held && !tk_str_to_i64(text, 2, INT32_MAX, &pid) ? (pid_t)pid : 0;
}

/* ---- Running ---- */

static void stop_all(struct dev *dev)
{
        int64_t deadline = tk_time_mono_ns() + STOP_GRACE_NS;
        dev_endpoints_remove(dev);
        dev_system_stop(dev, deadline);
        dev_process_stop(&dev->redis, SIGTERM, deadline);
        dev_postgres_stop(dev, deadline);
}

/* Says once that a process ended though nobody asked it to. True: it did just now. */
static bool report_end(struct dev_process *p)
{
        if (!p->pid || !dev_process_ended(p))
                return false;
        if (WIFSIGNALED(p->status))
                fprintf(stderr, "\ntasker dev: %s was ended by signal %d. It is not restarted. The end of %s:\n",
                        p->name, WTERMSIG(p->status), p->log);
        else
                fprintf(stderr, "\ntasker dev: %s ended with status %d. It is not restarted. The end of %s:\n",
                        p->name, WEXITSTATUS(p->status), p->log);
        dev_log_tail(stderr, p->log, TAIL_LINES);
        return true;
}

static bool watch_once(struct dev *dev)
{
        bool ended = report_end(&dev->postgres);
        ended |= report_end(&dev->redis);
        for (unsigned i = 0; i < dev->services_n; i++)
                ended |= report_end(&dev->services[i].process);
        return ended;
}

static int run(struct dev *dev)
{
        struct tk_err err = {0};
        int status = EXIT_OK;
        int r = dev_postgres_start(dev, &err);
        if (!r)
                r = dev_redis_start(dev, &err);
        if (!r)
                r = dev_system_start(dev, &err);
        if (!r) {
                dev_endpoints_print(dev); /* before the file: whoever sees the file may show this */
                r = dev_endpoints_write(dev, &err);
        }
        if (r) {
                fprintf(stderr, "tasker dev: %s\n", tk_err_text(&err));
                stop_all(dev);
                return EXIT_FAILED;
        }
        while (tk_signal_wait(TK_TIME_NEVER) != TK_SIGNAL_TERM)
                if (watch_once(dev))
                        status = EXIT_FAILED;
        printf("\nStopping…\n");
        fflush(stdout);
        tk_signal_exit_on_next_term(EXIT_FAILED); /* the children die with us */
        stop_all(dev);
        return status;
}

/* The parent of a detached launcher: waits until the system is ready or the launcher ended. */
static int wait_detached(const char *data, pid_t launcher)
{
        char path[DEV_PATH + 32];
        int64_t deadline = tk_time_mono_ns() + DETACH_TIMEOUT_NS;
        snprintf(path, sizeof path, "%s/endpoints.json", data);
        while (access(path, F_OK)) {
                int status;
                if (waitpid(launcher, &status, WNOHANG) == launcher || tk_time_mono_ns() > deadline) {
                        snprintf(path, sizeof path, "%s/logs/dev.log", data);
                        fprintf(stderr, "tasker dev: the system did not start; the end of %s:\n", path);
                        dev_log_tail(stderr, path, TAIL_LINES);
                        return EXIT_FAILED;
                }
                tk_time_sleep(POLL_NS);
        }
        snprintf(path, sizeof path, "%s/logs/dev.log", data); /* what the launcher said when it was ready */
        dev_log_tail(stdout, path, READY_LINES);
        printf("Stop it with: tasker dev stop --data %s\n", data);
        return EXIT_OK;
}

/* In the child: a session of its own, output to a log. */
static void detach(const char *data)
{
        char path[DEV_PATH + 32];
        setsid();
        snprintf(path, sizeof path, "%s/logs/dev.log", data);
        int log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644),
            null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (log >= 0) {
                dup2(log, STDOUT_FILENO);
                dup2(log, STDERR_FILENO);
        }
        if (null >= 0)
                dup2(null, STDIN_FILENO);
}

struct arguments {
        const char *data, *pg_bin, *templates, *handlers, *orchestrators, *workers, *port_base;
        bool detached;
};

static int count_of(const char *option, const char *text, int64_t min, int64_t max, int64_t or_else, int64_t *ret)
{
        *ret = or_else;
        if (!text || !tk_str_to_i64(text, min, max, ret))
                return 0;
        fprintf(stderr, "tasker dev: --%s must be between %lld and %lld, found '%s'\n", option, (long long)min,
                (long long)max, text);
        return -EINVAL;
}

static int start(const struct arguments *arguments, const char *data)
{
        TK_AUTOFREE struct dev *dev = TK_NEW(struct dev);
        struct tk_err err = {0};
        int64_t orchestrators, workers, port_base;
        if (count_of("orchestrators", arguments->orchestrators, 1, DEV_REPLICAS_MAX, 1, &orchestrators) ||
            count_of("workers", arguments->workers, 0, DEV_REPLICAS_MAX, 1, &workers) ||
            count_of("port-base", arguments->port_base, 0, PORT_BASE_MAX, PORT_BASE, &port_base))
                return EXIT_USAGE;
        dev->orchestrators = (unsigned)orchestrators;
        dev->workers = (unsigned)workers;
        dev->port_base = (int)port_base;
        if (running(data)) {
                fprintf(stderr,
                        "tasker dev: a system is running on %s already (tasker dev stop --data %s ends it)\n", data,
                        data);
                return EXIT_FAILED;
        }
        if (dev_places(dev, data, arguments->pg_bin, arguments->templates, arguments->handlers, &err)) {
                fprintf(stderr, "tasker dev: %s\n", tk_err_text(&err));
                return EXIT_FAILED;
        }
        dev_endpoints_remove(dev); /* of a launcher that was killed */
        if (arguments->detached) {
                fflush(stdout);
                pid_t pid = fork();
                if (pid < 0)
                        perror("fork");
                if (pid)
                        return pid < 0 ? EXIT_FAILED : wait_detached(dev->data, pid);
                detach(dev->data);
        }
        int lock = lock_directory(dev->data);
        if (lock < 0) {
                fprintf(stderr, "tasker dev: a system is being started on %s by somebody else\n", data);
                return EXIT_FAILED;
        }
        tk_log_init("tasker-dev", TK_LOG_WARN, TK_LOG_TEXT);
        tk_signal_block();
        int status = run(dev);
        close(lock);
        return status;
}

static int stop(const char *data)
{
        pid_t pid = running(data);
        if (!pid) {
                printf("No system is running on %s.\n", data);
                return EXIT_OK;
        }
        int64_t deadline = tk_time_mono_ns() + 2 * STOP_GRACE_NS;
        kill(pid, SIGTERM);
        while (running(data) == pid && tk_time_mono_ns() < deadline)
                tk_time_sleep(POLL_NS);
        if (running(data) == pid) {
                fprintf(stderr, "tasker dev: the launcher (pid %d) did not stop within 60 s\n", (int)pid);
                return EXIT_FAILED;
        }
        return EXIT_OK;
}

static int status(const char *data)
{
        char path[DEV_PATH + 32], line[4096];
        pid_t pid = running(data);
        if (!pid) {
                printf("No system is running on %s.\n", data);
                return EXIT_FAILED;
        }
        printf("A system is running on %s (launcher pid %d).\n", data, (int)pid);
        snprintf(path, sizeof path, "%s/endpoints.json", data);
        FILE *file = fopen(path, "re");
        while (file && fgets(line, sizeof line, file))
                fputs(line, stdout);
        if (file)
                fclose(file);
        return EXIT_OK;
}

int cli_cmd_dev(int argc, char **argv)
{
        struct arguments a = {0};
        const struct cli_opt opts[] = {
                CLI_OPT_VALUE("data", "DIR", &a.data, "Where everything is kept (default $XDG_DATA_HOME/tasker/dev)."),
                CLI_OPT_FLAG("detach", &a.detached, "Return when the system is ready; it goes on in the background."),
                CLI_OPT_VALUE("pg-bin", "DIR", &a.pg_bin, "PostgreSQL's programs (default: the newest found, 15 to 18)."),
                CLI_OPT_VALUE("templates", "DIR", &a.templates, "Task templates the worker registers (default: the examples)."),
                CLI_OPT_VALUE("handlers", "FILES", &a.handlers, "Shared objects with handlers, comma separated (default: the examples)."),
                CLI_OPT_VALUE("orchestrators", "N", &a.orchestrators, "Replicas (default 1)."),
                CLI_OPT_VALUE("workers", "N", &a.workers, "Replicas (default 1; 0: none, start your own)."),
                CLI_OPT_VALUE("port-base", "N", &a.port_base, "REST on N, N+1, N+2 and gRPC on N+1110 … (default 8080); 0: any free ports."),
        };
        const struct cli_usage usage = {
                .command = "tasker dev",
                .arguments = "[stop|status]",
                .text = "Runs the whole system on this machine: a private PostgreSQL and Redis, cache, "
                        "orchestrator and worker.\n"
                        "Ctrl-C stops everything in order; data stay in DIR. Addresses are written to "
                        "DIR/endpoints.json.\n\n"
                        "  tasker dev                                  in the foreground, on the well-known ports\n"
                        "  tasker dev --detach --port-base 0 --data d  in the background, on any free ports\n"
                        "  tasker dev stop --data d                    stops that one",
                .opts = opts,
                .opts_n = tk_countof(opts),
                .arguments_max = 1,
        };
        const char *args[1] = {NULL};
        unsigned n = 0;
        char data[DEV_PATH];
        struct tk_err err = {0};
        int r = cli_opt_parse(&usage, argc, argv, args, &n);
        if (r)
                return r == CLI_OPT_E_HELP ? EXIT_OK : EXIT_USAGE;
        if (a.data ? tk_str_copy(data, sizeof data, a.data) : dev_data_default(data, &err)) {
                fprintf(stderr, "tasker dev: %s\n", a.data ? "--data is too long" : tk_err_text(&err));
                return EXIT_USAGE;
        }
        if (!n)
                return start(&a, data);
        if (tk_streq(args[0], "stop"))
                return stop(data);
        if (tk_streq(args[0], "status"))
                return status(data);
        fprintf(stderr, "tasker dev: '%s' is neither stop nor status\nTry 'tasker dev --help'.\n", args[0]);
        return EXIT_USAGE;
}
