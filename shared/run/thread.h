/* SPDX-License-Identifier: MIT */
/* run/thread.h: named joinable threads with all signals blocked. */
#pragma once
#include "base/attr.h"
#include <pthread.h>

struct tk_thread {
        pthread_t id;
        const char *name;
        void (*run)(void *arg);
        void *arg;
        int started;
};
/* Aborts if the system has none left. */
void tk_thread_start(struct tk_thread *thread, const char *name, void (*run)(void *arg), void *arg);
void tk_thread_join(struct tk_thread *thread); /* fine when never started */
