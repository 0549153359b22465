/* SPDX-License-Identifier: MIT */
#include "app.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/time.h"
#include <stdio.h>
#include <string.h>

static const int64_t PATIENCE_NS = 20 * TK_NS_PER_S;

static void hello(struct tk_http_req *req, void *arg)
{
        (void)arg;
        tk_http_req_add_header(req, "x-greeting", "yes");
        tk_http_reply(req, 200, NULL, "{\"hello\":\"world\"}", 17);
}

static void echo_word(struct tk_http_req *req, void *arg)
{
        const char *query = tk_http_req_query(req, "q"), *header = tk_http_req_header(req, "X-Note");
        char *text = tk_arena_printf(tk_http_req_arena(req), "%s|%s|%s", tk_http_req_param(req, 0),
                                     query ? query : "-", header ? header : "-");

        (void)arg;
        tk_http_reply(req, 200, "text/plain", text, strlen(text));
}

static void echo_body(struct tk_http_req *req, void *arg)
{
        size_t len;
        const void *body = tk_http_req_body(req, &len);

        (void)arg;
        tk_http_reply(req, 201, "application/octet-stream", body, len);
}

static void park(struct tk_http_req *req, void *arg)
{
        struct app *app = arg;

        TK_LOCKED(&app->lock);
        TK_CHECK(app->parked_n < APP_PARKED_MAX);
        app->parked[app->parked_n++] = req;
        tk_cond_broadcast(&app->changed);
}

static void race(struct tk_http_req *req, void *arg)
{
        struct app *app = arg;

        TK_LOCKED(&app->lock);
        TK_CHECK(app->racing_n < APP_PARKED_MAX);
        app->racing[app->racing_n++] = req;
        tk_cond_broadcast(&app->changed);
}

static void run_racer(void *arg)
{
        struct app *app = arg;

        tk_lock_take(&app->lock);
        for (;;) {
                if (app->racing_n) {
                        struct tk_http_req *req = app->racing[--app->racing_n];
                        tk_lock_give(&app->lock);
                        tk_http_reply(req, 200, "text/plain", "raced", 5);
                        tk_lock_take(&app->lock);
                } else if (app->stopping) {
                        break;
                } else {
                        (void)tk_cond_wait(&app->changed, &app->lock, TK_TIME_NEVER);
                }
        }
        tk_lock_give(&app->lock);
}

static const char *error_body(struct tk_http_req *req, int status, const char *message)
{
        return tk_arena_printf(tk_http_req_arena(req), "{\"status\":%d,\"message\":\"%s\"}", status, message);
}

static void observe(void *arg, const struct tk_http_route *route, int status, int64_t ns)
{
        struct app *app = arg;

        TK_CHECK(ns >= 0);
        TK_LOCKED(&app->lock);
        app->observed++;
        app->observed_unmatched += !route;
        app->last_status = status;
        tk_cond_broadcast(&app->changed);
}

static const struct tk_http_route routes[] = {
        {TK_HTTP_GET, "/hello", hello, 0, "greets"},
        {TK_HTTP_GET, "/echo/{word}", echo_word, 0, "says a word"},
        {TK_HTTP_POST, "/echo", echo_body, 1 << 20, "says the body"},
        {TK_HTTP_POST, "/small", echo_body, 16, "says a small body"},
        {TK_HTTP_DELETE, "/nobody", hello, 0, "wants no body"},
        {TK_HTTP_GET, "/later", park, 0, "answers later"},
        {TK_HTTP_POST, "/later", park, 1 << 20, "answers later"},
        {TK_HTTP_GET, "/race", race, 0, "answered by another thread"},
};

struct app *app_start(unsigned threads, unsigned connections_max, int64_t idle_timeout_ns)
{
        struct app *app = TK_NEW(struct app);
        struct tk_err err = {0};
        const struct tk_http_conf conf = {
                .bind = "127.0.0.1:0", .threads = threads, .connections_max = connections_max,
                .idle_timeout_ns = idle_timeout_ns, .routes = routes, .routes_n = tk_countof(routes),
                .error = error_body, .app = app, .observe = observe,
        };

        tk_lock_init(&app->lock, "app");
        tk_cond_init(&app->changed);
        tk_thread_start(&app->racer, "racer", run_racer, app);
        if (tk_http_new(&conf, &app->http, &err) < 0) {
                fprintf(stderr, "%s\n", tk_err_text(&err));
                TK_BUG("no server");
        }
        return app;
}

void app_stop(struct app *app)
{
        tk_http_quiesce(app->http, tk_time_mono_ns() + PATIENCE_NS);
        tk_http_free(app->http);
        tk_lock_take(&app->lock);
        app->stopping = true;
        tk_cond_broadcast(&app->changed);
        tk_lock_give(&app->lock);
        tk_thread_join(&app->racer);
        tk_cond_deinit(&app->changed);
        tk_lock_deinit(&app->lock);
        tk_free(app);
}

static bool wait_for(struct app *app, const unsigned *counter, unsigned n)
{
        int64_t deadline_ns = tk_time_mono_ns() + PATIENCE_NS;

        TK_LOCKED(&app->lock);
        while (*counter < n && tk_cond_wait(&app->changed, &app->lock, deadline_ns))
                ;
        return *counter >= n;
}

bool app_wait_parked(struct app *app, unsigned n)
{
        return wait_for(app, &app->parked_n, n);
}

bool app_wait_observed(struct app *app, unsigned n)
{
        return wait_for(app, &app->observed, n);
}

unsigned app_release(struct app *app, const char *text)
{
        unsigned released = 0;

        for (;; released++) {
                tk_lock_take(&app->lock);
                struct tk_http_req *req = app->parked_n ? app->parked[--app->parked_n] : NULL;
                tk_lock_give(&app->lock);
                if (!req)
                        return released;
                tk_http_reply(req, 200, "text/plain", text, strlen(text));
        }
}
