/* SPDX-License-Identifier: MIT */
/* http/bind.c: see bind.h. */
#include "http/bind.h"

#include "base/str.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HOST_MAX = 256, BACKLOG = 1024 };

/* "host:port" → host ("" for all interfaces) and port text. */
static int split(const char *text, char ret_host[HOST_MAX], const char **ret_port, struct tk_err *err)
{
        const char *colon = text ? strrchr(text, ':') : NULL;
        int64_t port;

        if (!colon)
                return TK_ERR(err, -EINVAL, "bind address \"%s\": expected host:port, as in 127.0.0.1:8080",
                              text ? text : "");
        if (tk_str_to_i64(colon + 1, 0, UINT16_MAX, &port) < 0)
                return TK_ERR(err, -EINVAL, "bind address \"%s\": the port is not a number from 0 to 65535",
                              text);
        size_t len = (size_t)(colon - text);
        if (len >= 2 && text[0] == '[' && text[len - 1] == ']')
                text++, len -= 2;
        if (len >= HOST_MAX)
                return TK_ERR(err, -EINVAL, "bind address: the host is longer than %d bytes", HOST_MAX - 1);
        memcpy(ret_host, text, len);
        ret_host[len] = '\0';
        *ret_port = colon + 1;
        return 0;
}

static int listen_on(const struct addrinfo *address)
{
        int on = 1, off = 0;
        int fd = socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                        address->ai_protocol);

        if (fd < 0)
                return -errno;
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (address->ai_family == AF_INET6)
                (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
        if (bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
                int r = -errno;
                close(fd);
                return r;
        }
        return fd;
}

static int port_of(int fd, uint16_t *ret_port)
{
        union {
                struct sockaddr any;
                struct sockaddr_in v4;
                struct sockaddr_in6 v6;
        } address;
        socklen_t len = sizeof address;

        if (getsockname(fd, &address.any, &len) < 0)
                return -errno;
        *ret_port = ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
        return 0;
}

/* The first address that works; IPv6 first when all interfaces are meant, for its socket serves both
 * families. */
static int listen_on_any(struct addrinfo *found, bool all)
{
        int r = -EADDRNOTAVAIL;

        for (unsigned pass = all ? 0 : 1; pass < 2 && r < 0; pass++)
                for (struct addrinfo *at = found; at && r < 0; at = at->ai_next)
                        if (pass || at->ai_family == AF_INET6)
                                r = listen_on(at);
        return r;
}

int tk_http_bind(const char *text, int *ret_fd, uint16_t *ret_port, struct tk_err *err)
{
        const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
        struct addrinfo *found = NULL;
        char host[HOST_MAX];
        const char *port = NULL;

        int r = split(text, host, &port, err);
        if (r < 0)
                return r;
        r = getaddrinfo(*host ? host : NULL, port, &hints, &found);
        if (r)
                return TK_ERR(err, -EADDRNOTAVAIL, "bind address \"%s\": %s", text, gai_strerror(r));
        int fd = listen_on_any(found, !*host);
        freeaddrinfo(found);
        if (fd < 0)
                return TK_ERR(err, fd, "cannot listen on %s: %s", text, strerror(-fd));
        r = port_of(fd, ret_port);
        if (r < 0) {
                close(fd);
                return TK_ERR(err, r, "cannot read the port of %s: %s", text, strerror(-r));
        }
        *ret_fd = fd;
        return 0;
}
