/* SPDX-License-Identifier: MIT */
/* worker/actor/watch.h: the handlers that run now. At a handler's deadline its step fails (retryable, handler_timeout) and
 * the handler is told by its cancellation flag; it keeps its permit until it returns. Thread-safe. */
#pragma once
#include "run/actor.h"
#include "worker/actor/job.h"

extern const struct tk_actor_type work_timer_actor; /* app: struct work_app */

struct work_watch;
TK_MUST struct work_watch *work_watch_new(struct work_app *app);
struct work_watch *work_watch_free(struct work_watch *watch); /* nothing may be running */
void work_watch_enter(struct work_watch *watch, struct work_job *job);
/* True: the watch has failed the step meanwhile, what the handler says does not count. */
bool work_watch_leave(struct work_watch *watch, struct work_job *job);
void work_watch_cancel(struct work_watch *watch, const struct work_key *key);
/* Cancels every handler and fails its step (retryable, worker_shutdown). */
void work_watch_expire_all(struct work_watch *watch);
bool work_watch_wait_empty(struct work_watch *watch, int64_t deadline_ns); /* false: the time is up */
