/* SPDX-License-Identifier: MIT */
/* worker/actor/publish.h: the domain events an attempt's outcome calls for: those of the queue travel with the result, the others wait in
 * the ledger for its acknowledgement. Whatever goes wrong here loses an event, never a result. */
#pragma once
#include "worker/abi/context.h"
#include "worker/actor/job.h"

/* Asks the publishers that the step's template names; their payloads go into the result. After the handler, in its thread. */
void work_publish_ask(struct work_app *app, const struct work_job *job, struct tkw_context *ctx, struct tkw_result *result);

struct work_publication {
        struct tk_arena *arena;                 /* of the durable ones; NULL: nothing at all is published */
        Tasker__Dispatch__V1__Event **durable;
        size_t durable_n;
        struct work_events *events;             /* for the ledger; NULL: none */
};
/* `document` is the StepExecutionResult as it goes out. Free the arena after use. */
void work_publish(struct work_app *app, const struct work_job *job, const struct tkw_result *result, const struct tk_buf *document,
                  struct work_publication *ret);
