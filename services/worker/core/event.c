/* SPDX-License-Identifier: MIT */
/* worker/core/event.c: see the header. */
#include "worker/core/event.h"
#include "base/mem.h"
#include "base/str.h"

struct work_event *work_event_new(const char *id, const char *name, const char *json, size_t len)
{
        struct work_event *event = tk_zalloc(sizeof *event + len + 1);
        atomic_init(&event->refs, 1);
        (void)tk_str_copy(event->id, sizeof event->id, id);
        (void)tk_str_copy(event->name, sizeof event->name, name);
        memcpy(event->json, json, len);
        event->json_len = len;
        return event;
}

struct work_event *work_event_ref(struct work_event *event)
{
        atomic_fetch_add(&event->refs, 1);
        return event;
}

void work_event_unref(struct work_event *event)
{
        if (atomic_fetch_sub(&event->refs, 1) == 1)
                tk_free(event);
}

struct work_events *work_events_free(struct work_events *events)
{
        if (!events)
                return NULL;
        for (unsigned i = 0; i < events->told_n; i++)
                work_event_unref(events->told[i]);
        return tk_free(events);
}
