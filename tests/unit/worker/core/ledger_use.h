/* SPDX-License-Identifier: MIT */
/* What tests of the ledger do with it: steps are numbered, and their tokens are those numbers. */
#pragma once
#include "base/mem.h"
#include "worker/core/ledger.h"
#include "base/time.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { LINKS = 2, PERMITS = 6, TOTAL = 10, UNACKED_MAX = 4 };

static inline struct work_taken step(uint8_t n)
{
        struct work_taken taken = {.key = {.step = {{n}}, .attempt = 1}, .token = n, .ns = "math"};
        return taken;
}

static inline unsigned credit(struct work_ledger *l, unsigned link)
{
        struct tk_buf buf;
        unsigned n = 0;
        tk_buf_init(&buf, 4096);
        (void)work_ledger_collect(l, link, &buf, 4096, &n);
        tk_buf_deinit(&buf);
        return n;
}

/* A ledger whose first link is up and has been granted all there is. */
static inline struct work_ledger *granted(bool takes_back)
{
        struct work_ledger *l = work_ledger_new(LINKS, PERMITS, TOTAL, UNACKED_MAX);
        work_ledger_up(l, 0, takes_back);
        assert_int_equal(credit(l, 0), TOTAL);
        return l;
}

static inline void expect_collect(struct work_ledger *l, unsigned link, const char *results, unsigned want_credit)
{
        TK_AUTOBUF struct tk_buf buf;
        unsigned n = 0;
        tk_buf_init(&buf, 4096);
        bool any = work_ledger_collect(l, link, &buf, 4096, &n);
        assert_string_equal(tk_buf_str(&buf), results);
        assert_int_equal(n, want_credit);
        assert_int_equal(any, *results || want_credit);
}

static inline bool done(struct work_ledger *l, uint8_t n, const char *text, int want_link)
{
        struct work_taken taken = step(n);
        struct tk_buf fields;
        int link;
        tk_buf_init(&fields, 64);
        tk_buf_puts(&fields, text);
        bool first = work_ledger_done(l, &taken.key, &fields, NULL, false, &link);
        if (first)
                assert_int_equal(link, want_link);
        return first;
}

static inline void take(struct work_ledger *l, unsigned link, uint8_t n)
{
        struct work_taken taken = step(n);
        assert_int_equal(work_ledger_take(l, link, &taken), WORK_TAKE_OK);
        assert_int_equal(work_ledger_start(l, &taken.key), WORK_START_OK);
}
