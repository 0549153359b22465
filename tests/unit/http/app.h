/* SPDX-License-Identifier: MIT */
/* A small application behind the server under test.
 *
 * GET /hello, GET /echo/{word}?q= ("word|q"), POST /echo (1 MiB, answers the body), POST /small (16 bytes),
 * GET /nobody, GET /later (parked until app_release), GET /race (answered by another thread at once). */
#pragma once
#include "http/http.h"
#include "run/lock.h"
#include "run/thread.h"

enum { APP_PARKED_MAX = 4096 };

struct app {
        struct tk_http *http;
        struct tk_lock lock;
        struct tk_cond changed;
        struct tk_http_req *parked[APP_PARKED_MAX];
        unsigned parked_n;
        struct tk_http_req *racing[APP_PARKED_MAX];
        unsigned racing_n;
        bool stopping;
        struct tk_thread racer;
        unsigned observed, observed_unmatched;
        int last_status;
};
struct app *app_start(unsigned threads, unsigned connections_max, int64_t idle_timeout_ns);
void app_stop(struct app *app);
bool app_wait_parked(struct app *app, unsigned n);   /* within 20 s */
unsigned app_release(struct app *app, const char *text); /* replies to all parked; how many */
bool app_wait_observed(struct app *app, unsigned n); /* within 20 s */
