/* SPDX-License-Identifier: MIT */
/* run/signal.c: the signals we care about stay blocked everywhere and are fetched by main with sigtimedwait,
 * so nothing ever runs in a signal handler, except the exit that a second TERM asks for. */
#include "run/signal.h"
#include "base/check.h"
#include "base/time.h"
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

static const struct {
        int number;
        enum tk_signal meaning;
} table[] = {{SIGTERM, TK_SIGNAL_TERM},
             {SIGINT, TK_SIGNAL_TERM},
             {SIGHUP, TK_SIGNAL_HUP},
             {SIGUSR1, TK_SIGNAL_USR1},
             {SIGCHLD, TK_SIGNAL_CHLD}};

static volatile sig_atomic_t exit_code;

static sigset_t our_signals(void)
{
        sigset_t set;

        sigemptyset(&set);
        for (size_t i = 0; i < tk_countof(table); i++)
                sigaddset(&set, table[i].number);
        return set;
}

void tk_signal_block(void)
{
        sigset_t set = our_signals();

        TK_CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
        TK_CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

static int wait_once(int64_t deadline_ns)
{
        sigset_t set = our_signals();
        struct timespec wait;
        int64_t left_ns;

        if (deadline_ns == TK_TIME_NEVER)
                return sigwaitinfo(&set, NULL);
        left_ns = deadline_ns - tk_time_mono_ns();
        if (left_ns < 0)
                left_ns = 0;
        wait = (struct timespec){.tv_sec = left_ns / TK_NS_PER_S, .tv_nsec = left_ns % TK_NS_PER_S};
        return sigtimedwait(&set, NULL, &wait);
}

enum tk_signal tk_signal_wait(int64_t deadline_ns)
{
        int number;

        do
                number = wait_once(deadline_ns);
        while (number < 0 && errno == EINTR); /* a debugger, or a stop and continue */
        for (size_t i = 0; i < tk_countof(table); i++)
                if (table[i].number == number)
                        return table[i].meaning;
        return TK_SIGNAL_NONE;
}

void tk_signal_raise(enum tk_signal meaning)
{
        for (size_t i = 0; i < tk_countof(table); i++) {
                if (table[i].meaning == meaning) {
                        TK_CHECK(kill(getpid(), table[i].number) == 0);
                        return;
                }
        }
}

void tk_signal_unblock_child(void)
{
        sigset_t none;

        for (size_t i = 0; i < tk_countof(table); i++)
                signal(table[i].number, SIG_DFL);
        signal(SIGPIPE, SIG_DFL);
        sigemptyset(&none);
        pthread_sigmask(SIG_SETMASK, &none, NULL);
}

static void exit_now(int number)
{
        (void)number;
        _exit(exit_code);
}

void tk_signal_exit_on_next_term(int code)
{
        struct sigaction action = {.sa_handler = exit_now};
        sigset_t set;

        exit_code = code;
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        TK_CHECK(sigaction(SIGTERM, &action, NULL) == 0 && sigaction(SIGINT, &action, NULL) == 0);
        TK_CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
}
