/* SPDX-License-Identifier: MIT */
#include "http.h"
#include "base/str.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 64 << 20, CHUNK = 16384 };

int http_target_parse(const char *url, struct http_target *ret)
{
        int used = 0;
        *ret = (struct http_target){0};
        if (sscanf(url, "http://%255[^:/]:%15[0-9]%n", ret->host, ret->port, &used) != 2)
                return -EINVAL;
        if (tk_str_copy(ret->prefix, sizeof ret->prefix, url + used))
                return -EINVAL;
        for (size_t n = strlen(ret->prefix); n && ret->prefix[n - 1] == '/'; n--)
                ret->prefix[n - 1] = '\0';
        return 0;
}

void http_init(struct http *http)
{
        *http = (struct http){.fd = -1};
        tk_buf_init(&http->out, ANSWER_MAX);
        tk_buf_init(&http->in, ANSWER_MAX);
}

void http_deinit(struct http *http)
{
        if (http->fd >= 0)
                close(http->fd);
        http->fd = -1;
        tk_buf_deinit(&http->out);
        tk_buf_deinit(&http->in);
}

int http_connect(struct http *http, const struct http_target *target)
{
        struct addrinfo *all, hints = {.ai_socktype = SOCK_STREAM};
        int r = -ECONNREFUSED, on = 1;
        if (http->fd >= 0)
                close(http->fd);
        http->fd = -1;
        if (getaddrinfo(target->host, target->port, &hints, &all))
                return -EHOSTUNREACH;
        for (struct addrinfo *a = all; a && http->fd < 0; a = a->ai_next) {
                int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
                if (fd >= 0 && !connect(fd, a->ai_addr, a->ai_addrlen))
                        http->fd = fd;
                else if (r = -errno, fd >= 0)
                        close(fd);
        }
        freeaddrinfo(all);
        if (http->fd < 0)
                return r;
        (void)setsockopt(http->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        return 0;
}

void http_request(struct http *http, const struct http_target *target, const char *method, const char *path, const char *body,
                  size_t body_len)
{
        tk_buf_reset(&http->out);
        tk_buf_reset(&http->in);
        http->sent = 0;
        http->waiting = true;
        tk_buf_printf(&http->out, "%s %s%s HTTP/1.1\r\nHost: %s:%s\r\n", method, target->prefix, path, target->host, target->port);
        if (body)
                tk_buf_printf(&http->out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body_len);
        tk_buf_puts(&http->out, "\r\n");
        if (body)
                tk_buf_put(&http->out, body, body_len);
}

/* The value of a header line of the head, or NULL. */
static const char *header(const char *head, const char *end, const char *name)
{
        size_t n = strlen(name);
        for (const char *line = strstr(head, "\r\n"); line && line < end; line = strstr(line + 2, "\r\n"))
                if (!strncasecmp(line + 2, name, n) && line[2 + n] == ':')
                        return line + 2 + n + 1 + strspn(line + 2 + n + 1, " ");
        return NULL;
}

/* Chunks are put together in place. */
static enum http_state chunked(struct http *http, char *at)
{
        char *to = at, *end = http->in.data + http->in.len;
        http->body = at;
        for (const char *from = at;;) {
                char *line;
                size_t size = strtoul(from, &line, 16);
                if (line == from || line + 2 > end)
                        return HTTP_AGAIN;
                line = strstr(line, "\r\n");
                if (!line || line + 2 + size + 2 > end)
                        return HTTP_AGAIN;
                from = line + 2 + size + 2;
                if (!size) {
                        *to = '\0';
                        http->body_len = (size_t)(to - at);
                        return HTTP_DONE;
                }
                memmove(to, line + 2, size);
                to += size;
        }
}

/* Is the answer whole? Chunks are only looked at once the last one is there, so that they are moved once. */
static enum http_state look(struct http *http)
{
        if (!http->in.len)
                return HTTP_AGAIN;
        tk_buf_putc(&http->in, '\0');
        http->in.len--;
        char *head = http->in.data, *end = strstr(head, "\r\n\r\n");
        if (!end)
                return HTTP_AGAIN;
        if (sscanf(head, "HTTP/1.%*d %d", &http->status) != 1)
                return HTTP_BROKEN;
        const char *retry = header(head, end, "Retry-After"), *length = header(head, end, "Content-Length");
        http->retry_after_s = retry ? (unsigned)strtoul(retry, NULL, 10) : 0;
        if (!length && header(head, end, "Transfer-Encoding"))
                return strcmp(head + http->in.len - 5, "0\r\n\r\n") ? HTTP_AGAIN : chunked(http, end + 4);
        http->body = end + 4;
        http->body_len = length ? strtoul(length, NULL, 10) : 0;
        return (size_t)(head + http->in.len - http->body) >= http->body_len ? HTTP_DONE : HTTP_AGAIN;
}

enum http_state http_drive(struct http *http)
{
        while (http->sent < http->out.len) {
                ssize_t n = send(http->fd, http->out.data + http->sent, http->out.len - http->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        return HTTP_AGAIN;
                if (n < 0)
                        return HTTP_BROKEN;
                http->sent += (size_t)n;
        }
        for (;;) {
                char chunk[CHUNK];
                ssize_t n = recv(http->fd, chunk, sizeof chunk, MSG_DONTWAIT);
                if (n < 0 && errno == EAGAIN)
                        return HTTP_AGAIN;
                if (n <= 0)
                        return HTTP_BROKEN;
                tk_buf_put(&http->in, chunk, (size_t)n);
                if (tk_buf_failed(&http->in))
                        return HTTP_BROKEN;
                enum http_state state = look(http);
                if (state == HTTP_DONE)
                        http->waiting = false;
                if (state != HTTP_AGAIN)
                        return state;
        }
}
