/* SPDX-License-Identifier: MIT */
/* cli/pages.h: decisions about many at once. The server does a page at a time and says where to go on; this asks until nothing is left, so an
 * interrupted run is just run again. */
#pragma once
#include "cli/verb.h"

struct cli_pages {
        struct cli_verb *verb;
        const char *path;   /* POSTed to */
        json_t *body;       /* yours; "after" is put in before each page */
        long long looked, changed, steps;
        size_t matched_n;
        json_t *matched;    /* NULL, or yours: gets what matched */
        json_t *skipped;    /* NULL, or yours: gets what was left as it is, and why; without it that is said on stderr */
        size_t skipped_n;
        json_t *last;       /* the last answer: yours to decref */
};
/* All pages, with progress on a terminal. 0, or an outcome of the client: what was done until then is done. */
TK_MUST int cli_pages_all(struct cli_pages *pages, struct tk_err *err);

/* What all pages came to, in the shape of one. */
void cli_pages_print_sum(const struct cli_pages *pages, const char *action, bool dry);
/* A member of a body or a filter; NULL: none. */
void cli_pages_put(json_t *object, const char *key, const char *text);

/* Who decides and why: options, and what is said when the second is missing (0, or the exit code). */
#define CLI_WHO_AND_WHY(by, reason)                                                                                          \
        CLI_OPT_VALUE("reason", "TEXT", &(reason), "Why; kept in the history of each task. Required."),                       \
                CLI_OPT_VALUE("by", "NAME", &(by), "Who decides this (default $USER).")
TK_MUST int cli_needs_reason(const char *command, const char *reason);
