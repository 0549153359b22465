/* SPDX-License-Identifier: MIT */
#include "orchestrator/core/pressure.h"
#include "base/attr.h"
#include "base/log.h"
#include "orchestrator/app.h"

void orch_pressure(struct orch_app *app, struct orch_pressure *ret)
{
        struct tk_actor *const way[] = {app->intake, app->results, app->dispatch, app->query, app->show};
        *ret = (struct orch_pressure){.mailbox = ""};
        for (size_t i = 0; i < tk_countof(way); i++) {
                struct orch_pressure here = {.percent = 0};
                tk_actor_load(way[i], &here.mailbox, &here.depth, &here.capacity);
                here.percent = (unsigned)(100 * (uint64_t)here.depth / here.capacity);
                if (!i || here.percent > ret->percent)
                        *ret = here;
        }
}

bool orch_pressure_sheds(struct orch_app *app, struct orch_pressure *ret)
{
        orch_pressure(app, ret);
        bool high = app->conf.shedding_warn_percent && ret->percent >= app->conf.shedding_warn_percent;
        if (high != atomic_load_explicit(&app->pressed, memory_order_relaxed) && atomic_exchange(&app->pressed, high) != high) {
                if (high)
                        tk_log_warn("pressure.high", "a mailbox fills up", TK_STR("mailbox", ret->mailbox), TK_INT("percent", ret->percent),
                                    TK_INT("depth", ret->depth), TK_INT("capacity", ret->capacity));
                else
                        tk_log_info("pressure.over", NULL, TK_STR("mailbox", ret->mailbox), TK_INT("percent", ret->percent));
        }
        return app->conf.shedding_percent && ret->percent >= app->conf.shedding_percent;
}
