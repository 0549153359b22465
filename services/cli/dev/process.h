/* SPDX-License-Identifier: MIT */
/* cli/dev/process.h: child processes of the launcher. Each logs to its own file and dies with the launcher. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum { DEV_PATH = 1024, DEV_NAME = 64, DEV_ARGS = 64 };
struct dev_user { /* whom a child runs as; uid 0 and !set: as we are */
        bool set;
        uid_t uid;
        gid_t gid;
        char name[DEV_NAME];
};
struct dev_process {
        char name[DEV_NAME];    /* "orchestrator-1" */
        char log[DEV_PATH];
        char ready[DEV_PATH];   /* TASKER_READY_FILE; "" for programs that know none */
        pid_t pid;              /* 0: not running */
        int status;             /* of waitpid, once it has ended */
};
/* argv[0] is the program's path; NULL-terminated. */
TK_MUST int dev_process_start(struct dev_process *p, const struct dev_user *user, const char *const *argv,
                              struct tk_err *err);
/* Runs a program to its end; 0, or negative with err holding the last lines of its output. */
TK_MUST int dev_process_run(const char *log, const struct dev_user *user, const char *const *argv, struct tk_err *err);
/* Collects it if it has ended. True: it is not running. */
bool dev_process_ended(struct dev_process *p);
/* Sends the signal and waits; SIGKILL when the monotonic deadline passes. */
void dev_process_stop(struct dev_process *p, int signal, int64_t deadline_ns);
/* The last lines of a log, at most 8 KiB. */
void dev_log_tail(FILE *to, const char *path, unsigned lines);
