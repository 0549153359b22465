/* SPDX-License-Identifier: MIT */
/* run/thread.c: threads that leave signals to main. Faults of the thread itself stay deliverable to it. */
#include "run/thread.h"
#include "base/check.h"
#include "base/log.h"
#include <signal.h>
#include <stddef.h>

static void *thread_main(void *arg)
{
        struct tk_thread *thread = arg;

        tk_log_thread_name(thread->name);
        thread->run(thread->arg);
        return NULL;
}

void tk_thread_start(struct tk_thread *thread, const char *name, void (*run)(void *arg), void *arg)
{
        static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
        sigset_t blocked, before;

        *thread = (struct tk_thread){.name = name, .run = run, .arg = arg};
        sigfillset(&blocked);
        for (size_t i = 0; i < tk_countof(faults); i++)
                sigdelset(&blocked, faults[i]);
        TK_CHECK(pthread_sigmask(SIG_SETMASK, &blocked, &before) == 0); /* inherited by the new thread */
        TK_CHECK(pthread_create(&thread->id, NULL, thread_main, thread) == 0);
        TK_CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
        thread->started = 1;
}

void tk_thread_join(struct tk_thread *thread)
{
        if (!thread->started)
                return;
        TK_CHECK(pthread_join(thread->id, NULL) == 0);
        thread->started = 0;
}
