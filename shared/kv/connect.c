/* SPDX-License-Identifier: MIT */
/* kv/connect.c: redis://[user:password@]host[:port][/db], redis://:password@host…, unix:///path/to/socket. */
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "kv/internal.h"
#include <stdio.h>
#include <sys/time.h>

enum { PORT_DEFAULT = 6379 };

struct address {
        char text[TK_KV_URL_MAX];
        const char *password, *host, *db;
        int64_t port;
};

/* Cuts the copy of the URL into its parts; false: not such a URL. */
static bool parse(const char *url, struct address *a)
{
        *a = (struct address){.port = PORT_DEFAULT};
        if (!tk_str_starts(url, "redis://") || tk_str_copy(a->text, sizeof a->text, url + strlen("redis://")))
                return false;
        char *rest = a->text, *at = strrchr(rest, '@');
        if (at) {
                *at = '\0';
                char *colon = strchr(rest, ':');
                a->password = colon ? colon + 1 : rest;
                rest = at + 1;
        }
        char *slash = strchr(rest, '/');
        if (slash) {
                *slash = '\0';
                a->db = slash[1] ? slash + 1 : NULL;
        }
        char *colon = strrchr(rest, ':');
        if (colon) {
                *colon = '\0';
                if (tk_str_to_i64(colon + 1, 1, 65535, &a->port))
                        return false;
        }
        a->host = *rest ? rest : "127.0.0.1";
        return true;
}

static bool command(redisContext *c, const char *format, const char *value)
{
        redisReply *reply = redisCommand(c, format, value);
        bool good = reply && reply->type != REDIS_REPLY_ERROR;
        if (reply)
                freeReplyObject(reply);
        return good;
}

static struct timeval timeval_of(int64_t ns)
{
        return (struct timeval){.tv_sec = ns / TK_NS_PER_S, .tv_usec = ns % TK_NS_PER_S / TK_NS_PER_US};
}

redisContext *tk_kv_connect(const char *url, int64_t timeout_ns)
{
        struct timeval timeout = timeval_of(timeout_ns ? timeout_ns : TK_KV_TIMEOUT_MS * TK_NS_PER_MS);
        struct address a;
        redisContext *c = NULL;
        if (tk_str_starts(url, "unix://")) {
                a = (struct address){0};
                c = redisConnectUnixWithTimeout(url + strlen("unix://"), timeout);
        } else if (parse(url, &a)) {
                c = redisConnectWithTimeout(a.host, (int)a.port, timeout);
        }
        if (!c)
                return NULL;
        bool good = !c->err && redisSetTimeout(c, timeout) == REDIS_OK;
        if (good && a.password)
                good = command(c, "AUTH %s", a.password);
        if (good && a.db)
                good = command(c, "SELECT %s", a.db);
        if (!good) {
                redisFree(c);
                return NULL;
        }
        return c;
}
