/* SPDX-License-Identifier: MIT */
/* orchestrator/core/share.c: see the header. All rise to the highest common level that what is free suffices for, found by halving; what is
 * left is less than one each and goes to the lowest, one by one. A level is what somebody has for each unit of its weight. */
#include "orchestrator/core/share.h"
#include <stdbool.h>
#include <stdint.h>

#define UNIT ((uint64_t)1 << 20) /* a level of 1; finer than any weight, so that nobody gets two for one step of the level */

/* How many it gets so as not to be below the level, as far as it wants them. */
static unsigned up_to(const struct orch_share *share, uint64_t level)
{
        uint64_t holds = (level * share->weight + UNIT - 1) / UNIT;
        uint64_t gets = holds > share->has ? holds - share->has : 0;
        return gets < share->want ? (unsigned)gets : share->want;
}

static uint64_t given(const struct orch_share *shares, size_t n, uint64_t level)
{
        uint64_t sum = 0;
        for (size_t i = 0; i < n; i++)
                sum += up_to(&shares[i], level);
        return sum;
}

static bool below(const struct orch_share *a, const struct orch_share *b)
{
        return (uint64_t)(a->has + a->gets) * b->weight < (uint64_t)(b->has + b->gets) * a->weight;
}

static struct orch_share *lowest(struct orch_share *shares, size_t n, size_t first)
{
        struct orch_share *least = NULL;
        for (size_t i = 0; i < n; i++) {
                struct orch_share *share = &shares[(first + i) % n];
                if (share->gets < share->want && (!least || below(share, least)))
                        least = share;
        }
        return least;
}

void orch_share(struct orch_share *shares, size_t n, size_t first, unsigned free)
{
        uint64_t low = 0, high = 0, wanted = 0;
        for (size_t i = 0; i < n; i++) {
                uint64_t top = ((uint64_t)shares[i].has + shares[i].want) * UNIT / shares[i].weight + 1; /* there it has all it wants */
                high = top > high ? top : high;
                wanted += shares[i].want;
        }
        if (wanted <= free)
                low = high;
        while (high - low > 1) { /* given(low) <= free < given(high) */
                uint64_t middle = low + (high - low) / 2;
                if (given(shares, n, middle) <= free)
                        low = middle;
                else
                        high = middle;
        }
        for (size_t i = 0; i < n; i++) {
                shares[i].gets = up_to(&shares[i], low);
                free -= shares[i].gets;
        }
        for (struct orch_share *least; free && (least = lowest(shares, n, first)); free--)
                least->gets++;
}
