/* SPDX-License-Identifier: MIT */
/* worker/actor/bus.c: see the header. */
#include "worker/actor/bus.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "run/lock.h"
#include "worker/abi/event.h"
#include "worker/app.h"
#include "worker/handler/parties.h"

#define STUCK_NS TK_NS_PER_S /* time for what a subscriber is just doing, after the drain */

struct seat {
        struct work_bus *bus;
        const struct work_subscriber *subscriber;
        struct tk_actor_type type; /* named after it */
        struct tk_actor *actor;
        atomic_bool full;          /* events pass it by: told once, until one fits again */
};

struct work_bus {
        struct work_app *app;
        struct tk_lock lock;
        struct tk_cond emptied;
        size_t pending;            /* deliveries not done */
        atomic_bool dropping;
        unsigned n;
        struct seat seats[];
};

struct delivery {
        struct tk_msg msg;
        struct work_event *event;
};

static void done(struct work_bus *bus, struct delivery *delivery)
{
        work_event_unref(delivery->event);
        tk_free(delivery);
        TK_LOCKED(&bus->lock);
        if (!--bus->pending)
                tk_cond_broadcast(&bus->emptied);
}

static void deliver(const struct seat *seat, const struct work_event *event)
{
        struct work_app *app = seat->bus->app;
        struct tkw_event view = {.event = event};
        int64_t start_ns = tk_time_mono_ns();
        int r = seat->subscriber->fn(&view, seat->subscriber->user);
        work_event_view_deinit(&view);
        tk_metric_observe_l(app->metrics, WORK_M_event_subscriber_seconds, seat->subscriber->name, tk_time_mono_ns() - start_ns);
        work_count_l(app, event_deliveries_total, seat->subscriber->name);
        if (!r)
                return;
        work_count_l(app, event_subscriber_errors_total, seat->subscriber->name);
        tk_log_warn("subscriber.failed", NULL, TK_STR("subscriber", seat->subscriber->name), TK_STR("event", event->name),
                    TK_STR("event_id", event->id), TK_INT("returned", r));
}

static int start(void *self, void *seat)
{
        *(struct seat **)self = seat;
        return 0;
}

static int handle(void *self, struct tk_list *msgs, unsigned n)
{
        struct seat *seat = *(struct seat **)self;
        (void)n;
        for (struct tk_list *node; (node = tk_list_pop(msgs));) {
                struct delivery *delivery = tk_container_of(tk_list_entry(node, struct tk_msg, link), struct delivery, msg);
                if (atomic_load(&seat->bus->dropping))
                        work_count_l(seat->bus->app, events_dropped_total, "stopping");
                else
                        deliver(seat, delivery->event);
                done(seat->bus, delivery);
        }
        return 0;
}

struct work_bus *work_bus_new(struct work_app *app)
{
        static const char *const messages[] = {"event"};
        size_t n;
        const struct work_subscriber *subscribers = work_parties_subscribers(app->parties, &n);
        struct work_bus *bus = tk_zalloc(sizeof *bus + n * sizeof bus->seats[0]);
        bus->app = app;
        bus->n = (unsigned)n;
        tk_lock_init(&bus->lock, "bus");
        tk_cond_init(&bus->emptied);
        for (size_t i = 0; i < n; i++) {
                struct seat *seat = &bus->seats[i];
                *seat = (struct seat){.bus = bus, .subscriber = &subscribers[i],
                                      .type = {.name = subscribers[i].name, .state_size = sizeof(struct seat *), .mailbox_max = 1, .threads = 1,
                                               .batch_max = 1, .messages = messages, .messages_n = 1, .start = start, .handle = handle}};
                seat->actor = tk_actor_new(&seat->type, seat, app->conf.events_mailbox, 1);
        }
        return bus;
}

static bool wants(const struct work_subscriber *s, const char *name)
{
        for (size_t i = 0; i < s->patterns_n; i++)
                if (tk_event_matches(s->patterns[i], name))
                        return true;
        return false;
}

static void offer(struct seat *seat, struct work_event *event)
{
        struct work_bus *bus = seat->bus;
        struct delivery *delivery = TK_NEW(struct delivery);
        delivery->event = work_event_ref(event);
        {
                TK_LOCKED(&bus->lock);
                bus->pending++;
        }
        if (!tk_actor_post(seat->actor, &delivery->msg)) {
                if (atomic_load_explicit(&seat->full, memory_order_relaxed))
                        atomic_store_explicit(&seat->full, false, memory_order_relaxed);
                return;
        }
        work_count_l(bus->app, events_dropped_total, "full");
        if (!atomic_exchange(&seat->full, true))
                tk_log_warn("subscriber.slow", "Its mailbox is full: events pass it by.", TK_STR("subscriber", seat->subscriber->name),
                            TK_STR("event", event->name));
        done(bus, delivery);
}

static void skip(struct work_app *app, const struct work_events *events, const char *why)
{
        for (unsigned i = 0; i < tk_countof(events->by_delivery); i++)
                tk_metric_add_l(app->metrics, WORK_M_events_skipped_total, why, events->by_delivery[i]);
}

void work_bus_settled(struct work_bus *bus, struct work_events *events, bool stale, bool refused)
{
        struct work_app *app = bus->app;
        if (stale || refused) {
                skip(app, events, stale ? "stale" : "refused");
                work_events_free(events);
                return;
        }
        for (unsigned i = 0; i < tk_countof(events->by_delivery); i++)
                if (events->by_delivery[i])
                        tk_metric_add_l(app->metrics, WORK_M_events_published_total, tk_event_delivery_name((enum tk_event_delivery)i),
                                        events->by_delivery[i]);
        for (unsigned k = 0; k < events->told_n; k++) {
                work_count_l(app, events_told_total, events->told[k]->name);
                for (unsigned i = 0; i < bus->n; i++)
                        if (wants(bus->seats[i].subscriber, events->told[k]->name))
                                offer(&bus->seats[i], events->told[k]);
        }
        work_events_free(events);
}

static bool wait_empty(struct work_bus *bus, int64_t deadline_ns)
{
        TK_LOCKED(&bus->lock);
        while (bus->pending)
                if (!tk_cond_wait(&bus->emptied, &bus->lock, deadline_ns))
                        return !bus->pending;
        return true;
}

bool work_bus_drain(struct work_bus *bus, int64_t deadline_ns)
{
        if (wait_empty(bus, deadline_ns))
                return true;
        atomic_store(&bus->dropping, true);
        return wait_empty(bus, tk_time_mono_ns() + STUCK_NS);
}

struct work_bus *work_bus_free(struct work_bus *bus)
{
        if (!bus)
                return NULL;
        for (unsigned i = 0; i < bus->n; i++)
                bus->seats[i].actor = tk_actor_stop_free(bus->seats[i].actor);
        tk_cond_deinit(&bus->emptied);
        tk_lock_deinit(&bus->lock);
        return tk_free(bus);
}

unsigned work_bus_patterns(const struct work_bus *bus)
{
        unsigned n = 0;
        for (unsigned i = 0; i < bus->n; i++)
                n += (unsigned)bus->seats[i].subscriber->patterns_n;
        return n;
}

unsigned work_bus_actors(const struct work_bus *bus, struct tk_actor **ret, unsigned max)
{
        unsigned n = bus->n < max ? bus->n : max;
        for (unsigned i = 0; i < n; i++)
                ret[i] = bus->seats[i].actor;
        return n;
}
