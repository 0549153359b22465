/* SPDX-License-Identifier: MIT */
#include "client.h"

#include "base/check.h"
#include "base/str.h"
#include "base/time.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t keep(char *data, size_t size, size_t n, void *into)
{
        tk_buf_put(into, data, size * n);
        return size * n;
}

void client_send(CURL *given, uint16_t port, const char *method, const char *path, const void *body,
                 size_t len, const char *header, struct answer *ret)
{
        CURL *curl = given ? given : curl_easy_init();
        struct curl_slist *headers = curl_slist_append(NULL, header ? header : "X-Test: 1");
        char url[512];

        TK_CHECK(snprintf(url, sizeof url, "http://127.0.0.1:%u%s", port, path) < (int)sizeof url);
        tk_buf_init(&ret->head, 1 << 16);
        tk_buf_init(&ret->body, 32 << 20);
        curl_easy_reset(curl);
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &ret->body);
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, keep);
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, &ret->head);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        if (body) {
                curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
                curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
        }
        if (tk_streq(method, "HEAD"))
                curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        else
                curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
        ret->status = -1;
        CURLcode r = curl_easy_perform(curl);
        if (r == CURLE_OK)
                curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &ret->status);
        else
                fprintf(stderr, "%s %s: %s\n", method, path, curl_easy_strerror(r));
        curl_slist_free_all(headers);
        if (!given)
                curl_easy_cleanup(curl);
}

void answer_deinit(struct answer *answer)
{
        tk_buf_deinit(&answer->head);
        tk_buf_deinit(&answer->body);
}

int raw_connect(uint16_t port)
{
        const struct sockaddr_in address = {
                .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        TK_CHECK(fd >= 0);
        TK_CHECK(connect(fd, (const struct sockaddr *)&address, sizeof address) == 0);
        return fd;
}

void raw_write(int fd, const void *data, size_t len)
{
        const char *at = data;

        while (len) {
                ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return; /* the server hung up: the test sees it when it reads */
                at += n;
                len -= (size_t)n;
        }
}

void raw_puts(int fd, const char *text)
{
        raw_write(fd, text, strlen(text));
}

bool raw_read(int fd, struct tk_buf *into, const char *until, int timeout_ms)
{
        int64_t deadline_ns = tk_time_mono_ns() + timeout_ms * TK_NS_PER_MS;
        char piece[16384];

        for (;;) {
                struct pollfd wait = {.fd = fd, .events = POLLIN};
                if (until && strstr(tk_buf_str(into), until))
                        return true;
                int64_t left_ms = (deadline_ns - tk_time_mono_ns()) / TK_NS_PER_MS;
                if (left_ms <= 0 || poll(&wait, 1, (int)left_ms) <= 0)
                        return false;
                ssize_t n = recv(fd, piece, sizeof piece, 0);
                if (n <= 0)
                        return !until;
                tk_buf_put(into, piece, (size_t)n);
        }
}
