/* SPDX-License-Identifier: MIT */
/* pg/listen.c: one thread that waits on its connection and on an eventfd; the latter ends it. */
#include "pg/listen.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/time.h"
#include "pg/internal.h"
#include "run/thread.h"
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define RECONNECT_MIN (100 * TK_NS_PER_MS)
#define RECONNECT_MAX (5 * TK_NS_PER_S)
enum { CHANNELS_MAX = 8, STATEMENT_MAX = 256 };

struct tk_pg_listener {
        char *url;
        char *channels[CHANNELS_MAX + 1];
        tk_pg_notify_fn *fn;
        void *user;
        int stop_fd;
        struct tk_thread thread;
};

/* True: it is time to stop. */
static bool wait_readable(struct tk_pg_listener *l, int fd, int64_t timeout_ns)
{
        struct pollfd fds[2] = {{.fd = l->stop_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
        int timeout_ms = timeout_ns < 0 ? -1 : (int)(timeout_ns / TK_NS_PER_MS);
        (void)poll(fds, fd < 0 ? 1 : 2, timeout_ms);
        return fds[0].revents;
}

static int subscribe(struct tk_pg_listener *l, struct tk_pg *pg, struct tk_err *err)
{
        for (size_t i = 0; l->channels[i]; i++) {
                char text[STATEMENT_MAX];
                snprintf(text, sizeof text, "LISTEN \"%s\"", l->channels[i]); /* names of ours, never from outside */
                int r = tk_pg_script(pg, text, err);
                if (r)
                        return r;
        }
        return 0;
}

/* Until the connection breaks (false) or it is time to stop (true). */
static bool follow(struct tk_pg_listener *l, struct tk_pg *pg)
{
        for (;;) {
                PGnotify *note;
                if (!PQconsumeInput(pg->conn))
                        return false;
                while ((note = PQnotifies(pg->conn))) {
                        l->fn(l->user, note->relname, note->extra);
                        PQfreemem(note);
                }
                if (wait_readable(l, PQsocket(pg->conn), -1))
                        return true;
        }
}

static void run(void *arg)
{
        struct tk_pg_listener *l = arg;
        bool stop = false;
        for (unsigned attempt = 0; !stop; attempt++) {
                struct tk_pg *pg = NULL;
                struct tk_err err = {0};
                int r = tk_pg_open(&(struct tk_pg_conf){.url = l->url, .application_name = "tasker-listen"}, &pg, &err);
                if (!r)
                        r = subscribe(l, pg, &err);
                if (!r) {
                        attempt = 0;
                        l->fn(l->user, NULL, NULL);
                        stop = follow(l, pg);
                } else {
                        tk_log_debug("listen.failed", tk_err_text(&err));
                }
                tk_pg_close(pg);
                if (!stop)
                        stop = wait_readable(l, -1, tk_rand_backoff(attempt, RECONNECT_MIN, RECONNECT_MAX));
        }
}

struct tk_pg_listener *tk_pg_listener_new(const char *url, const char *const *channels, tk_pg_notify_fn *fn, void *user)
{
        struct tk_pg_listener *l = TK_NEW(struct tk_pg_listener);
        l->url = tk_strdup(url);
        for (size_t i = 0; channels[i] && i < CHANNELS_MAX; i++)
                l->channels[i] = tk_strdup(channels[i]);
        l->fn = fn;
        l->user = user;
        l->stop_fd = eventfd(0, EFD_CLOEXEC);
        tk_thread_start(&l->thread, "listen", run, l);
        return l;
}

struct tk_pg_listener *tk_pg_listener_free(struct tk_pg_listener *l)
{
        if (!l)
                return NULL;
        (void)eventfd_write(l->stop_fd, 1);
        tk_thread_join(&l->thread);
        close(l->stop_fd);
        for (size_t i = 0; l->channels[i]; i++)
                tk_free(l->channels[i]);
        tk_free(l->url);
        return tk_free(l);
}
