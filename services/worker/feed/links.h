/* SPDX-License-Identifier: MIT */
/* worker/feed/links.h: one stream to every orchestrator: opened, introduced, kept alive, reopened with jitter. What comes
 * in becomes jobs, acks and cancellations; what goes out is taken from the ledger, everything that waits in one frame.
 * Thread-safe. */
#pragma once
#include "json/json.h"
#include "rpc/rpc.h"
#include "run/actor.h"
#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

struct work_app;
struct work_links;
extern const struct tk_actor_type work_connect_actor; /* opens streams, sends heartbeats, notices silence; app: struct work_app */

TK_MUST struct work_links *work_links_new(struct work_app *app);
struct work_links *work_links_free(struct work_links *links); /* drained */
unsigned work_links_count(const struct work_links *links);
unsigned work_links_up(struct work_links *links);
const char *work_links_address(const struct work_links *links, unsigned at);

/* There is something to send. Never under a lock that a frame needs. */
void work_links_wake(struct work_links *links, unsigned at);
void work_links_wake_all(struct work_links *links);
/* A unary call to the preferred link's orchestrator, or to another that is up. */
TK_MUST enum tk_rpc_status work_links_unary(struct work_links *links, unsigned preferred, const char *method,
                                            const ProtobufCMessage *request, int64_t timeout_ns, struct tk_buf *ret,
                                            struct tk_err *err);
/* Results of earlier steps: {"name": StepExecutionResult, …}, new reference; NULL when nobody answered until the deadline. */
json_t *work_links_fetch(struct work_links *links, unsigned preferred, const ProtobufCBinaryData *task_uuid,
                         const char *const *names, size_t n, int64_t deadline_ns);
/* No more connecting; every stream says goodbye once nothing of it is left here. Waits until all are closed or the deadline
 * passes; cuts those that are left. Call twice: with the grace time, then with a short one after giving up. True: all said goodbye. */
bool work_links_drain(struct work_links *links, int64_t deadline_ns);
void work_links_close(struct work_links *links);
