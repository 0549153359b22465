/* SPDX-License-Identifier: MIT */
/* base/check.h: invariants of our own. They stay in release builds: a clean abort with a place beats corruption.
 * Never used on data that came from outside. */
#pragma once
#include "base/attr.h"

TK_NORETURN void tk_check_failed(const char *file, int line, const char *func, const char *what);

#define TK_CHECK(cond)                                                                                       \
        do {                                                                                                 \
                if (tk_unlikely(!(cond)))                                                                    \
                        tk_check_failed(__FILE__, __LINE__, __func__, #cond);                                \
        } while (0)
#define TK_BUG(what) tk_check_failed(__FILE__, __LINE__, __func__, what)
