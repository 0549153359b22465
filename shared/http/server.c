/* SPDX-License-Identifier: MIT */
/* http/server.c: the server's life: start, take nothing new, wait for what is in hand, end. */
#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "http/bind.h"
#include "http/internal.h"
#include "run/spread.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
        THREADS = 2,
        THREADS_MAX = 64,
        CONNECTIONS = 4096,
        CONNECTION_MEMORY = 32 * 1024, /* bounds a request's head */
        DESCRIPTORS_ELSE = 256,        /* of the process, beside connections */
};
static const int64_t IDLE_TIMEOUT_NS = 60 * TK_NS_PER_S;
static const int64_t LAST_REPLIES_NS = 10 * TK_NS_PER_S; /* for threads still inside tk_http_reply */

static void log_daemon(void *cls, const char *fmt, va_list args) TK_PRINTF(2, 0);
static void log_daemon(void *cls, const char *fmt, va_list args)
{
        char text[256];

        (void)cls;
        if (!tk_log_enabled(TK_LOG_DEBUG))
                return;
        (void)vsnprintf(text, sizeof text, fmt, args);
        text[strcspn(text, "\r\n")] = '\0';
        tk_log_debug("http.daemon", text);
}

/* More connections are accepted than requests served, so that the surplus hears 503 instead of nothing. */
static unsigned accepted_max(unsigned connections_max)
{
        return connections_max + connections_max / 8 + 16;
}

/* Raises the soft limit of descriptors towards what the connections need. */
static void make_room(unsigned connections)
{
        struct rlimit limit;
        rlim_t want = (rlim_t)connections + DESCRIPTORS_ELSE;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= want)
                return;
        limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* Server threads take no signals: those belong to the service. */
static struct MHD_Daemon *start_daemon(struct tk_http *http, unsigned threads, unsigned accepted)
{
        const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
        struct MHD_OptionItem pool[] = {
                {threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)threads, NULL},
                {MHD_OPTION_END, 0, NULL},
        };
        sigset_t all, old;

        sigfillset(&all);
        TK_CHECK(pthread_sigmask(SIG_SETMASK, &all, &old) == 0);
        struct MHD_Daemon *daemon = MHD_start_daemon(
                flags, 0, NULL, NULL, tk_http_serve, http,
                MHD_OPTION_EXTERNAL_LOGGER, log_daemon, NULL,
                MHD_OPTION_LISTEN_SOCKET, http->listen_fd,
                MHD_OPTION_CONNECTION_LIMIT, accepted,
                MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
                MHD_OPTION_URI_LOG_CALLBACK, tk_http_serve_begin, http,
                MHD_OPTION_NOTIFY_COMPLETED, tk_http_serve_end, http,
                MHD_OPTION_NOTIFY_CONNECTION, tk_http_serve_peer, http,
                MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
        TK_CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
        return daemon;
}

int tk_http_new(const struct tk_http_conf *conf, struct tk_http **ret, struct tk_err *err)
{
        unsigned threads = conf->threads ? conf->threads : THREADS;
        unsigned connections_max = conf->connections_max ? conf->connections_max : CONNECTIONS;
        struct tk_http *http = TK_NEW(struct tk_http);
        http->turns = tk_spread_get(TK_SPREAD_LOOP, "http");

        if (threads > THREADS_MAX)
                threads = THREADS_MAX;
        http->error = conf->error;
        http->request_ids = conf->request_ids;
        http->body_max = conf->body_max;
        http->app = conf->app;
        http->observe = conf->observe;
        http->inflight_max = connections_max;
        http->listen_fd = -1;
        tk_lock_init(&http->lock, "http");
        tk_cond_init(&http->settled);
        tk_http_peers_start(&http->peers, conf->idle_timeout_ns ? conf->idle_timeout_ns : IDLE_TIMEOUT_NS);

        int r = tk_http_routes_new(conf->routes, conf->routes_n, &http->routes, err);
        if (r == 0)
                r = tk_http_bind(conf->bind, &http->listen_fd, &http->port, err);
        if (r == 0) {
                make_room(accepted_max(connections_max));
                http->daemon = start_daemon(http, threads, accepted_max(connections_max));
                if (!http->daemon)
                        r = TK_ERR(err, -EIO, "cannot start the HTTP server on %s", conf->bind);
        }
        if (r < 0) {
                tk_http_free(http);
                return r;
        }
        *ret = http;
        return 0;
}

uint16_t tk_http_port(const struct tk_http *http)
{
        return http->port;
}

unsigned tk_http_inflight(struct tk_http *http)
{
        TK_LOCKED(&http->lock);
        return http->inflight;
}

/* The daemon goes on listening, so that who connects hears 503 and when to come again. MHD_quiesce_daemon is of no
 * use here: it and a thread that polls may both take the socket out of the epoll set, and the loser aborts the
 * process (seen in 0.9.75, open upstream). */
void tk_http_quiesce(struct tk_http *http, int64_t deadline_ns)
{
        TK_LOCKED(&http->lock);
        http->draining = true;
        while (http->inflight && tk_cond_wait(&http->settled, &http->lock, deadline_ns))
                ;
}

/* The last repliers may still be inside tk_http_reply, though their replies are sent. */
static void wait_for_repliers(struct tk_http *http)
{
        int64_t deadline_ns = tk_time_mono_ns() + LAST_REPLIES_NS;

        TK_LOCKED(&http->lock);
        while (http->owed && tk_cond_wait(&http->settled, &http->lock, deadline_ns))
                ;
        TK_CHECK(http->owed == 0);
}

struct tk_http *tk_http_free(struct tk_http *http)
{
        if (!http)
                return NULL;
        if (http->daemon) {
                tk_http_quiesce(http, 0);
                wait_for_repliers(http);
                MHD_stop_daemon(http->daemon);
                http->listen_fd = -1; /* the daemon closed it */
        }
        if (http->listen_fd >= 0)
                close(http->listen_fd);
        tk_http_peers_stop(&http->peers);
        tk_http_routes_free(http->routes);
        tk_cond_deinit(&http->settled);
        tk_lock_deinit(&http->lock);
        return tk_free(http);
}
