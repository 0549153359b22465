/* SPDX-License-Identifier: MIT */
/* orchestrator/core/share.c: see the header. Those who have least rise together until they meet the next, one of them wants no more, or
 * nothing is left: at most twice as many rounds as there are shares. */
#include "orchestrator/core/share.h"
#include <limits.h>
#include <stdbool.h>

static bool wants(const struct orch_share *share)
{
        return share->gets < share->want;
}

static unsigned level(const struct orch_share *share)
{
        return share->has + share->gets;
}

/* The least that one who wants more has, and how many have no more than that. */
static unsigned lowest(const struct orch_share *shares, size_t n, unsigned *ret_count)
{
        unsigned least = UINT_MAX;
        *ret_count = 0;
        for (size_t i = 0; i < n; i++) {
                if (!wants(&shares[i]) || level(&shares[i]) > least)
                        continue;
                *ret_count = level(&shares[i]) < least ? 1 : *ret_count + 1;
                least = level(&shares[i]);
        }
        return least;
}

/* How far those at the lowest level may rise together. */
static unsigned rise(const struct orch_share *shares, size_t n, unsigned least)
{
        unsigned by = UINT_MAX;
        for (size_t i = 0; i < n; i++) {
                if (!wants(&shares[i]))
                        continue;
                unsigned until = level(&shares[i]) == least ? shares[i].want - shares[i].gets : level(&shares[i]) - least;
                by = until < by ? until : by;
        }
        return by;
}

void orch_share(struct orch_share *shares, size_t n, size_t first, unsigned free)
{
        for (size_t i = 0; i < n; i++)
                shares[i].gets = 0;
        while (free) {
                unsigned count, least = lowest(shares, n, &count);
                if (!count)
                        return;
                unsigned by = rise(shares, n, least), extra = 0;
                if (by > free / count) {
                        by = free / count;
                        extra = free % count;
                        free = 0;
                } else {
                        free -= by * count;
                }
                for (size_t i = 0; i < n; i++) {
                        struct orch_share *share = &shares[(first + i) % n];
                        if (!wants(share) || level(share) != least)
                                continue;
                        share->gets += by + (extra ? 1 : 0);
                        extra -= extra ? 1 : 0;
                }
        }
}
