/* SPDX-License-Identifier: MIT */
/* Two clients for the server's tests: libcurl for what clients do, raw sockets for what they should not do.
 */
#pragma once
#include "base/buf.h"
#include <curl/curl.h>
#include <stdint.h>

struct answer {
        long status;
        struct tk_buf head, body;
};
/* One request on its own connection, or on `curl` when given (keep-alive). body NULL: none. */
void client_send(CURL *curl, uint16_t port, const char *method, const char *path, const void *body,
                 size_t len, const char *header, struct answer *ret);
void answer_deinit(struct answer *answer);
#define TK_AUTOANSWER __attribute__((cleanup(answer_deinit)))

int raw_connect(uint16_t port);
void raw_write(int fd, const void *data, size_t len);
void raw_puts(int fd, const char *text);
/* Reads until `until` was seen (NULL: until the end of the stream) or timeout_ms passed; true when it came.
 */
bool raw_read(int fd, struct tk_buf *into, const char *until, int timeout_ms);
