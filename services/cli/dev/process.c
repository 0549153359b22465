/* SPDX-License-Identifier: MIT */
/* cli/dev/process.c: see the header. */
#include "cli/dev/process.h"
#include "base/str.h"
#include "base/time.h"
#include "run/signal.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXEC_FAILED = 127, TAIL_BYTES = 8192, LINE_MAX_ERR = 300 };
#define POLL_NS (5 * TK_NS_PER_MS)

/* In the child: never returns. */
TK_NORETURN static void become(const struct dev_user *user, const char *const *argv, const char *log, const char *ready)
{
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        tk_signal_unblock_child();
        if (fd >= 0) {
                dup2(fd, STDOUT_FILENO);
                dup2(fd, STDERR_FILENO);
        }
        if (null >= 0)
                dup2(null, STDIN_FILENO);
        setpgid(0, 0); /* Ctrl-C reaches the launcher, which stops its children in order */
        if (user && user->set && (setgroups(0, NULL) || setgid(user->gid) || setuid(user->uid))) {
                perror("cannot change to the unprivileged user");
                _exit(EXEC_FAILED);
        }
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (*ready)
                setenv("TASKER_READY_FILE", ready, 1);
        if (chdir("/"))
                perror("chdir");
        execv(argv[0], (char *const *)(uintptr_t)argv);
        perror(argv[0]);
        _exit(EXEC_FAILED);
}

int dev_process_start(struct dev_process *p, const struct dev_user *user, const char *const *argv, struct tk_err *err)
{
        if (*p->ready)
                unlink(p->ready);
        pid_t pid = fork();
        if (pid < 0)
                return TK_ERR(err, -errno, "%s: cannot fork: %s", p->name, strerror(errno));
        if (!pid)
                become(user, argv, p->log, p->ready);
        p->pid = pid;
        return 0;
}

bool dev_process_ended(struct dev_process *p)
{
        if (p->pid && waitpid(p->pid, &p->status, WNOHANG) == p->pid)
                p->pid = 0;
        return !p->pid;
}

void dev_process_stop(struct dev_process *p, int signal, int64_t deadline_ns)
{
        if (dev_process_ended(p))
                return;
        kill(p->pid, signal);
        while (!dev_process_ended(p) && tk_time_mono_ns() < deadline_ns)
                tk_time_sleep(POLL_NS);
        if (!dev_process_ended(p)) {
                fprintf(stderr, "tasker dev: %s did not stop in time and is ended\n", p->name);
                kill(p->pid, SIGKILL);
                waitpid(p->pid, &p->status, 0);
                p->pid = 0;
        }
}

/* The end of a file, at most TAIL_BYTES. */
static size_t read_tail(const char *path, char buf[TAIL_BYTES + 1])
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return 0;
        off_t size = lseek(fd, 0, SEEK_END);
        ssize_t n = pread(fd, buf, TAIL_BYTES, size > TAIL_BYTES ? size - TAIL_BYTES : 0);
        close(fd);
        buf[n > 0 ? n : 0] = '\0';
        return n > 0 ? (size_t)n : 0;
}

void dev_log_tail(FILE *to, const char *path, unsigned lines)
{
        char buf[TAIL_BYTES + 1];
        size_t len = read_tail(path, buf);
        const char *at = buf + len;
        while (at > buf && lines + 1) {
                at--;
                if (*at == '\n' && !lines--)
                        break;
        }
        fputs(*at == '\n' ? at + 1 : at, to);
}

int dev_process_run(const char *log, const struct dev_user *user, const char *const *argv, struct tk_err *err)
{
        struct dev_process p = {0};
        char buf[TAIL_BYTES + 1];
        (void)tk_str_copy(p.name, sizeof p.name, argv[0]);
        (void)tk_str_copy(p.log, sizeof p.log, log);
        int r = dev_process_start(&p, user, argv, err);
        if (r)
                return r;
        if (waitpid(p.pid, &p.status, 0) == p.pid && WIFEXITED(p.status) && !WEXITSTATUS(p.status))
                return 0;
        size_t len = read_tail(log, buf);
        return TK_ERR(err, -ECHILD, "%s failed; the end of %s: %s", argv[0], log,
                      len > LINE_MAX_ERR ? buf + len - LINE_MAX_ERR : buf);
}
