/* SPDX-License-Identifier: MIT */
/* fault/fault.h: what goes wrong on purpose, for tests (docs/design/proof.md). Off, a point costs a load and a branch that is
 * predicted. On, each point says of every passing whether it shall fail: with a probability, or the n-th time.
 *
 * TASKER_FAULTS=point:chance,… with chance a probability ("0.01") or "#n", once, at the n-th passing. Thread-safe after init. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include <stdbool.h>

enum tk_fault {
        TK_FAULT_STATEMENT_BEFORE, /* the database connection breaks before a statement is sent */
        TK_FAULT_STATEMENT_AFTER,  /* it breaks when the statement has been carried out, before its answer is read */
        TK_FAULT_POST,             /* a bounded mailbox says it is full */
        TK_FAULT_PUSH_LOSE,        /* a frame is lost, and the stream with it */
        TK_FAULT_PUSH_CLOSE,       /* a frame is sent, then the stream breaks */
        TK_FAULT_PUSH_TWICE,       /* a frame is sent twice */
        TK_FAULT_PUSH_LATE,        /* a frame leaves 20 ms later, and so does all behind it */
        TK_FAULTS
};

extern bool tk_fault_on; /* written by init only, before there are threads */

/* What TASKER_FAULTS asks for; NULL or "": nothing. -EINVAL: not understood. */
TK_MUST int tk_fault_init(const char *text, struct tk_err *err);
bool tk_fault_strikes(enum tk_fault point);

/* Whether it shall fail now. */
static inline bool tk_fault(enum tk_fault point)
{
        return __builtin_expect(tk_fault_on, false) && tk_fault_strikes(point);
}
