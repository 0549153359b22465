/* SPDX-License-Identifier: MIT */
/* orchestrator/core/share.h: divides what is free among those who want it: whoever has least for its weight gets the next one, so that
 * in the end all have the same for their weights, or as much as they want. Nobody who has nothing is left out for weight. Pure. */
#pragma once
#include <stddef.h>

struct orch_share {
        unsigned has, want; /* what it has already; how much more it would take */
        unsigned weight;    /* 1 to TK_WEIGHT_MAX (model/decision.h) */
        unsigned gets;      /* out */
};
/* `first`: who begins where nobody has less than the others; let it go round. */
void orch_share(struct orch_share *shares, size_t n, size_t first, unsigned free);
