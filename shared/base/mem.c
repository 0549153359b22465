/* SPDX-License-Identifier: MIT */
/* base/mem.c: malloc that never returns NULL. Callers bound sizes that come from input, so running out of
 * memory is an incident of the machine, not an outcome to handle in a thousand places. */
#include "base/mem.h"
#include "base/check.h"
#include <stdlib.h>
#include <string.h>

static void *checked(void *ptr)
{
        if (tk_unlikely(!ptr))
                TK_BUG("out of memory");
        return ptr;
}

/* A size of zero still gives a pointer of its own: callers need not care. */
static size_t at_least_one(size_t size)
{
        return size ? size : 1;
}

void *tk_malloc(size_t size)
{
        return checked(malloc(at_least_one(size)));
}

void *tk_zalloc(size_t size)
{
        return checked(calloc(1, at_least_one(size)));
}

void *tk_calloc(size_t count, size_t size)
{
        return checked(calloc(at_least_one(count), at_least_one(size))); /* calloc checks the product */
}

void *tk_realloc(void *old, size_t count, size_t size)
{
        size_t total;

        if (tk_unlikely(__builtin_mul_overflow(count, size, &total)))
                TK_BUG("allocation size overflows");
        return checked(realloc(old, at_least_one(total)));
}

char *tk_strdup(const char *text)
{
        return tk_strndup(text, strlen(text));
}

char *tk_strndup(const char *text, size_t len)
{
        size_t n = strnlen(text, len);
        char *copy = tk_malloc(n + 1);

        memcpy(copy, text, n);
        copy[n] = 0;
        return copy;
}

void *tk_free(void *ptr)
{
        free(ptr);
        return NULL;
}
