/* SPDX-License-Identifier: MIT */
/* bench/client/load.h: what is sent, how, and what is remembered of it. */
#pragma once
#include "http.h"
#include <jansson.h>

enum load_mode {
        LOAD_CLOSED, /* each client: submit, wait until terminal, again */
        LOAD_OPEN,   /* tasks begin at a fixed rate, whatever the answers do */
        LOAD_CREATE, /* as many as asked for, as fast as they are accepted; then wait for each */
};

struct load_plan {
        struct http_target target;
        enum load_mode mode;
        unsigned clients;     /* connections */
        uint64_t tasks;       /* end after so many (0: no limit) */
        double seconds;       /* end after so long (0: no limit) */
        double per_second;    /* of LOAD_OPEN */
        double poll_ms;       /* 0: GET ?wait= ; else GET again after so long */
        double patience_s;    /* a task that takes longer has failed */
        const char **bodies;  /* by turns; every "@RUN@" becomes a number never used before */
        unsigned bodies_n, turn; /* so many tasks of one body, then of the next */
        bool progress;        /* a line per second on stdout */
};

struct load_task {
        char uuid[40];
        uint16_t body;
        bool done, failed;
        int64_t due_ns;      /* when it should have begun (LOAD_OPEN), else as begun */
        int64_t begin_ns;    /* the request is sent */
        int64_t accepted_ns; /* 200 is in */
        int64_t done_ns;     /* the client knows that it is terminal */
};

struct load_result {
        struct load_task *tasks; /* owned; begun in this order */
        size_t n, cap;
        uint64_t requests, refused /* 503 */, broken /* connections */, bad /* other answers */, failed, bytes_in;
        int64_t begin_ns, end_ns;
        char why[256]; /* the first bad answer or failed task */
};

TK_MUST int load_run(const struct load_plan *plan, struct load_result *ret); /* 0, or -errno when nothing could be begun */
struct load_task *load_task_add(struct load_result *result); /* one more, for the caller to fill; until the next */
void load_result_free(struct load_result *result);

struct verify_plan {
        struct http_target target;
        unsigned clients;
        json_t **expect; /* per body: an object step name -> result; NULL: only states are looked at */
};
struct verify_result {
        uint64_t tasks, steps, wrong, unread /* tasks: it gave up, or could not connect */;
        uint64_t attempts; /* of all steps: more than steps, and something ran again */
        char why[256];
};
/* Reads the steps of every finished task back and compares each value. Gives up after a hundred that are wrong. */
void verify_run(const struct verify_plan *plan, const struct load_result *of, struct verify_result *ret);
