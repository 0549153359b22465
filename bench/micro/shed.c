/* SPDX-License-Identifier: MIT */
/* bench/micro/shed.c: what it costs each submission to ask whether tasks are refused for now: a look at five mailboxes and, where that
 * is configured, at the workers of a namespace. */
#include "base/attr.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/time.h"
#include "measure.h"
#include "micro.h"
#include "orchestrator/app.h"
#include "orchestrator/core/pressure.h"
#include <stdio.h>

enum { WORKERS = 10, NAMESPACES = 30 };
#define SERVED "namespace_29" /* the last that is looked at */

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

static void decide_permits(void *user, uint64_t n)
{
        struct orch_pressure full;
        for (uint64_t i = 0; i < n; i++)
                (void)orch_permits_shed(user, SERVED, &full);
}

static void want_nothing(void *user)
{
        (void)user;
}

static void by_mailboxes(struct orch_app *app)
{
        static const struct tk_actor_type type = {.name = "micro", .state_size = 1, .mailbox_max = 1024, .threads = 1, .batch_max = 1,
                                                  .start = start, .handle = handle};
        struct tk_actor **const way[] = {&app->intake, &app->results, &app->dispatch, &app->query, &app->show};
        app->conf.shedding_warn_percent = 70;
        app->conf.shedding_percent = 80;
        for (size_t i = 0; i < tk_countof(way); i++)
                *way[i] = tk_actor_new(&type, NULL, 0, 0);
        micro_cpu("load shedding, one decision", 1000000, decide, app);
        for (size_t i = 0; i < tk_countof(way); i++)
                *way[i] = tk_actor_stop_free(*way[i]);
}

static void by_permits(struct orch_app *app)
{
        struct orch_session *sessions[WORKERS];
        char names[NAMESPACES][ORCH_NAMESPACE_MAX];
        const char *list[NAMESPACES];
        bool *sent;
        size_t held;
        for (int i = 0; i < NAMESPACES; i++) {
                (void)snprintf(names[i], sizeof names[i], "namespace_%02d", i);
                list[i] = names[i];
        }
        app->conf.shedding_permits_warn_percent = 70;
        app->conf.shedding_permits_percent = 80;
        app->sessions = orch_sessions_new(&(struct orch_sessions_ops){.want_work = want_nothing});
        for (int i = 0; i < WORKERS; i++) {
                sessions[i] = orch_session_new(app->sessions, NULL);
                orch_session_hello(sessions[i], "micro", list, NAMESPACES);
                orch_session_grant(sessions[i], 10);
        }
        micro_cpu("load shedding by permits, ten workers of 30 namespaces", 200000, decide_permits, app);
        for (int i = 0; i < WORKERS; i++) {
                tk_free(orch_session_closed(sessions[i], &sent, &held));
                TK_CHECK(!held);
                tk_free(sent);
        }
        app->sessions = orch_sessions_free(app->sessions);
}

void micro_shed(void)
{
        static struct orch_app app;
        by_mailboxes(&app);
        by_permits(&app);
}
