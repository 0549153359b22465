/* SPDX-License-Identifier: MIT */
/* worker/core/together.c: see the header. */
#include "worker/core/together.h"
#include "base/time.h"

void work_together_init(struct work_together *company, atomic_uint *in_hand)
{
        company->in_hand = in_hand;
        company->open = 0;
        tk_lock_init(&company->lock, "together");
        tk_cond_init(&company->over);
}

void work_together_deinit(struct work_together *company)
{
        tk_lock_deinit(&company->lock);
        tk_cond_deinit(&company->over);
}

void work_together_join(struct work_together *company)
{
        TK_LOCKED(&company->lock);
        company->open++;
        atomic_fetch_add(company->in_hand, 1);
}

void work_together_leave(struct work_together *company, int64_t deadline_ns)
{
        TK_LOCKED(&company->lock);
        unsigned others = atomic_fetch_sub(company->in_hand, 1) - 1;
        if (!--company->open)
                tk_cond_broadcast(&company->over);
        if (others != company->open || tk_time_mono_ns() >= deadline_ns)
                return;
        while (company->open && tk_cond_wait(&company->over, &company->lock, deadline_ns))
                ;
}
