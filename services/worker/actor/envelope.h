/* SPDX-License-Identifier: MIT */
/* worker/actor/envelope.h: the document of one domain event, as consumers of the queue and subscribers get it (docs/events.md). */
#pragma once
#include "base/buf.h"
#include "model/event.h"
#include "worker/actor/job.h"

struct work_envelope {
        const struct work_app *app;
        const struct work_job *job;        /* with its template */
        const struct tk_template_event *event;
        const struct tk_buf *result;       /* the StepExecutionResult */
        const json_t *payload;
        const char *id, *fired_by;
        bool ancestors;                    /* with the results that came with the assignment */
};
void work_envelope_write(const struct work_envelope *envelope, struct tk_buf *buf);
