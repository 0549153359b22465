/* SPDX-License-Identifier: MIT */
/* base/mem.h: allocation that cannot fail quietly. Small fixed sizes abort when memory is gone; sizes that come from
 * input are bounded by their reader first. */
#pragma once
#include "base/attr.h"
#include <stddef.h>

TK_MUST void *tk_malloc(size_t size);
TK_MUST void *tk_zalloc(size_t size);
TK_MUST void *tk_calloc(size_t count, size_t size);            /* overflow-checked */
TK_MUST void *tk_realloc(void *old, size_t count, size_t size); /* overflow-checked; count*size bytes */
TK_MUST char *tk_strdup(const char *text);
TK_MUST char *tk_strndup(const char *text, size_t len);
void *tk_free(void *ptr); /* returns NULL: `p = tk_free(p)` */

static inline void tk_free_p(void *at)
{
        tk_free(*(void **)at);
}
#define TK_AUTOFREE __attribute__((cleanup(tk_free_p)))
#define TK_NEW(type) ((type *)tk_zalloc(sizeof(type)))
