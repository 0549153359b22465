/* SPDX-License-Identifier: MIT */
/* orchestrator/actor/show.h: the most frequent read, one task as the REST contract shows it, apart from the others: every
 * request that waits is answered from one statement, and no slow list is before it. */
#pragma once
#include "base/uuid.h"
#include "http/http.h"
#include "run/actor.h"

struct orch_app;
extern const struct tk_actor_type orch_show_actor;
/* Answers the request with the task, with 404, or with 503; also when the mailbox is full. Any thread. */
void orch_show(struct orch_app *app, struct tk_http_req *req, const struct tk_uuid *task);
