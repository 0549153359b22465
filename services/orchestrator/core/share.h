/* SPDX-License-Identifier: MIT */
/* orchestrator/core/share.h: divides what is free among those who want it: whoever has least gets the next one, so that in the end
 * all have the same, or as much as they want. Pure. */
#pragma once
#include <stddef.h>

struct orch_share {
        unsigned has, want; /* what it has already; how much more it would take */
        unsigned gets;      /* out */
};
/* `first`: who begins where nobody has less than the others; let it go round. */
void orch_share(struct orch_share *shares, size_t n, size_t first, unsigned free);
