/* SPDX-License-Identifier: MIT */
/* worker/abi/event.c: what handlers say of events, and what subscribers read of them. */
#include "worker/abi/event.h"
#include "worker/abi/result.h"
#include "worker/abi/value.h"

void tkw_event_payload(struct tkw_result *result, const char *event, const char *json)
{
        json_t *payload = json ? work_result_parse(result, event ? event : "", json) : json_null();
        if (!result->events)
                result->events = json_object();
        if (!payload || !event || json_object_size(result->events) >= TK_EVENTS_MAX) { /* text that is none has failed the result */
                json_decref(payload);
                return;
        }
        (void)json_object_set_new(result->events, event, payload);
}

void work_event_view_deinit(struct tkw_event *view)
{
        json_decref(view->document);
        view->document = NULL;
}

const char *tkw_event_name(const struct tkw_event *event)
{
        return event->event->name;
}

const char *tkw_event_id(const struct tkw_event *event)
{
        return event->event->id;
}

const char *tkw_event_json(const struct tkw_event *event)
{
        return event->event->json;
}

static const json_t *document(struct tkw_event *event)
{
        if (!event->document) /* of our own making, within its limits */
                event->document = json_loadb(event->event->json, event->event->json_len, JSON_ALLOW_NUL, NULL);
        return event->document;
}

const struct tkw_value *tkw_event_data(struct tkw_event *event, const char *path)
{
        return work_value_view(json_object_get(json_object_get(document(event), "payload"), "payload"), path);
}

const struct tkw_value *tkw_event_metadata(struct tkw_event *event, const char *path)
{
        return work_value_view(json_object_get(document(event), "metadata"), path);
}
