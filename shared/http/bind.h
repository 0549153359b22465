/* SPDX-License-Identifier: MIT */
/* http/bind.h: a listening TCP socket from text. Private to http/. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include <stdint.h>

/* "127.0.0.1:8080", "[::1]:8080", "localhost:8080", ":8080" (all interfaces); port 0: any free. Non-blocking,
 * close-on-exec. */
TK_MUST int tk_http_bind(const char *text, int *ret_fd, uint16_t *ret_port, struct tk_err *err);
