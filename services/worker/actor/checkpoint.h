/* SPDX-License-Identifier: MIT */
/* worker/actor/checkpoint.h: a handler that yields: its checkpoint is stored by an orchestrator before it goes on. */
#pragma once
#include "base/buf.h"
#include "worker/abi/result.h"
#include "worker/actor/job.h"

/* Stores what the result yields and replaces *checkpoint by what was stored. Waits, and asks again while no orchestrator answers, at most
 * until the step's deadline and no longer than 10 s. False: it could not be stored, and the result is a failure that says why. */
bool work_checkpoint(struct work_app *app, struct work_job *job, struct tkw_result *result, struct tk_buf *checkpoint);
