/* SPDX-License-Identifier: MIT */
/* worker/handler/parties.h: who has a part in domain events beside handlers: publishers by name, and subscribers. Filled at start,
 * read-only afterwards. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include "conf/conf.h"
#include "worker/abi/tasker_worker.h"

enum { WORK_SUBSCRIBERS_MAX = 32 };

struct work_subscriber {
        const char *name;
        char **patterns;        /* owned */
        size_t patterns_n;
        tkw_subscriber_fn *fn;
        void *user;
};

struct work_parties;
TK_MUST struct work_parties *work_parties_new(void);
struct work_parties *work_parties_free(struct work_parties *parties);
/* `from` says in messages where they come from. 0, or negative with err; nothing is added then. */
TK_MUST int work_parties_add(struct work_parties *parties, const struct tkw_events *events, const char *from, struct tk_err *err);
/* The worker's own subscriber: a line in the log for each event that one of the patterns stands for. */
TK_MUST int work_parties_add_log(struct work_parties *parties, const struct tk_conf_list *patterns, struct tk_err *err);
const struct tkw_publisher *work_parties_publisher(const struct work_parties *parties, const char *name); /* NULL: unknown */
const struct work_subscriber *work_parties_subscribers(const struct work_parties *parties, size_t *ret_n);
