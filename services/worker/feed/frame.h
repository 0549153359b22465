/* SPDX-License-Identifier: MIT */
/* worker/feed/frame.h: frames of the dispatch stream: what they say becomes jobs and ledger entries, and back. A frame is the
 * concatenation of its fields, so each part is appended on its own. */
#pragma once
#include "base/attr.h"
#include "base/buf.h"
#include "worker/actor/job.h"

/* NULL, or what is wrong with an assignment. Jobs keep the owner. *ret_waits: a look whether something waits too long is due (WORK_TAKE_WAITS). */
TK_MUST const char *work_frame_assigns(struct work_app *app, unsigned link, int64_t lease_ns, struct work_frame *owner,
                                       const Tasker__Dispatch__V1__OrchestratorFrame *frame, bool *ret_waits);
void work_frame_cancels(struct work_app *app, const Tasker__Dispatch__V1__OrchestratorFrame *frame);
/* True: credit that was held back may flow again. */
bool work_frame_acks(struct work_app *app, const Tasker__Dispatch__V1__OrchestratorFrame *frame);

void work_frame_put_hello(struct work_app *app, unsigned link, struct tk_buf *buf);
/* What the link took over from others, and what goes back; false: nothing. */
bool work_frame_put_untold(struct work_app *app, unsigned link, struct tk_buf *buf);
/* granted: all on this stream, these included. */
void work_frame_put_credit(unsigned steps, uint64_t granted, struct tk_buf *buf);
void work_frame_put_heartbeat(struct work_app *app, uint64_t sequence, struct tk_buf *buf);
void work_frame_put_goodbye(struct tk_buf *buf);
