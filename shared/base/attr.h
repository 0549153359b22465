/* SPDX-License-Identifier: MIT */
/* base/attr.h: compiler attributes under one name each. */
#pragma once

#define TK_MUST __attribute__((warn_unused_result))
#define TK_PRINTF(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))
#define TK_NONNULL __attribute__((nonnull))
#define TK_UNUSED __attribute__((unused))
#define TK_NORETURN __attribute__((noreturn))
#define TK_EXPORT __attribute__((visibility("default")))
#define tk_likely(x) __builtin_expect(!!(x), 1)
#define tk_unlikely(x) __builtin_expect(!!(x), 0)

/* Run `func_p(&variable)` when the variable leaves its scope; disarm by assigning NULL. */
#define TK_CLEANUP(func) __attribute__((cleanup(func##_p)))
/* Defines func_p for a destructor that takes the pointer itself: `TK_DEFINE_CLEANUP(struct x *, tk_x_free)`. */
#define TK_DEFINE_CLEANUP(type, func)                                                                        \
        static inline void func##_p(type *tk_cleanup_at)                                                     \
        {                                                                                                    \
                if (*tk_cleanup_at)                                                                          \
                        (void)func(*tk_cleanup_at);                                                          \
        }                                                                                                    \
        struct tk_need_semicolon

#define tk_countof(array) (sizeof(array) / sizeof((array)[0]))
#define tk_container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
