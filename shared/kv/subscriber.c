/* SPDX-License-Identifier: MIT */
/* kv/subscriber.c: one thread; waits on its connection and on an eventfd, which ends it. */
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "kv/internal.h"
#include "run/thread.h"
#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define RECONNECT_MIN (100 * TK_NS_PER_MS)
#define RECONNECT_MAX (5 * TK_NS_PER_S)
enum { CHANNELS_MAX = 8 };

struct tk_kv_subscriber {
        char *url;
        int64_t timeout_ns;
        char *channels[CHANNELS_MAX + 1];
        tk_kv_message_fn *fn;
        void *user;
        int stop_fd;
        atomic_bool connected;
        struct tk_thread thread;
};

/* True: it is time to stop. */
static bool wait_readable(struct tk_kv_subscriber *sub, int fd, int64_t timeout_ns)
{
        struct pollfd fds[2] = {{.fd = sub->stop_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
        (void)poll(fds, fd < 0 ? 1 : 2, timeout_ns < 0 ? -1 : (int)(timeout_ns / TK_NS_PER_MS));
        return fds[0].revents;
}

static bool subscribe(struct tk_kv_subscriber *sub, redisContext *c)
{
        for (size_t i = 0; sub->channels[i]; i++) {
                redisReply *reply = redisCommand(c, "SUBSCRIBE %s", sub->channels[i]);
                bool good = reply && reply->type == REDIS_REPLY_ARRAY;
                if (reply)
                        freeReplyObject(reply);
                if (!good)
                        return false;
        }
        return true;
}

static void deliver(struct tk_kv_subscriber *sub, const redisReply *reply)
{
        if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 && reply->element[1]->type == REDIS_REPLY_STRING &&
            reply->element[2]->type == REDIS_REPLY_STRING && tk_streq(reply->element[0]->str, "message"))
                sub->fn(sub->user, reply->element[1]->str, reply->element[2]->str, (size_t)reply->element[2]->len);
}

/* Until the connection breaks (false) or it is time to stop (true). */
static bool follow(struct tk_kv_subscriber *sub, redisContext *c)
{
        for (;;) {
                if (wait_readable(sub, c->fd, -1))
                        return true;
                if (redisBufferRead(c) != REDIS_OK)
                        return false;
                for (void *reply = NULL;;) {
                        if (redisGetReplyFromReader(c, &reply) != REDIS_OK)
                                return false;
                        if (!reply)
                                break;
                        deliver(sub, reply);
                        freeReplyObject(reply);
                }
        }
}

static void run(void *arg)
{
        struct tk_kv_subscriber *sub = arg;
        bool stop = false;
        for (unsigned attempt = 0; !stop; attempt++) {
                redisContext *c = tk_kv_connect(sub->url, sub->timeout_ns);
                if (c && subscribe(sub, c)) {
                        attempt = 0;
                        atomic_store(&sub->connected, true);
                        sub->fn(sub->user, NULL, NULL, 0);
                        stop = follow(sub, c);
                        atomic_store(&sub->connected, false);
                }
                if (c)
                        redisFree(c);
                if (!stop)
                        stop = wait_readable(sub, -1, tk_rand_backoff(attempt, RECONNECT_MIN, RECONNECT_MAX));
        }
}

struct tk_kv_subscriber *tk_kv_subscriber_new(const struct tk_kv_conf *conf, const char *const *channels,
                                              tk_kv_message_fn *fn, void *user)
{
        struct tk_kv_subscriber *sub = TK_NEW(struct tk_kv_subscriber);
        sub->url = tk_strdup(conf->url);
        sub->timeout_ns = conf->timeout_ns;
        for (size_t i = 0; channels[i] && i < CHANNELS_MAX; i++)
                sub->channels[i] = tk_strdup(channels[i]);
        sub->fn = fn;
        sub->user = user;
        sub->stop_fd = eventfd(0, EFD_CLOEXEC);
        tk_thread_start(&sub->thread, "subscriber", run, sub);
        return sub;
}

struct tk_kv_subscriber *tk_kv_subscriber_free(struct tk_kv_subscriber *sub)
{
        if (!sub)
                return NULL;
        (void)eventfd_write(sub->stop_fd, 1);
        tk_thread_join(&sub->thread);
        close(sub->stop_fd);
        for (size_t i = 0; sub->channels[i]; i++)
                tk_free(sub->channels[i]);
        tk_free(sub->url);
        return tk_free(sub);
}

bool tk_kv_subscriber_connected(struct tk_kv_subscriber *sub)
{
        return sub && atomic_load(&sub->connected);
}
