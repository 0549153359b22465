/* SPDX-License-Identifier: MIT */
/* bench/micro/shed.c: what it costs each submission to ask whether tasks are refused for now: a look at five mailboxes. */
#include "base/attr.h"
#include "base/time.h"
#include "measure.h"
#include "micro.h"
#include "orchestrator/app.h"
#include "orchestrator/core/pressure.h"

static int start(void *self, void *app)
{
        (void)self;
        (void)app;
        return 0;
}

static int handle(void *self, struct tk_list *msgs, unsigned n)
{
        (void)self;
        while (n--)
                tk_msg_done(tk_list_entry(tk_list_pop(msgs), struct tk_msg, link), 0);
        return 0;
}

static void decide(void *user, uint64_t n)
{
        struct orch_pressure full;
        for (uint64_t i = 0; i < n; i++)
                (void)orch_mailboxes_shed(user, &full);
}

void micro_shed(void)
{
        static const struct tk_actor_type type = {.name = "micro", .state_size = 1, .mailbox_max = 1024, .threads = 1, .batch_max = 1,
                                                  .start = start, .handle = handle};
        static struct orch_app app;
        struct tk_actor **const way[] = {&app.intake, &app.results, &app.dispatch, &app.query, &app.show};
        app.conf.shedding_warn_percent = 70;
        app.conf.shedding_percent = 80;
        for (size_t i = 0; i < tk_countof(way); i++)
                *way[i] = tk_actor_new(&type, NULL, 0, 0);
        micro_cpu("load shedding, one decision", 1000000, decide, &app);
        for (size_t i = 0; i < tk_countof(way); i++)
                *way[i] = tk_actor_stop_free(*way[i]);
}
