/* SPDX-License-Identifier: MIT */
#include "orchestrator/core/pressure.h"
#include "base/attr.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "orchestrator/app.h"
#include <stdio.h>

#define PERMITS_TOLD_AGAIN_NS (10 * TK_NS_PER_S)

static unsigned percent(uint32_t in_use, uint32_t capacity)
{
        return capacity ? (unsigned)(100 * (uint64_t)in_use / capacity) : 0;
}

void orch_pressure_mailboxes(struct orch_app *app, struct orch_pressure *ret)
{
        struct tk_actor *const way[] = {app->intake, app->results, app->dispatch, app->query, app->show};
        const char *fullest = "";
        *ret = (struct orch_pressure){0};
        for (size_t i = 0; i < tk_countof(way); i++) {
                const char *name;
                uint32_t depth, capacity;
                tk_actor_load(way[i], &name, &depth, &capacity);
                unsigned here = percent(depth, capacity);
                if (i && here <= ret->percent)
                        continue;
                fullest = name;
                ret->in_use = depth;
                ret->capacity = capacity;
                ret->percent = here;
        }
        (void)tk_str_copy(ret->name, sizeof ret->name, fullest);
}

static void permits_of(struct orch_app *app, const char *ns, struct orch_pressure *ret)
{
        struct orch_serving serving;
        orch_sessions_serving(app->sessions, ns, &serving);
        *ret = (struct orch_pressure){.permits = true, .in_use = serving.taken, .capacity = serving.taken + serving.free};
        ret->percent = percent(ret->in_use, ret->capacity);
        (void)tk_str_copy(ret->name, sizeof ret->name, ns);
}

void orch_pressure_permits(struct orch_app *app, const char *ns, struct orch_pressure *ret)
{
        char names[ORCH_SESSION_NAMESPACES_MAX][ORCH_NAMESPACE_MAX];
        struct orch_pressure here;
        if (ns) {
                permits_of(app, ns, ret);
                return;
        }
        size_t n = orch_sessions_namespaces(app->sessions, names, ORCH_SESSION_NAMESPACES_MAX);
        *ret = (struct orch_pressure){.permits = true};
        for (size_t i = 0; i < n; i++) {
                permits_of(app, names[i], &here);
                if (!i || here.percent > ret->percent)
                        *ret = here;
        }
}

bool orch_mailboxes_shed(struct orch_app *app, struct orch_pressure *ret)
{
        orch_pressure_mailboxes(app, ret);
        ret->high = app->conf.shedding_warn_percent && ret->percent >= app->conf.shedding_warn_percent;
        if (ret->high != atomic_load_explicit(&app->pressed, memory_order_relaxed) && atomic_exchange(&app->pressed, ret->high) != ret->high) {
                if (ret->high)
                        tk_log_warn("pressure.high", "a mailbox fills up", TK_STR("mailbox", ret->name), TK_INT("percent", ret->percent),
                                    TK_INT("depth", ret->in_use), TK_INT("capacity", ret->capacity));
                else
                        tk_log_info("pressure.over", NULL, TK_STR("mailbox", ret->name), TK_INT("percent", ret->percent));
        }
        return app->conf.shedding_percent && ret->percent >= app->conf.shedding_percent;
}

bool orch_permits_shed(struct orch_app *app, const char *ns, struct orch_pressure *ret)
{
        const unsigned warn = app->conf.shedding_permits_warn_percent, shed = app->conf.shedding_permits_percent;
        if (!warn && !shed)
                return false;
        orch_pressure_permits(app, ns, ret);
        int64_t now_ns = tk_time_mono_ns(), told_ns = atomic_load_explicit(&app->permits_told_ns, memory_order_relaxed);
        ret->high = warn && ret->percent >= warn;
        if (ret->high && (!told_ns || now_ns - told_ns >= PERMITS_TOLD_AGAIN_NS) &&
            atomic_compare_exchange_strong(&app->permits_told_ns, &told_ns, now_ns))
                tk_log_warn("permits.high", "the workers of a namespace have little room for more", TK_STR("namespace", ret->name),
                            TK_INT("percent", ret->percent), TK_INT("in_use", ret->in_use), TK_INT("permits", ret->capacity));
        return shed && ret->percent >= shed;
}

void orch_pressure_text(const struct orch_pressure *p, char ret[ORCH_PRESSURE_TEXT])
{
        static const char mailbox[] = "mailbox '%s' is %u %% full (%u of %u)", permits[] = "permits of namespace '%s' are %u %% in use (%u of %u)";
        (void)snprintf(ret, ORCH_PRESSURE_TEXT, p->permits ? permits : mailbox, p->name, p->percent, p->in_use, p->capacity);
}
