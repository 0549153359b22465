/* SPDX-License-Identifier: MIT */
/* base/check.c: the last words of a process whose own invariant is broken. No allocation, no locks: one
 * write. */
#include "base/check.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void tk_check_failed(const char *file, int line, const char *func, const char *what)
{
        char text[512];
        int n = snprintf(text, sizeof text, "broken invariant: %s (%s at %s:%d)\n", what, func, file, line);

        if (n > 0) {
                size_t len = (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
                ssize_t written = write(STDERR_FILENO, text, len);
                (void)written; /* nobody is left to tell */
        }
        abort();
}
