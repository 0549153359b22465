/* SPDX-License-Identifier: MIT */
/* model/event.h: what a template says of a domain event, when it is published, and patterns of event names. Pure. */
#pragma once
#include "base/attr.h"
#include "schema/schema.h"
#include <stdbool.h>

enum { TK_EVENTS_MAX = 32 /* per step */, TK_EVENT_NAME_MAX = 255 };
enum tk_event_condition { TK_EVENT_SUCCESS, TK_EVENT_FAILURE, TK_EVENT_RETRYABLE_FAILURE, TK_EVENT_PERMANENT_FAILURE, TK_EVENT_ALWAYS };
enum tk_event_delivery { TK_EVENT_DURABLE, TK_EVENT_FAST, TK_EVENT_BROADCAST };
enum tk_event_outcome { TK_OUTCOME_SUCCESS, TK_OUTCOME_RETRIED /* failed, and will be tried again */, TK_OUTCOME_FAILED };

struct tk_template_event {
        const char *name;
        const char *publisher;  /* NULL: none */
        struct tk_schema *schema; /* what a payload must fit; NULL: anything */
        enum tk_event_condition condition;
        enum tk_event_delivery delivery;
};
const char *tk_event_condition_name(enum tk_event_condition condition);
const char *tk_event_delivery_name(enum tk_event_delivery delivery);
bool tk_event_holds(enum tk_event_condition condition, enum tk_event_outcome outcome);

/* Whether the pattern stands for the name: segments between dots, '*' is any one segment, '**' any number of them (none too); '*' alone
 * is every event. */
bool tk_event_matches(const char *pattern, const char *name);
/* Segments of [a-z0-9_], '*' or '**' (at most two of these), 255 bytes in all. */
bool tk_event_pattern_ok(const char *pattern);
