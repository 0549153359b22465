/* SPDX-License-Identifier: MIT */
/* worker/abi/event.h: an event as one subscriber sees it. Its text is parsed when it first asks for a part of it. Used by one thread. */
#pragma once
#include "json/json.h"
#include "worker/abi/tasker_worker.h"
#include "worker/core/event.h"

struct tkw_event {
        const struct work_event *event; /* borrowed */
        json_t *document;               /* made on demand */
};
void work_event_view_deinit(struct tkw_event *view);
