/* SPDX-License-Identifier: MIT */
/* worker/core/event.h: domain events of an attempt between its result and the acknowledgement: what is to be counted, and what is to be
 * told in this process. Nothing is told before the result is stored. */
#pragma once
#include "base/attr.h"
#include "base/uuid.h"
#include "model/event.h"
#include <stdatomic.h>
#include <stddef.h>

struct work_event { /* shared by those it is delivered to; never changes */
        atomic_uint refs;
        size_t json_len;
        char id[TK_UUID_TEXT];
        char name[TK_EVENT_NAME_MAX + 1];
        char json[];    /* the document, and a NUL */
};
TK_MUST struct work_event *work_event_new(const char *id, const char *name, const char *json, size_t len); /* one reference; never NULL */
struct work_event *work_event_ref(struct work_event *event);
void work_event_unref(struct work_event *event);

struct work_events {
        unsigned by_delivery[TK_EVENT_BROADCAST + 1];
        struct work_event *told[TK_EVENTS_MAX]; /* fast and broadcast; owned */
        unsigned told_n;
};
struct work_events *work_events_free(struct work_events *events); /* NULL is fine; returns NULL */
